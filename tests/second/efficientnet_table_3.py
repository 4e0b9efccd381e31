"""Tan and Le, EfficientNet, Table 3: MobileNetV1, MobileNetV2 and ResNet-50 scaled up; layers are
rounded up, MobileNetV1's channels down, the others' to multiples of 8.
"""

from functools import partial
from math import ceil

import torch.nn.functional as F
from mobilenet_v1 import TABLE_1, mobilenet, separable
from mobilenet_v2 import TABLE_2, bottleneck, eights
from plain import conv_norm, linear, max_pool, mean
from resnet import projection


def mobilenet_v1(w, x, depth, width):
    """A stage begins where the map halves or widens. What it has more layers than Table 1 is
    called by its first layer and by its place.
    """
    x = F.relu(conv_norm(w, x, "conv1.conv", int(32 * width), 3, stride=2))
    starts = [i for i in range(13) if i == 0 or TABLE_1[i] != (1, TABLE_1[i - 1][1])]
    for first, end in zip(starts, [*starts[1:], 13], strict=True):
        channels = int(TABLE_1[first][1] * width)
        for i in range(ceil(depth * (end - first))):
            name = f"conv{first + i + 2}" if first + i < end else f"conv{first + 2}_{i}"
            x = separable(w, x, name, channels, 1 if i else TABLE_1[first][0])
            w.stage(name, x)
    return linear(w, mean(x), "fc")


def mobilenet_v2(w, x, depth, width):
    x = F.relu6(conv_norm(w, x, "conv1.conv", eights(32 * width), 3, stride=2))
    for row, (t, c, n, s) in enumerate(TABLE_2, 1):
        for i in range(ceil(depth * n)):
            x = bottleneck(w, x, f"bottleneck{row}.{i}", t, eights(c * width), 1 if i else s)
        w.stage(f"bottleneck{row}", x)
    x = F.relu6(conv_norm(w, x, "conv9.conv", eights(1280 * width), 1))
    return linear(w, mean(x), "fc")


def strided_3x3(w, x, name, width, stride):
    """ResNet-50's unit of 4.1 billion operations in all."""
    y = F.relu(conv_norm(w, x, f"{name}.branch.conv1", width, 1))
    y = F.relu(conv_norm(w, y, f"{name}.branch.conv2", width, 3, stride))
    y = conv_norm(w, y, f"{name}.branch.conv3", 4 * width, 1)
    return F.relu(y + projection(w, x, name, 4 * width, stride))


def resnet50(w, x, depth, width):
    x = F.relu(conv_norm(w, x, "conv1.conv", eights(64 * width), 7, stride=2))
    x = max_pool(x, 3, 2, padding=1)
    for stage, (units, channels) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512)), 2):
        for i in range(ceil(depth * units)):
            stride = 2 if stage > 2 and i == 0 else 1
            x = strided_3x3(w, x, f"conv{stage}_x.{i}", eights(channels * width), stride)
        w.stage(f"conv{stage}_x", x)
    return linear(w, mean(x), "fc")


NETWORKS = {
    "mobilenet_v1_x2_0": partial(mobilenet, alpha=2),
    "mobilenet_v1_compound": partial(mobilenet_v1, depth=1.4, width=1.2),
    "mobilenet_v2_d4": partial(mobilenet_v2, depth=4, width=1),
    "mobilenet_v2_x2_0": partial(mobilenet_v2, depth=1, width=2),
    "mobilenet_v2_compound": partial(mobilenet_v2, depth=1.4, width=1.2),
    "resnet50_d4": partial(resnet50, depth=4, width=1),
    "resnet50_x2_0": partial(resnet50, depth=1, width=2),
    "resnet50_compound": partial(resnet50, depth=1.4, width=1.2),
}
SLOW = ("resnet50_d4", "resnet50_x2_0")
