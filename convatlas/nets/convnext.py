"""A ConvNet for the 2020s (Liu, Mao, Wu, Feichtenhofer, Darrell, Xie; CVPR 2022): ConvNeXt.

Table 9, d for depthwise; layer norm, GELU and layer scale of a block are Figure 4's.

            output    ConvNeXt-T
    stem    56x56     4x4, 96, stride 4
    res2    56x56     [d7x7, 96][1x1, 384][1x1, 96] x3
    res3    28x28     [d7x7, 192][1x1, 768][1x1, 192] x3
    res4    14x14     [d7x7, 384][1x1, 1536][1x1, 384] x9
    res5    7x7       [d7x7, 768][1x1, 3072][1x1, 768] x3

Between stages a 2x2 convolution strides by 2 (Sec. 2.6). TABLE has C and B of Sec. 3. Isotropic
networks (Sec. 3.3) keep the maps of 14x14 that a ViT's 16x16 patches make; ISOTROPIC has their
features and depths.
"""
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch.nn as nn
from torch import Tensor

from convatlas.layers import ChannelNorm, LayerScale, Network, StochasticDepth, Sum, seq
from convatlas.paper import Paper

PAPER = Paper(
    title="A ConvNet for the 2020s",
    authors="Liu, Mao, Wu, Feichtenhofer, Darrell, Xie",
    year=2022, venue="CVPR", arxiv="2201.03545v2",
    code="github.com/facebookresearch/ConvNeXt",
    silent="From the authors' code: every convolution has a bias, at first 0; layer norm's epsilon "
           "is 1e-6; the 7x7 convolutions are padded by 3, the others not at all, so that rows and "
           "columns beyond a multiple of 4 are not read. Stochastic depth grows from 0 in the "
           "first block by equal steps to the printed rate in the last. XL was not trained on "
           "ImageNet-1K alone: its rate is Table 5's 0.2 for ImageNet-22K. The stem of isotropic "
           "networks is one 16x16 convolution without a norm.",
    departs="Table 5 prints \"trunc. normal (0.2)\" for the initial weights; the authors' code "
            "draws them with a deviation of 0.02, which is done here.",
    page="convnext", bare="convnext_tiny")

EPSILON = 1e-6
SCALE = 1e-6        # Sec. 3.1: layer scale's initial value


class Row(NamedTuple):
    C: tuple[int, int, int, int]    # channels of each stage
    B: tuple[int, int, int, int]    # blocks of each stage
    drop: float                     # Table 5: stochastic depth


TABLE = {
    "tiny": Row((96, 192, 384, 768), (3, 3, 9, 3), 0.1),
    "small": Row((96, 192, 384, 768), (3, 3, 27, 3), 0.4),
    "base": Row((128, 256, 512, 1024), (3, 3, 27, 3), 0.5),
    "large": Row((192, 384, 768, 1536), (3, 3, 27, 3), 0.5),
    "xlarge": Row((256, 512, 1024, 2048), (3, 3, 27, 3), 0.2),
}


def norm(c: int) -> ChannelNorm:
    return ChannelNorm(c, eps=EPSILON)


def unscaled_block(c: int, drop: float, **scale: nn.Module) -> Sum:
    """Figure 4, right; `drop` the probability to be left out.  (N, c, H, W) -> the same shape"""
    branch = seq(
        depthwise=nn.Conv2d(c, c, 7, padding=3, groups=c),
        norm=norm(c),
        expand=nn.Conv2d(c, 4 * c, 1), gelu=nn.GELU(),
        project=nn.Conv2d(4 * c, c, 1),
        **scale,
        drop=StochasticDepth(drop))
    return Sum(branch, nn.Identity())


def block(c: int, drop: float) -> Sum:
    """(N, c, H, W) -> the same shape"""
    return unscaled_block(c, drop, scale=LayerScale(c, SCALE))


def rates(drop: float, blocks: int) -> list[float]:
    return [drop * i / (blocks - 1) for i in range(blocks)]


class Averaging(Network):
    """Both forms: first weights, and a head that averages, norms and classifies."""

    def initialise(self, layer: nn.Module) -> None:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.trunc_normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:             # (N, 3, 224, 224)
        for name in self.stages:
            x = self.get_submodule(name)(x)             # (N, C, the stage's output)
        return self.fc(self.norm(x.mean((2, 3))))       # (N, C), (N, num_classes)


class ConvNeXt(Averaging):
    """(N, 3, 224, 224) -> (N, num_classes)"""

    smallest = 32
    stages = ("stem", "res2", "res3", "res4", "res5")

    def __init__(self, row: Row, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        drops = iter(rates(row.drop, sum(row.B)))
        c = row.C[0]
        self.stem = seq(conv=nn.Conv2d(in_channels, c, 4, stride=4), norm=norm(c))
        for stage, (c_out, depth) in enumerate(zip(row.C, row.B, strict=True), start=2):
            layers = nn.Sequential()
            if stage > 2:
                layers.add_module("downsample", seq(norm=norm(c), conv=nn.Conv2d(c, c_out, 2, 2)))
            for i in range(1, depth + 1):
                layers.add_module(f"block{i}", block(c_out, next(drops)))
            self.add_module(f"res{stage}", layers)
            c = c_out
        self.norm = nn.LayerNorm(c, eps=EPSILON)
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)


class IsotropicConvNeXt(Averaging):
    """(N, 3, 224, 224) -> (N, num_classes)"""

    smallest = 16
    stages = ("stem", "blocks")

    def __init__(self, unit: Callable[[int, float], nn.Module], c: int, depth: int, drop: float,
                 num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.stem = nn.Conv2d(in_channels, c, 16, stride=16)        # (N, c, 14, 14)
        self.blocks = nn.Sequential(*(unit(c, p) for p in rates(drop, depth)))
        self.norm = nn.LayerNorm(c, eps=EPSILON)
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)


ISOTROPIC = {       # App. A.1: layer scale is disabled for S and B; stochastic depth 0.1/0.2/0.5
    "small": (unscaled_block, 384, 18, 0.1),
    "base": (unscaled_block, 768, 18, 0.2),
    "large": (block, 1024, 36, 0.5),
}
VARIANTS = {
    **{f"convnext_{size}": partial(ConvNeXt, row) for size, row in TABLE.items()},
    **{f"convnext_isotropic_{size}": partial(IsotropicConvNeXt, *row)
       for size, row in ISOTROPIC.items()},
}
