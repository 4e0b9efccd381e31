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
from functools import partial
from math import prod
from typing import NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F

from convatlas.layers import ConvBN, Network, he_init, seq
from convatlas.nets.resnet import DEPTHS, STAGES, Residual, Unit, stage_of
from convatlas.paper import Claim, Paper, sizes

PAPER = Paper(
    title="ResNeSt: Split-Attention Networks",
    authors="Zhang, Wu, Zhang, Zhu, Lin, Zhang, Sun, He, Mueller, Manmatha, Li, "
            "Smola", year=2020, venue="arXiv",
    arxiv="2004.08955v1", code="github.com/zhanghang1989/ResNeSt",
    silent="From the authors' release: the hidden width of the attention (a quarter of all splits' "
           "channels, 32 or more), its biases and its batch norm; the 3x3 average pools, which "
           "count their padding; average pools on the shortcuts that round up; the widths of the "
           "stem; blocks of 3x3 pixels dropped at a rate of 0.1, after each batch norm of a unit "
           "in the last two stages; dropout for 200 layers, where the paper says more than 200. "
           "Eq. (3) prints 1 / (1 + exp(g)) for a single split; here, as in the release, it is the "
           "sigmoid of g. ResNeSt-14 and -26 are GluonCV's, and no paper prints them; there, 14 "
           "drops no squares.",
    page="resnest", bare="resnest50")


class Setting(NamedTuple):      # the paper's "2s2x40d"
    radix: int                  # s: R, splits in a group
    cardinality: int            # x: K, groups
    width: int                  # d: channels of a group in the first stage


class Plan(NamedTuple):         # the columns above
    units: tuple[int, ...]
    crop: int
    stem: int
    dropout: float = 0.0        # Sec. 4.2: for very deep networks only


class DropBlock(nn.Module):
    """Ghiasi et al. 2018 (arXiv:1810.12890): in training, squares of a map are set to zero and the
    rest scaled up.
    """

    def __init__(self, rate: float = 0.1, size: int = 3):
        super().__init__()
        self.rate, self.size = rate, size

    def forward(self, x):                                               # (N, C, H, W)
        if not self.training:
            return x
        n, c, h, w = x.shape
        size = self.size if min(h, w) >= self.size else 1  # smaller maps lose single pixels
        inside = (h - size + 1, w - size + 1)                           # where a square fits
        gamma = self.rate / size ** 2 * h * w / prod(inside)            # its Eq. (1)
        centres = (torch.rand(n, c, *inside, device=x.device) < gamma).to(x.dtype)
        border = size // 2
        kept = 1 - F.max_pool2d(F.pad(centres, (border,) * 4), size, stride=1, padding=border)
        return x * kept * (kept.numel() / kept.sum().clamp(min=1))


