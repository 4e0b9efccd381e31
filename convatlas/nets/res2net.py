"""Res2Net: A New Multi-scale Backbone Architecture (Gao, Cheng, Zhao, Zhang, Yang, Torr; TPAMI
2021).

Figure 2(b): the 3x3 of a bottleneck is taken apart; its input is split into s subsets of equal
width, and each one's convolution also reads what the one before gave out. Table 3, Res2Net-50 on
224x224:

    setting              FLOPs
    48w x 2s             4.2G    preserved complexity
    26w x 4s             4.2G
    14w x 8s             4.2G
    26w x 6s             6.3G    increased complexity
    26w x 8s             8.3G
    18w x 4s             2.9G    Res2Net-50-L

w: width of a subset in the first stage, doubled in each further one; s: scale. Res2NeXt-50 is 8c x
4w x 4s: 8 groups.
"""
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Network, Residual, averaged_projection, deep_stem, he_init, seq
from convatlas.paper import Paper

PAPER = Paper(
    title="Res2Net: A New Multi-scale Backbone Architecture",
    authors="Gao, Cheng, Zhao, Zhang, Yang, Torr", year=2021, venue="TPAMI", arxiv="1904.01169v3",
    code="github.com/Res2Net/Res2Net-PretrainedModels",
    silent="The first unit of a stage, where Eq. (1) cannot be taken literally because the map "
           "shrinks: as in the release, its subsets are not added to each other, the convolutions "
           "stride, and x1 goes through a 3x3 average pool of the same stride that counts the "
           "padding; conv2_x's first unit does so too, with stride 1. Which channels are x1: the "
           "last ones, as in the release. The stages, stem and shortcuts are ResNet-50's as "
           "PyTorch has it. v1b: three 3x3 convolutions of 32, 32 and 64 channels first, and an "
           "average pool before a strided shortcut, as in the release.",
    page="res2net", bare="res2net50_26w4s")


class Setting(NamedTuple):  # the paper's notation, 8c x 4w x 4s
    w: int
    s: int
    c: int = 1              # groups of a 3x3 convolution, Sec. 3.2.1

    def subset(self, width: int) -> int:
        """Channels of one subset where ResNet's bottleneck would have `width`."""
        return width * self.w // 64 * self.c


def conv3x3(channels: int, stride: int, groups: int) -> nn.Sequential:
    """K_i of Eq. (1)."""
    return seq(
        conv=nn.Conv2d(channels, channels, 3, stride, padding=1, groups=groups, bias=False),
        bn=nn.BatchNorm2d(channels),
        relu=nn.ReLU())


class Hierarchy(nn.Module):
    """Eq. (1): y1 = x1, y2 = K2(x2), y_i = K_i(x_i + y_(i-1)).

    (N, s * channels, H, W) -> the same shape
    """

    def __init__(self, channels: int, s: int, groups: int):
        super().__init__()
        self.s = s
        for i in range(2, s + 1):
            self.add_module(f"k{i}", conv3x3(channels, 1, groups))

    def forward(self, x: Tensor) -> Tensor:
        *xs, x1 = x.chunk(self.s, dim=1)
        y = self.k2(xs[0])
        ys = [y]
        for i, xi in enumerate(xs[1:], start=3):
            y = self.get_submodule(f"k{i}")(xi + y)
            ys.append(y)
        return torch.cat([*ys, x1], dim=1)


