"""He and others, Identity Mappings in Deep Residual Networks: Figure 4(e), footnote 3, appendix."""

from functools import partial

import torch.nn.functional as F
from plain import conv, norm
from resnet import cifar_stages, head, stages, zeros

UNITS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3), 200: (3, 24, 36, 3)}


def activation(w, x, name):
    return F.relu(norm(w, x, f"{name}.bn"))


def bottleneck(w, x, name, width, stride, gate=None):
    """1x1, 3x3, 1x1, each activated before; where dimensions grow the shortcut reads the activated
    map too. The very first unit follows an activation, and has none of its own.
    """
    first = name.endswith("conv2_x.0") or name.endswith("stage1.0")
    active = x if first else activation(w, x, f"{name}.activation")
    y = conv(w, active, f"{name}.branch.conv1", width, 1, stride)
    y = conv(w, activation(w, y, f"{name}.branch.activation2"), f"{name}.branch.conv2", width, 3)
    y = activation(w, y, f"{name}.branch.activation3")
    y = conv(w, y, f"{name}.branch.conv3", 4 * width, 1)
    if gate:
        y = gate(w, y, f"{name}.branch.se")
    if x.shape[1] == 4 * width:
        return x + y
    return conv(w, active, f"{name}.shortcut", 4 * width, 1, stride) + y


def building_block(w, x, name, width, stride, gate=None):
    """Two 3x3, each activated before; option A, of the activated map, where dimensions grow."""
    active = x if name == "stage1.0" else activation(w, x, f"{name}.activation")
    y = conv(w, active, f"{name}.branch.conv1", width, 3, stride)
    y = conv(w, activation(w, y, f"{name}.branch.activation2"), f"{name}.branch.conv2", width, 3)
    if gate:
        y = gate(w, y, f"{name}.branch.se")
    if x.shape[1] == width:
        return x + y
    return zeros(w, active, name, width, stride) + y


def one_layer(w, x, name, width, stride):
    """Table 3's third row: one 3x3 a unit."""
    active = x if name == "stage1.0" else activation(w, x, f"{name}.activation")
    y = conv(w, active, f"{name}.branch.conv1", width, 3, stride)
    return y + (x if x.shape[1] == width else zeros(w, active, name, width, stride))


def preresnet(w, x, layers):
    """ResNet's Table 1; the first activation right behind conv1, one more behind the last unit."""
    x = activation(w, conv(w, x, "conv1", 64, 7, stride=2), "activation1")
    x = stages(w, F.max_pool2d(x, 3, 2, padding=1), bottleneck, UNITS[layers])
    return head(w, activation(w, x, "activation"))


def preresnet_cifar(w, x, n, unit):
    x = activation(w, conv(w, x, "conv1", 16, 3), "activation1")
    return head(w, activation(w, cifar_stages(w, x, unit, n), "activation"))


NETWORKS = {
    **{f"preresnet{n}": partial(preresnet, layers=n) for n in UNITS},
    "preresnet110_cifar": partial(preresnet_cifar, n=18, unit=building_block),
    "preresnet110_cifar_one_layer": partial(preresnet_cifar, n=36, unit=one_layer),
    "preresnet164_cifar": partial(preresnet_cifar, n=18, unit=bottleneck),
    "preresnet1001_cifar": partial(preresnet_cifar, n=111, unit=bottleneck),
}
SLOW = ("preresnet101", "preresnet152", "preresnet200", "preresnet1001_cifar")
