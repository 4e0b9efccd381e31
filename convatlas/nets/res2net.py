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

from convatlas.layers import ConvBN, Network, Residual, averaged_projection, deep_stem, he_init, seq
from convatlas.paper import Claim, Paper

PAPER = Paper(
    title="Res2Net: A New Multi-scale Backbone Architecture", authors="Gao, Cheng, Zhao, Zhang, "
                                                                      "Yang, Torr", year=2021,
    venue="TPAMI", arxiv="1904.01169v3", code="github.com/Res2Net/Res2Net-PretrainedModels",
    silent="The first unit of a stage, where Eq. (1) cannot be taken literally because the map "
           "shrinks: as in the release, its subsets are not added to each other, the convolutions "
           "stride, and x1 goes through a 3x3 average pool of the same stride that counts the "
           "padding; conv2_x's first unit does so too, with stride 1. Which channels are x1: the "
           "last ones, as in the release. The stages, stem and shortcuts are ResNet-50's as "
           "PyTorch has it. v1b: three 3x3 convolutions of 32, 32 and 64 channels first, and an "
           "average pool before a strided shortcut, as in the release.",
    page="res2net", bare="res2net50_26w4s")


class Stage(NamedTuple):    # ResNet's Table 1, whose bottlenecks are replaced
    name: str
    width: int
    stride: int


STAGES = (Stage("conv2_x", 64, 1), Stage("conv3_x", 128, 2), Stage("conv4_x", 256, 2), Stage("conv5_x", 512, 2))


class Setting(NamedTuple):  # the paper's notation, 8c x 4w x 4s
    w: int
    s: int
    c: int = 1              # groups of a 3x3 convolution, Sec. 3.2.1

    def subset(self, width: int) -> int:
        """Channels of one subset where ResNet's bottleneck would have `width`."""
        return width * self.w // 64 * self.c


def k(channels: int, stride: int, groups: int) -> nn.Sequential:
    """K_i of Eq. (1)."""
    return seq(conv=nn.Conv2d(channels, channels, 3, stride, padding=1, groups=groups, bias=False),
               bn=nn.BatchNorm2d(channels), relu=nn.ReLU())


class Hierarchy(nn.Module):
    """y1 = x1, y2 = K2(x2), y_i = K_i(x_i + y_(i-1)), Eq. (1).  (N, s * channels, H, W), both in
    and out
    """

    def __init__(self, channels: int, s: int, groups: int):
        super().__init__()
        for i in range(2, s + 1):
            self.add_module(f"k{i}", k(channels, 1, groups))

    def forward(self, x):
        *rest, x1 = x.chunk(len(self._modules) + 1, dim=1)
        y = []
        for xi, ki in zip(rest, self.children(), strict=True):
            y.append(ki(xi + y[-1] if y else xi))
        return torch.cat([*y, x1], dim=1)


class Parallel(nn.Module):
    """A first unit's: y1 = pool(x1), y_i = K_i(x_i).  (N, C, H, W) -> (N, C, H/stride, W/stride), C
    = s * channels
    """

    def __init__(self, channels: int, s: int, groups: int, stride: int):
        super().__init__()
        for i in range(2, s + 1):
            self.add_module(f"k{i}", k(channels, stride, groups))
        self.pool = nn.AvgPool2d(3, stride, padding=1)

    def forward(self, x):
        x = x.chunk(len(self._modules), dim=1)
        return torch.cat([layer(xi) for xi, layer in zip(x, self.children(), strict=True)], dim=1)


def bottleneck(c_in: int, splits: nn.Module, inside: int, c_out: int) -> nn.Sequential:
    """Figure 2(b): 1x1, split and convolve, 1x1."""
    return seq(conv1=ConvBN(c_in, inside, 1), relu1=nn.ReLU(), splits=splits, conv3=ConvBN(inside, c_out, 1))


# (c_in, c_out, stride) -> shortcut of a stage's first unit
Projection = Callable[[int, int, int], nn.Module]