class Parallel(nn.Module):
    """For the first unit of a stage: y1 = pool(x1), y_i = K_i(x_i).

    (N, s * channels, H, W) -> (N, s * channels, H/stride, W/stride)
    """

    def __init__(self, channels: int, s: int, groups: int, stride: int):
        super().__init__()
        self.s = s
        for i in range(2, s + 1):
            self.add_module(f"k{i}", conv3x3(channels, stride, groups))
        self.pool = nn.AvgPool2d(3, stride, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        *xs, x1 = x.chunk(self.s, dim=1)
        ys = [self.get_submodule(f"k{i}")(xi) for i, xi in enumerate(xs, start=2)]
        return torch.cat([*ys, self.pool(x1)], dim=1)


def bottleneck(c_in: int, splits: nn.Module, inside: int, c_out: int) -> nn.Sequential:
    """Figure 2(b): 1x1, split and convolve, 1x1."""
    return seq(
        conv1=ConvBN(c_in, inside, 1), relu1=nn.ReLU(),
        splits=splits,
        conv3=ConvBN(inside, c_out, 1))


# (c_in, c_out, stride) -> shortcut of a stage's first unit
Projection = Callable[[int, int, int], nn.Module]


def strided_projection(c_in: int, c_out: int, stride: int) -> nn.Module:
    return ConvBN(c_in, c_out, 1, stride)


class Stage(nn.Sequential):
    """`depth` units, of which the first strides.

    (N, c_in, H, W) -> (N, 4 * width, H/stride, W/stride)
    """

    def __init__(self, setting: Setting, projection: Projection, depth: int, c_in: int, width: int,
                 stride: int):
        super().__init__()
        channels = setting.subset(width)
        inside = setting.s * channels
        c_out = 4 * width
        splits = Parallel(channels, setting.s, setting.c, stride)
        branch = bottleneck(c_in, splits, inside, c_out)
        self.append(Residual(branch, projection(c_in, c_out, stride)))
        for _ in range(depth - 1):
            splits = Hierarchy(channels, setting.s, setting.c)
            branch = bottleneck(c_out, splits, inside, c_out)
            self.append(Residual(branch, nn.Identity()))


def stem_7x7(in_channels: int) -> nn.Module:
    return seq(conv=ConvBN(in_channels, 64, 7, stride=2), relu=nn.ReLU())


Stem = Callable[[int], nn.Module]  # (in_channels) -> 64 channels, half the size


class Res2Net(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""

    stages = ("conv1", "conv2_x", "conv3_x", "conv4_x", "conv5_x")
    initialise = staticmethod(he_init)                  # as in the release

    def __init__(self, setting: Setting, depths: tuple[int, int, int, int], stem: Stem = stem_7x7,
                 projection: Projection = strided_projection, num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = stem(in_channels)
        self.pool1 = nn.MaxPool2d(3, stride=2, padding=1)
        self.conv2_x = Stage(setting, projection, depths[0], 64, width=64, stride=1)
        self.conv3_x = Stage(setting, projection, depths[1], 256, width=128, stride=2)
        self.conv4_x = Stage(setting, projection, depths[2], 512, width=256, stride=2)
        self.conv5_x = Stage(setting, projection, depths[3], 1024, width=512, stride=2)
        self.fc = nn.Linear(2048, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:             # (N, 3, 224, 224)
        x = self.conv1(x)                               # (N, 64, 112, 112)
        x = self.pool1(x)                               # (N, 64, 56, 56)
        x = self.conv2_x(x)                             # (N, 256, 56, 56)
        x = self.conv3_x(x)                             # (N, 512, 28, 28)
        x = self.conv4_x(x)                             # (N, 1024, 14, 14)
        x = self.conv5_x(x)                             # (N, 2048, 7, 7)
        return self.fc(x.mean((2, 3)))                  # (N, num_classes)


V1B = partial(Res2Net, Setting(26, 4), stem=partial(deep_stem, c=32),
              projection=averaged_projection)
VARIANTS = {
    "res2net50_48w2s": partial(Res2Net, Setting(48, 2), (3, 4, 6, 3)),
    "res2net50_26w4s": partial(Res2Net, Setting(26, 4), (3, 4, 6, 3)),
    "res2net50_14w8s": partial(Res2Net, Setting(14, 8), (3, 4, 6, 3)),
    "res2net50_26w6s": partial(Res2Net, Setting(26, 6), (3, 4, 6, 3)),
    "res2net50_26w8s": partial(Res2Net, Setting(26, 8), (3, 4, 6, 3)),
    "res2net50_18w4s": partial(Res2Net, Setting(18, 4), (3, 4, 6, 3)),
    "res2net101_26w4s": partial(Res2Net, Setting(26, 4), (3, 4, 23, 3)),
    "res2next50": partial(Res2Net, Setting(4, 4, 8), (3, 4, 6, 3)),
    "res2net50_v1b_26w4s": partial(V1B, (3, 4, 6, 3)),
    "res2net101_v1b_26w4s": partial(V1B, (3, 4, 23, 3)),
}
