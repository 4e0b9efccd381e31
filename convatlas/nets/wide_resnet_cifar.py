"""Wide Residual Networks (Zagoruyko, Komodakis; BMVC 2016): the networks for 32x32 pixels.

WRN-n-k: n convolutions, k times as wide as the thin network. Units are those of the
pre-activation ResNet (preresnet_cifar.py), BN-ReLU-conv.

    Table 1         output    block type = B(3, 3)
    conv1           32x32     [3x3, 16]
    conv2           32x32     [3x3, 16k][3x3, 16k] xN
    conv3           16x16     [3x3, 32k][3x3, 32k] xN
    conv4           8x8       [3x3, 64k][3x3, 64k] xN
    avg-pool        1x1       [8x8], then the classifier

    Table 4         40-1   40-2   40-4   40-8    28-10   28-12   22-8    22-10   16-8    16-10
    params          0.6M   2.2M   8.9M   35.7M   36.5M   52.5M   17.2M   26.8M   11.0M   17.1M

n = 6N + 4. Sec. 2.4 puts dropout between the convolutions of a unit, after the ReLU: _dropout.
"""
from collections.abc import Callable
from functools import partial

import torch.nn as nn

from convatlas.layers import SqueezeExcite, seq
from convatlas.nets.preresnet import IdentityUnit, ShortcutUnit, activation, conv
from convatlas.nets.preresnet_cifar import PreResNetCIFAR
from convatlas.paper import Paper

BMVC = Paper(
    title="Wide Residual Networks",
    authors="Zagoruyko, Komodakis", year=2016, venue="BMVC", arxiv="1605.07146v4",
    code="github.com/szagoruyko/wide-residual-networks",
    silent="Shortcuts where dimensions change, in the first unit of every group: 1x1 convolutions "
           "without batch norm that read the activated maps, as the appendix of the "
           "pre-activation paper has them. n counts these three beside conv1 and the 6N of the "
           "units, but not the classifier. A last BN and ReLU before the average, as in that "
           "network. Initial weights: its own, He's. Batch norm has PyTorch's epsilon and "
           "momentum, 1e-5 and 0.1.",
    page="wide_resnet", bare="wide_resnet28_10_cifar")
SENET = Paper(
    title="Squeeze-and-Excitation Networks",
    authors="Hu, Shen, Albanie, Sun, Wu", year=2020, venue="TPAMI", arxiv="1709.01507v4",
    silent="All of the network but its gates: wide_resnet16_8_cifar, whose errors Tables 4 and 5 "
           "print as the original's. The gates' layers have biases and a ratio of 16, as in the "
           "release for ImageNet; they act on the branch, before the addition. Batch norm has "
           "PyTorch's epsilon and momentum, 1e-5 and 0.1.",
    page="senet", bare="se_wide_resnet16_8_cifar")


def unit(before: nn.Module, c_in: int, c: int, stride: int,
         branch: nn.Module) -> tuple[nn.Module, int]:
    if c_in == c and stride == 1:
        return IdentityUnit(before, branch), c
    return ShortcutUnit(before, branch, conv(c_in, c, 1, stride)), c


def wide(k: int, before: nn.Module, c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Figure 1(c): `width` is the thin network's."""
    c = k * width
    branch = seq(
        conv1=conv(c_in, c, 3, stride),
        activation2=activation(c), conv2=conv(c, c, 3))
    return unit(before, c_in, c, stride, branch)


def wide_dropout(k: int, before: nn.Module, c_in: int, width: int,
                 stride: int) -> tuple[nn.Module, int]:
    """Figure 1(d); 0.3 on CIFAR."""
    c = k * width
    branch = seq(
        conv1=conv(c_in, c, 3, stride),
        activation2=activation(c), dropout=nn.Dropout(0.3), conv2=conv(c, c, 3))
    return unit(before, c_in, c, stride, branch)


def se_wide(k: int, before: nn.Module, c_in: int, width: int,
            stride: int) -> tuple[nn.Module, int]:
    c = k * width
    branch = seq(
        conv1=conv(c_in, c, 3, stride),
        activation2=activation(c), conv2=conv(c, c, 3),
        se=SqueezeExcite(c))
    return unit(before, c_in, c, stride, branch)


TABLE = ((40, 1), (40, 2), (40, 4), (40, 8), (28, 10), (28, 12), (22, 8), (22, 10), (16, 8),
         (16, 10))


def network(form: Callable, depth: int, k: int) -> partial:
    """n = 6N + 4."""
    return partial(PreResNetCIFAR, partial(form, k), n=(depth - 4) // 6)


VARIANTS = {
    **{f"wide_resnet{depth}_{k}_cifar": network(wide, depth, k) for depth, k in TABLE},
    "wide_resnet28_10_cifar_dropout": network(wide_dropout, 28, 10),
    "se_wide_resnet16_8_cifar": network(se_wide, 16, 8),
}
PAPER = {name: SENET if name.startswith("se_") else BMVC for name in VARIANTS}
