"""Zagoruyko and Komodakis, Wide Residual Networks: Tables 1, 4 and 7; gates as in SENet."""

from functools import partial

from plain import conv
from preresnet import activation
from resnet import UNITS, building_block, head, stages, stem
from senet import gate


def block(w, x, name, width, stride, gated):
    """B(3, 3), activated before each; where the width changes the shortcut reads the activated map
    through a bare 1x1. conv1's activation is the first unit's.
    """
    active = x if name == "stage1.0" else activation(w, x, f"{name}.activation")
    y = conv(w, active, f"{name}.branch.conv1", width, 3, stride)
    y = conv(w, activation(w, y, f"{name}.branch.activation2"), f"{name}.branch.conv2", width, 3)
    if gated:
        y = gate(w, y, f"{name}.branch.se")
    if x.shape[1] == width:
        return x + y
    return conv(w, active, f"{name}.shortcut", width, 1, stride) + y


def cifar(w, x, n, k, gated=False):
    """n = 6N + 4 convolutions, groups of N units; dropout is nothing in testing."""
    x = activation(w, conv(w, x, "conv1", 16, 3), "activation1")
    units = ((n - 4) // 6,) * 3
    x = stages(w, x, partial(block, gated=gated), units, 16 * k, "stage{}", 1)
    return head(w, activation(w, x, "activation"))


def imagenet(w, x, layers, k):
    return head(w, stages(w, stem(w, x), building_block, UNITS[layers], round(64 * k)))


TABLE_4 = (
    (40, 1),
    (40, 2),
    (40, 4),
    (40, 8),
    (28, 10),
    (28, 12),
    (22, 8),
    (22, 10),
    (16, 8),
    (16, 10),
)
TABLE_7 = ((18, "1_5", 1.5), (18, "2", 2), (18, "3", 3), (34, "1_5", 1.5), (34, "2", 2))
NETWORKS = {
    **{f"wide_resnet{n}_{k}_cifar": partial(cifar, n=n, k=k) for n, k in TABLE_4},
    **{f"wide_resnet{n}_{name}": partial(imagenet, layers=n, k=k) for n, name, k in TABLE_7},
    "wide_resnet28_10_cifar_dropout": partial(cifar, n=28, k=10),
    "se_wide_resnet16_8_cifar": partial(cifar, n=16, k=8, gated=True),
}
SLOW = (
    *(f"wide_resnet{n}_{k}_cifar" for n, k in TABLE_4 if k > 2),
    *(f"wide_resnet{n}_{name}" for n, name, _ in TABLE_7 if name != "1_5"),
    "wide_resnet34_1_5",
    "wide_resnet28_10_cifar_dropout",
)
