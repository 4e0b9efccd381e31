"""ResNeSt: Split-Attention Networks (Zhang et al.; arXiv 2020, CVPR workshop 2022).

Figure 1, right: K cardinal groups of R splits each, a 3x3 convolution for every split, and within
each group a softmax over its splits for every channel. A unit is called by its setting: 2s1x64d has
2 splits, 1 group, 64 channels.

    network        units           crop    stem    dropout
    ResNeSt-50     3, 4, 6, 3      224     32
    ResNeSt-101    3, 4, 23, 3     256     64
    ResNeSt-200    3, 24, 36, 3    320     64      0.2
    ResNeSt-269    3, 30, 48, 8    416     64      0.2

all of 2s1x64d. The "fast" setting of the ablation study has the average pool before the 3x3
convolution, not after it.
"""
from collections.abc import Callable
from functools import partial
from math import prod
from typing import NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from convatlas.layers import ConvBN, Network, Residual, averaged_projection, deep_stem, he_init, seq
from convatlas.nets.resnet import Stage
from convatlas.paper import Paper

PAPER = Paper(
    title="ResNeSt: Split-Attention Networks",
    authors="Zhang, Wu, Zhang, Zhu, Lin, Zhang, Sun, He, Mueller, Manmatha, Li, Smola", year=2020,
    venue="arXiv", arxiv="2004.08955v1", code="github.com/zhanghang1989/ResNeSt",
    silent="From the authors' release: the hidden width of the attention (a quarter of all splits' "
           "channels, 32 or more), its biases and its batch norm; the 3x3 average pools, which "
           "count their padding; average pools on the shortcuts that round up; the widths of the "
           "stem; squares of 3x3 pixels dropped at a rate of 0.1, after each batch norm of a unit "
           "in the last two stages; dropout for 200 layers, where the paper says more than 200. "
           "Eq. (3) prints 1 / (1 + exp(g)) for a single split; here, as in the release, it is the "
           "sigmoid of g. ResNeSt-14 and -26 are in no paper but in GluonCV, whose 14 has no "
           "DropBlock.",
    page="resnest", bare="resnest50")


class Setting(NamedTuple):      # the paper's "2s2x40d"
    radix: int                  # s: R, splits in a group
    cardinality: int            # x: K, groups
    width: int                  # d: channels of a group in the first stage


class DropBlock(nn.Module):
    """Ghiasi et al. 2018 (arXiv:1810.12890): in training, squares of a map are set to zero and the
    rest scaled up.  (N, c, H, W) -> the same
    """

    def __init__(self, rate: float = 0.1, size: int = 3):
        super().__init__()
        self.rate = rate
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        n, c, h, w = x.shape
        size = self.size if min(h, w) >= self.size else 1   # smaller maps lose single pixels
        inside = (h - size + 1, w - size + 1)               # where a square fits
        gamma = self.rate / size ** 2 * h * w / prod(inside)                # its Eq. (1)
        centres = (torch.rand(n, c, *inside, device=x.device) < gamma).to(x.dtype)
        border = size // 2
        centres = F.pad(centres, (border, border, border, border))
        kept = 1 - F.max_pool2d(centres, size, stride=1, padding=border)
        return x * kept * (kept.numel() / kept.sum().clamp(min=1))


