"""Deep Pyramidal Residual Networks (Han, Kim, Kim; CVPR 2017).

Eq. (2): of N units the k-th has 16 + alpha k/N channels, rounded down; for ImageNet 64 + alpha k/N.

    32x32      output    basic, 110 layers             bottleneck
    conv1      32x32     [3x3, 16]
    conv2      32x32     [3x3][3x3] x N/3              [1x1][3x3][1x1, 4 times as many] x N/3
    conv3      16x16     [3x3][3x3] x N/3              [1x1][3x3][1x1] x N/3
    conv4      8x8       [3x3][3x3] x N/3              [1x1][3x3][1x1] x N/3
    avg pool   1x1       [8x8], 16 + alpha channels    4 (16 + alpha)

    layers     110                        164      200      236      272
    alpha      48       84       270      270      240      220      200
    params     1.7M     3.8M     28.3M    27.0M    26.6M    26.8M    26.0M
    channels   64       100      286      1144     1024     944      864

    224x224    output    200 layers, N = 66
    conv1      112x112   7x7, 64, stride 2; then BN, ReLU
    conv2      56x56     3x3 max pool, stride 2, then [1x1][3x3][1x1] x3
    conv3      28x28     [1x1][3x3][1x1] x24
    conv4      14x14     [1x1][3x3][1x1] x36
    conv5      7x7       [1x1][3x3][1x1] x3
                         alpha 300: 62.1M params, 1456 channels
                         alpha 450: 116.4M, 2056, and dropout of 0.5

A unit is BN, convolution, BN, ReLU, convolution, BN, and no ReLU at its ends; its shortcut has
zeros for the new channels.
"""
from collections.abc import Callable, Sequence
from functools import partial

import torch.nn as nn
from torch import Tensor

from convatlas.layers import Network, Sum, ZeroPadding, he_init, padded_pool, seq
from convatlas.nets.preresnet import conv
from convatlas.paper import Paper

PAPER = Paper(
    title="Deep Pyramidal Residual Networks",
    authors="Han, Kim, Kim", year=2017, venue="CVPR", arxiv="1610.02915v4",
    code="github.com/jhkim89/PyramidNet",
    silent="Eq. (2) adds alpha/N to the channels before, and rounds down: here only what is added "
           "up is rounded, for alpha 48 would else add nothing, ever, and the README prints 64 "
           "last channels. The authors' files, in Lua, PyTorch and Caffe, round to the nearest "
           "number. Seven of the nine counts that their README prints are those of rounding down, "
           "cut off; five are also those of rounding to the nearest without batch norm's "
           "parameters. After conv1 a norm, for 32x32 pixels without ReLU, norm and ReLU before "
           "the average; shortcuts that stride take the mean of 2x2 pixels: the authors' code, "
           "which in Lua and PyTorch reads even maps alone; here the last pixels of odd ones have "
           "a mean of their own, as in their Caffe files. Units in each group for ImageNet are "
           "the pre-activation ResNet-200's, as there, and dropout, for alpha 450 alone, stands "
           "before the fully connected layer. Initial weights: that code's in Lua, He's by "
           "fan-out and biases of 0; the fully connected layer's weights are PyTorch's. Batch "
           "norm has PyTorch's epsilon and momentum, 1e-5 and 0.1.",
    page="pyramidnet", bare="pyramidnet200_a300")


