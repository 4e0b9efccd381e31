"""He and others, Identity Mappings in Deep Residual Networks: what its tables compare, Figures 2
and 4.
"""

from functools import partial

import torch
import torch.nn.functional as F
from plain import conv, conv_norm, norm
from resnet import always, bottleneck, cifar_stages, head, projection, zeros

UNITS = {110: 18, 164: 18, 1001: 111}  # on each of the three maps


def network(w, x, unit, n):
    x = F.relu(conv_norm(w, x, "conv1.conv", 16, 3))
    return head(w, cifar_stages(w, x, unit, n))


def layers(deep, width, stride):
    """Kernel, filters and stride of a unit's layers: two 3x3, or a bottleneck."""
    if deep:
        return ((1, width, stride), (3, width, 1), (1, 4 * width, 1))
    return ((3, width, stride), (3, width, 1))


def shortcut(w, x, name, width, stride, deep):
    return projection(w, x, name, 4 * width, stride) if deep else zeros(w, x, name, width, stride)


def bn_after_addition(w, x, name, width, stride, deep):
    """Figure 4(b): the last batch norm has the shortcut in it."""
    y = x
    *first, (kernel, out, step) = layers(deep, width, stride)
    for i, (k, c, s) in enumerate(first, 1):
        y = F.relu(conv_norm(w, y, f"{name}.branch.conv{i}", c, k, s))
    y = conv(w, y, f"{name}.branch.conv{len(first) + 1}", out, kernel, step)
    return F.relu(norm(w, y + shortcut(w, x, name, width, stride, deep), f"{name}.bn"))


def relu_before_addition(w, x, name, width, stride, deep):
    """Figure 4(c): nothing follows the sum."""
    y = x
    for i, (k, c, s) in enumerate(layers(deep, width, stride), 1):
        y = F.relu(conv_norm(w, y, f"{name}.branch.conv{i}", c, k, s))
    return y + shortcut(w, x, name, width, stride, deep)


def relu_preactivation(w, x, name, width, stride, deep):
    """Figure 4(d): ReLU, weights, batch norm; shortcuts that widen read the activated map."""
    active = y = F.relu(x)
    for i, (k, c, s) in enumerate(layers(deep, width, stride), 1):
        y = conv_norm(w, F.relu(y), f"{name}.branch.conv{i}", c, k, s)
    if x.shape == y.shape:
        return x + y
    return y + shortcut(w, active, name, width, stride, deep)


def preactivated(w, x, n, deep):
    """One more ReLU behind the last unit."""
    x = F.relu(conv_norm(w, x, "conv1.conv", 16, 3))
    x = cifar_stages(w, x, partial(relu_preactivation, deep=deep), n)
    return head(w, F.relu(x))


def one_layer(w, x, name, width, stride):
    """Table 3: each shortcut skips one layer only."""
    y = conv_norm(w, x, f"{name}.branch.conv1", width, 3, stride)
    return F.relu(y + zeros(w, x, name, width, stride))


def residual(w, x, name, width, stride):
    y = F.relu(conv_norm(w, x, f"{name}.branch.conv1", width, 3, stride))
    return conv_norm(w, y, f"{name}.branch.conv2", width, 3)


def scaled(w, x, name, width, stride, on_f):
    """Figure 2(b): half of the shortcut."""
    y = residual(w, x, name, width, stride)
    return F.relu(on_f * y + 0.5 * zeros(w, x, name, width, stride))


def gated(w, x, name, width, stride, exclusive):
    """Figure 2(c), where the gate opens F by as much as it closes the shortcut, and 2(d)."""
    g = torch.sigmoid(conv(w, x, f"{name}.gate", width, 1, stride, bias=True))
    y = residual(w, x, name, width, stride)
    return F.relu((g * y if exclusive else y) + (1 - g) * zeros(w, x, name, width, stride))


def beside(w, x, name, width, stride, shortcut):
    return F.relu(residual(w, x, name, width, stride) + shortcut(w, x, name, width, stride))


TABLE_1 = {
    "constant_scaling": partial(scaled, on_f=1),
    "frozen_gating": partial(scaled, on_f=0.5),
    "exclusive_gating": partial(gated, exclusive=True),
    "shortcut_gating": partial(gated, exclusive=False),
    "conv_shortcut": partial(beside, shortcut=always),
    "dropout_shortcut": partial(beside, shortcut=zeros),
}
TABLE_2 = {"bn_after_addition": bn_after_addition, "relu_before_addition": relu_before_addition}
NETWORKS = {
    **{
        f"resnet110_cifar_{name}": partial(network, unit=unit, n=18)
        for name, unit in TABLE_1.items()
    },
    **{
        f"resnet{depth}_cifar_{name}": partial(network, unit=partial(unit, deep=depth > 110), n=18)
        for name, unit in TABLE_2.items()
        for depth in (110, 164)
    },
    **{
        f"resnet{depth}_cifar_relu_preactivation": partial(preactivated, n=18, deep=depth > 110)
        for depth in (110, 164)
    },
    **{f"resnet{n}_cifar": partial(network, unit=bottleneck, n=UNITS[n]) for n in (164, 1001)},
    "resnet110_cifar_one_layer": partial(network, unit=one_layer, n=36),
}
SLOW = ("resnet1001_cifar",)
STEPWISE = (
    "resnet110_cifar_exclusive_gating",
    "resnet110_cifar_constant_scaling",
    "resnet110_cifar_frozen_gating",
    "resnet110_cifar_shortcut_gating",
    "resnet110_cifar_conv_shortcut",
    "resnet110_cifar_bn_after_addition",
    "resnet164_cifar_bn_after_addition",
)