class SplitAttention(nn.Module):
    """Sec. 3, in the supplement's radix-major layout.  (N, c, H, W) -> (N, c, H, W)"""

    def __init__(self, c: int, setting: Setting, drop: nn.Module):
        super().__init__()
        self.radix = setting.radix
        self.cardinality = setting.cardinality
        hidden = max(c * self.radix // 4, 32)
        self.conv = ConvBN(c, self.radix * c, 3, groups=self.radix * self.cardinality)
        self.drop = drop
        self.fc1 = nn.Conv2d(c, hidden, 1, groups=self.cardinality)
        self.bn1 = nn.BatchNorm2d(hidden)
        self.fc2 = nn.Conv2d(hidden, self.radix * c, 1, groups=self.cardinality)

    def forward(self, x: Tensor) -> Tensor:
        u = F.relu(self.drop(self.conv(x)))                             # (N, R * c, H, W)
        u = u.unflatten(1, (self.radix, -1))                            # (N, R, c, H, W)
        s = u.sum(1).mean((2, 3), keepdim=True)                         # (N, c, 1, 1), Eq. (1)
        g = self.fc2(F.relu(self.bn1(self.fc1(s))))                     # (N, K * R * c/K, 1, 1)
        g = g.view(x.shape[0], self.cardinality, self.radix, -1)        # (N, K, R, c/K)
        g = g.transpose(1, 2)                                           # (N, R, K, c/K)
        a = g.softmax(1) if self.radix > 1 else g.sigmoid()             # Eq. (3)
        a = a.flatten(2)[..., None, None]                               # (N, R, c, 1, 1)
        return (a * u).sum(1)                                           # (N, c, H, W), Eq. (2)


def shortcut(c_in: int, c_out: int, stride: int) -> nn.Module:
    """Sec. 4.1, from ResNet-D: a 2x2 average pool before the 1x1 where the unit strides."""
    if c_in == c_out and stride == 1:
        return nn.Identity()
    return averaged_projection(c_in, c_out, stride)


Drop = Callable[[], nn.Module]      # makes what follows each batch norm: nn.Identity or DropBlock


def resnest_unit(setting: Setting, drop: Drop, c_in: int, width: int,
                 stride: int) -> tuple[nn.Module, int]:
    """Sec. 4.1: a 3x3 average pool strides, not the convolution before it."""
    c = width * setting.width // 64 * setting.cardinality
    branch = seq(
        conv1=ConvBN(c_in, c, 1), drop1=drop(), relu1=nn.ReLU(),
        splat=SplitAttention(c, setting, drop()))
    if stride == 2:
        branch.add_module("pool", nn.AvgPool2d(3, stride=2, padding=1))
    branch.add_module("conv3", ConvBN(c, 4 * width, 1))
    branch.add_module("drop3", drop())
    return Residual(branch, shortcut(c_in, 4 * width, stride)), 4 * width


def fast_unit(setting: Setting, drop: Drop, c_in: int, width: int,
              stride: int) -> tuple[nn.Module, int]:
    """Sec. 5.2, the "fast" setting: the pool comes first, so the convolution sees the smaller map.
    """
    c = width * setting.width // 64 * setting.cardinality
    branch = seq(conv1=ConvBN(c_in, c, 1), drop1=drop(), relu1=nn.ReLU())
    if stride == 2:
        branch.add_module("pool", nn.AvgPool2d(3, stride=2, padding=1))
    branch.add_module("splat", SplitAttention(c, setting, drop()))
    branch.add_module("conv3", ConvBN(c, 4 * width, 1))
    branch.add_module("drop3", drop())
    return Residual(branch, shortcut(c_in, 4 * width, stride)), 4 * width


# (drop, c_in, width, stride) -> (unit, c_out)
Unit = Callable[[Drop, int, int, int], tuple[nn.Module, int]]


class ResNeSt(Network):
    """(N, 3, crop, crop) -> (N, num_classes)"""

    stages = ("conv1", "conv2_x", "conv3_x", "conv4_x", "conv5_x")
    initialise = staticmethod(he_init)

    def __init__(self, unit: Unit, depths: tuple[int, int, int, int], crop: int, stem: int,
                 dropout: float = 0.0, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.side = crop
        whole = partial(unit, nn.Identity)
        dropped = partial(unit, DropBlock)              # Sec. 4.2: in the last two stages
        self.conv1 = deep_stem(in_channels, stem)
        self.pool1 = nn.MaxPool2d(3, stride=2, padding=1)
        self.conv2_x = Stage(whole, depths[0], 2 * stem, width=64, stride=1)
        self.conv3_x = Stage(whole, depths[1], 256, width=128, stride=2)
        self.conv4_x = Stage(dropped, depths[2], 512, width=256, stride=2)
        self.conv5_x = Stage(dropped, depths[3], 1024, width=512, stride=2)
        self.dropout = nn.Dropout(dropout)              # Sec. 4.2: for very deep networks only
        self.fc = nn.Linear(2048, num_classes)
        self.apply(self.initialise)
        for module in self.modules():   # Sec. 4.2: gamma of a unit's final batch norm starts at 0
            if isinstance(module, Residual):
                nn.init.zeros_(module.branch.conv3.bn.weight)

    def forward(self, x: Tensor) -> Tensor:             # (N, 3, 224, 224), or a larger crop
        x = self.conv1(x)                               # (N, 2 * stem, 112, 112)
        x = self.pool1(x)                               # (N, 2 * stem, 56, 56)
        x = self.conv2_x(x)                             # (N, 256, 56, 56)
        x = self.conv3_x(x)                             # (N, 512, 28, 28)
        x = self.conv4_x(x)                             # (N, 1024, 14, 14)
        x = self.conv5_x(x)                             # (N, 2048, 7, 7)
        x = self.dropout(x.mean((2, 3)))                # (N, 2048)
        return self.fc(x)                               # (N, num_classes)


UNIT = partial(resnest_unit, Setting(2, 1, 64))


def fast(radix: int, cardinality: int, width: int) -> Callable[..., Network]:
    """ResNeSt-50-fast, the network of the ablation study."""
    unit = partial(fast_unit, Setting(radix, cardinality, width))
    return partial(ResNeSt, unit, (3, 4, 6, 3), crop=224, stem=32)


VARIANTS = {
    "resnest14": partial(ResNeSt, UNIT, (1, 1, 1, 1), crop=224, stem=32),
    "resnest26": partial(ResNeSt, UNIT, (2, 2, 2, 2), crop=224, stem=32),
    "resnest50": partial(ResNeSt, UNIT, (3, 4, 6, 3), crop=224, stem=32),
    "resnest101": partial(ResNeSt, UNIT, (3, 4, 23, 3), crop=256, stem=64),
    "resnest200": partial(ResNeSt, UNIT, (3, 24, 36, 3), crop=320, stem=64, dropout=0.2),
    "resnest269": partial(ResNeSt, UNIT, (3, 30, 48, 8), crop=416, stem=64, dropout=0.2),
    "resnest50_fast_1s1x64d": fast(1, 1, 64),
    "resnest50_fast_2s1x64d": fast(2, 1, 64),
    "resnest50_fast_4s1x64d": fast(4, 1, 64),
    "resnest50_fast_1s2x40d": fast(1, 2, 40),
    "resnest50_fast_2s2x40d": fast(2, 2, 40),
    "resnest50_fast_4s2x40d": fast(4, 2, 40),
    "resnest50_fast_1s4x24d": fast(1, 4, 24),
    "resnest101_fast": partial(ResNeSt, partial(fast_unit, Setting(2, 1, 64)), (3, 4, 23, 3),
                               crop=224, stem=32),
}