def stage_of(setting: Setting, projection: Projection, c_in: int, stage: Stage, depth: int) -> nn.Sequential:
    subset, c_out = setting.subset(stage.width), 4 * stage.width
    first = bottleneck(c_in, Parallel(subset, setting.s, setting.c, stage.stride), setting.s * subset, c_out)
    others = [bottleneck(c_out, Hierarchy(subset, setting.s, setting.c), setting.s * subset, c_out)
              for _ in range(depth - 1)]
    return nn.Sequential(Residual(first, projection(c_in, c_out, stage.stride)),
                         *(Residual(branch, nn.Identity()) for branch in others))


def strided(c_in: int, c_out: int, stride: int) -> nn.Module:
    return ConvBN(c_in, c_out, 1, stride)


Stem = Callable[[int], nn.Module]  # (in_channels) -> 64 channels, half the size


def stem_7x7(in_channels: int) -> nn.Module:
    return seq(conv=ConvBN(in_channels, 64, 7, stride=2), relu=nn.ReLU())


class Res2Net(Network):
    stages = ("conv1", *(s.name for s in STAGES))
    initialise = staticmethod(he_init)                  # as in the release

    def __init__(self, setting: Setting, depths: tuple[int, ...], stem: Stem = stem_7x7,
                 projection: Projection = strided, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = stem(in_channels)
        self.pool1 = nn.MaxPool2d(3, stride=2, padding=1)
        c = 64
        for stage, depth in zip(STAGES, depths, strict=True):
            self.add_module(stage.name, stage_of(setting, projection, c, stage, depth))
            c = 4 * stage.width
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)

    def forward(self, x):                               # (N, 3, 224, 224)
        x = self.pool1(self.conv1(x))                   # (N, 64, 56, 56)
        for stage in STAGES:
            x = self.get_submodule(stage.name)(x)       # (N, 4 * width, H, H): H = 56, 28, 14, 7
        return self.fc(x.mean((2, 3)))                  # (N, num_classes)


DEPTHS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
SETTINGS = {"48w2s": Setting(48, 2), "26w4s": Setting(26, 4), "14w8s": Setting(14, 8), "26w6s": Setting(26, 6),
            "26w8s": Setting(26, 8), "18w4s": Setting(18, 4)}
VARIANTS = {
    **{f"res2net50_{name}": partial(Res2Net, setting, DEPTHS[50]) for name, setting in SETTINGS.items()},
    "res2net101_26w4s": partial(Res2Net, SETTINGS["26w4s"], DEPTHS[101]),
    "res2next50": partial(Res2Net, Setting(4, 4, 8), DEPTHS[50]),
    **{f"res2net{n}_v1b_26w4s": partial(Res2Net, SETTINGS["26w4s"], depths, lambda in_channels: deep_stem(in_channels, 32), averaged_projection)
       for n, depths in DEPTHS.items()},
}


def costs(flops: str, params: str, macs: str) -> tuple[Claim, ...]:
    """Table 3 prints the FLOPs of some; the authors' README has two columns for all."""
    table_3 = (Claim("macs", flops, "Table 3, FLOPs"),) if flops else ()
    readme = (Claim("params", params, "The authors' README, #Params"),
              Claim("macs", macs, "The authors' README, GFLOPs"))
    return table_3 + (readme if params else ())


CLAIMS = {
    "res2net50_48w2s": costs("4.2G", "25.29M", "4.2G"), "res2net50_26w4s": costs("4.2G", "25.70M", "4.2G"),
    "res2net50_14w8s": costs("4.2G", "25.06M", "4.2G"), "res2net50_26w6s": costs("6.3G", "37.05M", "6.3G"),
    "res2net50_26w8s": costs("8.3G", "48.40M", "8.3G"), "res2net50_18w4s": costs("2.9G", "", ""),
    "res2net101_26w4s": costs("", "45.21M", "8.1G"), "res2next50": costs("", "24.67M", "4.2G"),
}