class SplitAttention(nn.Module):
    """Sec. 3, in the supplement's radix-major layout.  (N, c, H, W) -> (N, c, H, W)"""

    def __init__(self, c: int, setting: Setting, drop: nn.Module):
        super().__init__()
        self.radix, self.cardinality = setting.radix, setting.cardinality
        hidden = max(c * self.radix // 4, 32)
        self.conv = ConvBN(c, self.radix * c, 3, groups=self.radix * self.cardinality)
        self.drop = drop
        self.fc1 = nn.Conv2d(c, hidden, 1, groups=self.cardinality)
        self.bn1 = nn.BatchNorm2d(hidden)
        self.fc2 = nn.Conv2d(hidden, self.radix * c, 1, groups=self.cardinality)

    def forward(self, x):
        u = F.relu(self.drop(self.conv(x))).unflatten(1, (self.radix, -1))  # (N, R, c, H, W)
        s = u.sum(1).mean((2, 3), keepdim=True)  # (N, c, 1, 1), Eq. (1)
        g = self.fc2(F.relu(self.bn1(self.fc1(s))))  # (N, K * R * c/K, 1, 1)
        g = g.view(x.shape[0], self.cardinality, self.radix, -1).transpose(1, 2)  # (N, R, K, c/K)
        a = g.softmax(1) if self.radix > 1 else g.sigmoid()                             # Eq. (3)
        return (a.flatten(2)[..., None, None] * u).sum(1)  # (N, c, H, W), Eq. (2)


def shortcut(c_in: int, c_out: int, stride: int) -> nn.Module:
    """Sec. 4.1, from ResNet-D: a 2x2 average pool before the 1x1 where the unit strides."""
    if (c_in, stride) == (c_out, 1):
        return nn.Identity()
    return seq(pool=nn.AvgPool2d(stride, stride, ceil_mode=True, count_include_pad=False),
               projection=ConvBN(c_in, c_out, 1))


def dropped(width: int) -> nn.Module:
    """Sec. 4.2: in the last two stages."""
    return DropBlock() if width >= STAGES[-2].width else nn.Identity()


def unit_of(setting: Setting, c_in: int, width: int, stride: int, before, after) -> tuple[nn.Module, int]:
    """`before` and `after`: what stands around the 3x3 convolution, by name."""
    c, c_out = width * setting.width // 64 * setting.cardinality, 4 * width
    branch = seq(conv1=ConvBN(c_in, c, 1), drop1=dropped(width), relu1=nn.ReLU(), **before,
                 splat=SplitAttention(c, setting, dropped(width)), **after,
                 conv3=ConvBN(c, c_out, 1), drop3=dropped(width))
    return Residual(branch, shortcut(c_in, c_out, stride)), c_out


def average(stride: int) -> dict[str, nn.Module]:
    """Sec. 4.1: a 3x3 average pool strides, not the convolution."""
    return {"pool": nn.AvgPool2d(3, stride, padding=1)} if stride > 1 else {}


def resnest_unit(setting: Setting, c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    return unit_of(setting, c_in, width, stride, before={}, after=average(stride))


def fast_unit(setting: Setting, c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Sec. 5.2, the "fast" setting: the convolution sees the smaller map."""
    return unit_of(setting, c_in, width, stride, before=average(stride), after={})


class ResNeSt(Network):
    stages = ("conv1", *(s.name for s in STAGES))
    initialise = staticmethod(he_init)

    def __init__(self, unit: Unit, plan: Plan, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.side, c = plan.crop, plan.stem
        self.conv1 = seq(conv1=ConvBN(in_channels, c, 3, stride=2), relu1=nn.ReLU(), conv2=ConvBN(c, c, 3),
                         relu2=nn.ReLU(), conv3=ConvBN(c, 2 * c, 3), relu3=nn.ReLU())
        self.pool1 = nn.MaxPool2d(3, stride=2, padding=1)
        c = 2 * c
        for stage, depth in zip(STAGES, plan.units, strict=True):
            units, c = stage_of(unit, c, stage.width, stage.stride, depth)
            self.add_module(stage.name, units)
        self.dropout = nn.Dropout(plan.dropout)
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)
        for module in self.modules():  # Sec. 4.2: gamma of a unit's final batch norm starts at zero
            if isinstance(module, Residual):
                nn.init.zeros_(module.branch.conv3.bn.weight)

    def forward(self, x):                               # (N, 3, crop, crop)
        x = self.pool1(self.conv1(x))                   # (N, 2 * stem, crop/4, crop/4)
        for stage in STAGES:
            x = self.get_submodule(stage.name)(x)  # (N, 4 * width, H, H): H = crop/4, /8, /16, /32
        return self.fc(self.dropout(x.mean((2, 3))))    # (N, num_classes)


SETTING = Setting(radix=2, cardinality=1, width=64)
PLANS = {
    14: Plan((1, 1, 1, 1), crop=224, stem=32), 26: Plan((2, 2, 2, 2), crop=224, stem=32),
    50: Plan(DEPTHS[50], crop=224, stem=32), 101: Plan(DEPTHS[101], crop=256, stem=64),
    200: Plan((3, 24, 36, 3), crop=320, stem=64, dropout=0.2),
    269: Plan((3, 30, 48, 8), crop=416, stem=64, dropout=0.2),
}
FAST = {"1s1x64d": Setting(1, 1, 64), "2s1x64d": SETTING, "4s1x64d": Setting(4, 1, 64), "1s2x40d": Setting(1, 2, 40),
        "2s2x40d": Setting(2, 2, 40), "4s2x40d": Setting(4, 2, 40), "1s4x24d": Setting(1, 4, 24)}
VARIANTS = {
    **{f"resnest{n}": partial(ResNeSt, partial(resnest_unit, SETTING), plan) for n, plan in PLANS.items()},
    **{f"resnest50_fast_{name}": partial(ResNeSt, partial(fast_unit, setting), PLANS[50])
       for name, setting in FAST.items()},
    "resnest101_fast": partial(ResNeSt, partial(fast_unit, SETTING), Plan(DEPTHS[101], crop=224, stem=32)),
}


def ablation(params: str, gflops: str, convolutions: str = "", with_bn: str = "") -> tuple[Claim, ...]:
    """A row of the table of released ablation models; the last two figures are beside the printed
    GFLOPs.
    """
    more = (f"Convolutions and full layers take {convolutions}. With one operation for each value "
            f"that a batch norm gives out it would be {with_bn}; five of the column's seven rows "
            "are just that, 4s2x40d and 1s4x24d are not, and what else the column counts there is "
            "unknown.")
    return (Claim("params", params, "The authors' ablation.md, #P"),
            Claim("macs", gflops, "The authors' ablation.md, GFLOPs", erratum=more if convolutions else ""))


CLAIMS = {
    "resnest50_fast_1s1x64d": ablation("26.3M", "4.34G", "4.3295G", "4.341G"),
    "resnest50_fast_2s1x64d": ablation("27.5M", "4.34G"),
    "resnest50_fast_4s1x64d": ablation("31.9M", "4.35G", "4.335G", "4.351G"),
    "resnest50_fast_1s2x40d": ablation("25.9M", "4.38G", "4.365G", "4.377G"),
    "resnest50_fast_2s2x40d": ablation("26.9M", "4.38G", "4.366G", "4.380G"),
    "resnest50_fast_4s2x40d": ablation("30.4M", "4.41G", "4.369G", "4.387G"),
    "resnest50_fast_1s4x24d": ablation("25.7M", "4.42G", "4.400G", "4.413G"),
    **{f"resnest{n}": sizes("The authors' README, crop size", {"input": f"{PLANS[n].crop}x{PLANS[n].crop}"})
       for n in (50, 101, 200, 269)},
}
