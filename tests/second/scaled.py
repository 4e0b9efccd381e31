"""Tan and Le, EfficientNet: Table 3, MobileNets and ResNet-50 made deeper, wider, or both."""

from functools import partial
from math import ceil

import torch.nn.functional as F
from mobilenet_v1 import separable
from mobilenet_v2 import TABLE_2, bottleneck, eights
from plain import conv_norm, linear, max_pool, mean
from resnet import UNITS, head, projection

# stride, filters and layers of MobileNetV1's stages, each begun by a layer that halves or widens
V1_STAGES = ((1, 64, 1), (2, 128, 2), (2, 256, 2), (2, 512, 6), (2, 1024, 2))


def mobilenet_v1(w, x, depth, width):
    """Layers rounded up, channels down. Added layers are called after their stage's first."""
    x = F.relu(conv_norm(w, x, "conv1.conv", int(width * 32), 3, stride=2))
    number = 2
    for stride, out, layers in V1_STAGES:
        for i in range(ceil(depth * layers)):
            name = f"conv{number + i}" if i < layers else f"conv{number}_{i}"
            x = w.stage(name, separable(w, x, name, int(width * out), 1 if i else stride))
        number += layers
    return linear(w, mean(x), "fc")


def mobilenet_v2(w, x, depth, width):
    x = F.relu6(conv_norm(w, x, "conv1.conv", eights(32 * width), 3, stride=2))
    for row, (t, c, n, s) in enumerate(TABLE_2, 1):
        for i in range(ceil(depth * n)):
            x = bottleneck(w, x, f"bottleneck{row}.{i}", t, eights(c * width), 1 if i else s)
        x = w.stage(f"bottleneck{row}", x)
    x = F.relu6(conv_norm(w, x, "conv9.conv", eights(1280 * width), 1))
    return linear(w, mean(x), "fc")


def unit(w, x, name, width, stride):
    """The 3x3 strides."""
    y = F.relu(conv_norm(w, x, f"{name}.branch.conv1", width, 1))
    y = F.relu(conv_norm(w, y, f"{name}.branch.conv2", width, 3, stride))
    y = conv_norm(w, y, f"{name}.branch.conv3", 4 * width, 1)
    return F.relu(y + projection(w, x, name, 4 * width, stride))


def resnet50(w, x, depth, width):
    x = F.relu(conv_norm(w, x, "conv1.conv", eights(64 * width), 7, stride=2))
    x = max_pool(x, 3, 2, padding=1)
    for stage, units in enumerate(UNITS[50]):
        out = eights(64 * 2**stage * width)
        for i in range(ceil(depth * units)):
            x = unit(w, x, f"conv{stage + 2}_x.{i}", out, 2 if stage and not i else 1)
        x = w.stage(f"conv{stage + 2}_x", x)
    return head(w, x)


NETWORKS = {
    "mobilenet_v1_x2_0": partial(mobilenet_v1, depth=1, width=2),
    "mobilenet_v1_compound": partial(mobilenet_v1, depth=1.4, width=1.2),
    "mobilenet_v2_d4": partial(mobilenet_v2, depth=4, width=1),
    "mobilenet_v2_x2_0": partial(mobilenet_v2, depth=1, width=2),
    "mobilenet_v2_compound": partial(mobilenet_v2, depth=1.4, width=1.2),
    "resnet50_d4": partial(resnet50, depth=4, width=1),
    "resnet50_x2_0": partial(resnet50, depth=1, width=2),
    "resnet50_compound": partial(resnet50, depth=1.4, width=1.2),
}
SLOW = ("mobilenet_v1_x2_0", "mobilenet_v2_x2_0", "mobilenet_v2_d4", "resnet50_d4", "resnet50_x2_0")
