"""Sandler and others, MobileNetV2: Tables 1 and 2; widths in multiples of 8 as in the release."""

from functools import partial

import torch.nn.functional as F
from plain import conv_norm, linear, mean

TABLE_2 = (  # t, c, n, s
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def eights(width):
    """The multiple of 8 that is nearest, 8 or more, and never below 0.9 of `width`."""
    nearest = max(8, int(width / 8 + 0.5) * 8)
    return nearest + 8 if nearest < 0.9 * width else nearest


def bottleneck(w, x, name, t, width, stride):
    """Table 1; where t is 1 there is nothing to expand. The last layer is linear."""
    y = x
    if t > 1:
        y = F.relu6(conv_norm(w, y, f"{name}.layers.expand", t * x.shape[1], 1))
    y = F.relu6(conv_norm(w, y, f"{name}.layers.depthwise", y.shape[1], 3, stride, y.shape[1]))
    y = conv_norm(w, y, f"{name}.layers.project", width, 1)
    return x + y if stride == 1 and x.shape[1] == width else y


def mobilenet_v2(w, x, alpha):
    x = F.relu6(conv_norm(w, x, "conv1.conv", eights(32 * alpha), 3, stride=2))
    for row, (t, c, n, s) in enumerate(TABLE_2, 1):
        for i in range(n):
            x = bottleneck(w, x, f"bottleneck{row}.{i}", t, eights(c * alpha), 1 if i else s)
        x = w.stage(f"bottleneck{row}", x)
    x = F.relu6(conv_norm(w, x, "conv9.conv", eights(1280 * max(1, alpha)), 1))
    return linear(w, mean(x), "fc")


NETWORKS = {"mobilenet_v2_x1_3": partial(mobilenet_v2, alpha=1.3)}