def channels(first: int, alpha: int, n: int) -> list[int]:
    """Eq. (2) for the n units after conv1, which has `first`, in whole numbers: a sum of fractions
    may fall short of the last.
    """
    return [first + alpha * k // n for k in range(1, n + 1)]


def shortcut(c_in: int, c_out: int, stride: int) -> nn.Module:
    """(N, c_in, H, W) -> (N, c_out, H/stride, W/stride), rounded up"""
    zeros = ZeroPadding(c_in, c_out, stride=1)
    return zeros if stride == 1 else seq(pool=nn.AvgPool2d(2, ceil_mode=True), zeros=zeros)


def basic(c_in: int, c: int, stride: int) -> tuple[nn.Module, int]:
    """Two 3x3 layers."""
    branch = seq(
        bn1=nn.BatchNorm2d(c_in), conv1=conv(c_in, c, 3, stride),
        bn2=nn.BatchNorm2d(c), relu2=nn.ReLU(), conv2=conv(c, c, 3),
        bn3=nn.BatchNorm2d(c))
    return Sum(branch, shortcut(c_in, c, stride)), c


def bottleneck(c_in: int, c: int, stride: int) -> tuple[nn.Module, int]:
    """A 1x1, a 3x3 and a 1x1 layer, the last four times as wide."""
    branch = seq(
        bn1=nn.BatchNorm2d(c_in), conv1=conv(c_in, c, 1),
        bn2=nn.BatchNorm2d(c), relu2=nn.ReLU(), conv2=conv(c, c, 3, stride),
        bn3=nn.BatchNorm2d(c), relu3=nn.ReLU(), conv3=conv(c, 4 * c, 1),
        bn4=nn.BatchNorm2d(4 * c))
    return Sum(branch, shortcut(c_in, 4 * c, stride)), 4 * c


Unit = Callable[[int, int, int], tuple[nn.Module, int]]     # (c_in, c, stride) -> (unit, c_out)


class Group(nn.Sequential):
    """A unit for each of `widths`, of which the first strides.

    (N, c_in, H, W) -> (N, c_out, H/stride, W/stride)
    """

    def __init__(self, unit: Unit, c_in: int, widths: Sequence[int], stride: int):
        super().__init__()
        for c in widths:
            layers, c_in = unit(c_in, c, stride)
            self.append(layers)
            stride = 1
        self.c_out = c_in


def lua_init(layer: nn.Module) -> None:
    """The authors' code in Lua."""
    he_init(layer)
    if isinstance(layer, nn.Linear):
        nn.init.zeros_(layer.bias)


class PyramidNetCIFAR(Network):
    """(N, 3, 32, 32) -> (N, num_classes)"""

    side = 32
    stages = ("conv1", "conv2", "conv3", "conv4")
    cam_path = "activation"
    initialise = staticmethod(lua_init)

    def __init__(self, unit: Unit, n: int, alpha: int, num_classes: int = 10,
                 in_channels: int = 3):
        super().__init__(in_channels)
        widths = channels(16, alpha, 3 * n)
        self.conv1 = seq(conv=conv(in_channels, 16, 3), bn=nn.BatchNorm2d(16))
        self.conv2 = Group(unit, 16, widths[:n], stride=1)
        self.conv3 = Group(unit, self.conv2.c_out, widths[n:2 * n], stride=2)
        self.conv4 = Group(unit, self.conv3.c_out, widths[2 * n:], stride=2)
        self.activation = seq(bn=nn.BatchNorm2d(self.conv4.c_out), relu=nn.ReLU())
        self.fc = nn.Linear(self.conv4.c_out, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:           # (N, 3, 32, 32)
        x = self.conv1(x)                             # (N, 16, 32, 32)
        x = self.conv2(x)                             # (N, 16 + alpha/3 or 4 times that, 32, 32)
        x = self.conv3(x)                             # (N, 16 + 2 alpha/3, 16, 16)
        x = self.conv4(x)                             # (N, 16 + alpha, 8, 8)
        x = self.activation(x)                        # (N, 16 + alpha, 8, 8)
        return self.fc(x.mean((2, 3)))                # (N, num_classes)


class PyramidNet(Network):
    """(N, 3, 224, 224) -> (N, num_classes); `before_fc` makes what the averages go through."""

    stages = ("conv1", "conv2", "conv3", "conv4", "conv5")
    cam_path = "activation"
    initialise = staticmethod(lua_init)

    def __init__(self, depths: tuple[int, int, int, int], alpha: int,
                 before_fc: Callable[[], nn.Module] = nn.Identity, num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = seq(conv=conv(in_channels, 64, 7, stride=2), bn=nn.BatchNorm2d(64),
                         relu=nn.ReLU())
        self.pool1 = padded_pool()
        widths = channels(64, alpha, sum(depths))
        c = 64
        for i, depth in enumerate(depths, start=2):
            group = Group(bottleneck, c, widths[:depth], stride=1 if i == 2 else 2)
            self.add_module(f"conv{i}", group)
            widths = widths[depth:]
            c = group.c_out
        self.activation = seq(bn=nn.BatchNorm2d(c), relu=nn.ReLU())
        self.before_fc = before_fc()
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:           # (N, 3, 224, 224)
        x = self.pool1(self.conv1(x))                 # (N, 64, 112, 112), (N, 64, 56, 56)
        x = self.conv2(x)                             # (N, 308 for alpha = 300, 56, 56)
        x = self.conv3(x)                             # (N, 744, 28, 28)
        x = self.conv4(x)                             # (N, 1400, 14, 14)
        x = self.conv5(x)                             # (N, 1456, 7, 7)
        x = self.activation(x)                        # (N, 1456, 7, 7)
        return self.fc(self.before_fc(x.mean((2, 3))))    # (N, num_classes)


# layers, alpha: 6n + 2 layers in basic units, 9n + 2 in bottlenecks
BASIC = ((110, 48), (110, 84), (110, 270))
BOTTLENECKS = ((164, 270), (200, 240), (236, 220), (272, 200))
DEPTHS = (3, 24, 36, 3)

VARIANTS = {
    **{f"pyramidnet{layers}_a{alpha}_cifar":
       partial(PyramidNetCIFAR, basic, (layers - 2) // 6, alpha) for layers, alpha in BASIC},
    **{f"pyramidnet{layers}_a{alpha}_cifar":
       partial(PyramidNetCIFAR, bottleneck, (layers - 2) // 9, alpha)
       for layers, alpha in BOTTLENECKS},
    "pyramidnet200_a300": partial(PyramidNet, DEPTHS, 300),
    "pyramidnet200_a450": partial(PyramidNet, DEPTHS, 450, partial(nn.Dropout, 0.5)),
}
