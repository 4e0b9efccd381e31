"""Designing Network Design Spaces (Radosavovic, Kosaraju, Girshick, He, Dollar; CVPR 2020): RegNetX
and RegNetY, Figures 15 and 16.

    stem     112x112   3x3, 32, stride 2
    stage1   56x56     d_1 blocks of width w_1, the first of which strides
    stage2   28x28     d_2, w_2
    stage3   14x14     d_3, w_3
    stage4   7x7       d_4, w_4
             1x1       average pool, 1000-d fc

The depths d_i and widths w_i follow from d, w_a, w_0 and w_m by Eqs. (2) to (4), and from the group
width g by Appendix D. A block of X is ResNeXt's without a bottleneck (b = 1); Y = X + SE.
"""
from collections import Counter
from collections.abc import Callable
from functools import partial
from math import log
from typing import NamedTuple

import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Network, Residual, SqueezeExciteConv, he_init, seq
from convatlas.paper import Paper

PAPER = Paper(
    title="Designing Network Design Spaces",
    authors="Radosavovic, Kosaraju, Girshick, He, Dollar", year=2020, venue="CVPR",
    arxiv="2003.13678v1", code="github.com/facebookresearch/pycls",
    silent="To what the widths of Eq. (4) are rounded before they are made multiples of g: to "
           "multiples of 8, as in the authors' code, which gives the printed w_i; halves go to the "
           "even number. What a quarter is taken of in a gate: the channels that enter the block. "
           "A gate has a ReLU within, biases, and stands after the ReLU of the 3x3. Initial "
           "weights are those of the authors' code: He's for fan-out, without the zeros for the "
           "last scale of each branch that it offers; normal with deviation 0.01 in the fully "
           "connected layer. Batch norm has PyTorch's epsilon and momentum, 1e-5 and 0.1.",
    page="regnet", bare="regnetx_200mf")


class Design(NamedTuple):   # the legends of Figures 15 and 16, and d, the sum of its d_i
    d: int
    w_a: float
    w_0: int
    w_m: float
    g: int


X = {
    "200mf": Design(d=13, w_a=36.44, w_0=24, w_m=2.49, g=8),
    "400mf": Design(d=22, w_a=24.48, w_0=24, w_m=2.54, g=16),
    "600mf": Design(d=16, w_a=36.97, w_0=48, w_m=2.24, g=24),
    "800mf": Design(d=16, w_a=35.73, w_0=56, w_m=2.28, g=16),
    "1_6gf": Design(d=18, w_a=34.01, w_0=80, w_m=2.25, g=24),
    "3_2gf": Design(d=25, w_a=26.31, w_0=88, w_m=2.25, g=48),
    "4gf": Design(d=23, w_a=38.65, w_0=96, w_m=2.43, g=40),
    "6_4gf": Design(d=17, w_a=60.83, w_0=184, w_m=2.07, g=56),
    "8gf": Design(d=23, w_a=49.56, w_0=80, w_m=2.88, g=120),
    "12gf": Design(d=19, w_a=73.36, w_0=168, w_m=2.37, g=112),
    "16gf": Design(d=22, w_a=55.59, w_0=216, w_m=2.1, g=128),
    "32gf": Design(d=23, w_a=69.86, w_0=320, w_m=2.0, g=168),
}
Y = {
    "200mf": Design(d=13, w_a=36.44, w_0=24, w_m=2.49, g=8),
    "400mf": Design(d=16, w_a=27.89, w_0=48, w_m=2.09, g=8),
    "600mf": Design(d=15, w_a=32.54, w_0=48, w_m=2.32, g=16),
    "800mf": Design(d=14, w_a=38.84, w_0=56, w_m=2.4, g=16),
    "1_6gf": Design(d=27, w_a=20.71, w_0=48, w_m=2.65, g=24),
    "3_2gf": Design(d=21, w_a=42.63, w_0=80, w_m=2.66, g=24),
    "4gf": Design(d=22, w_a=31.41, w_0=96, w_m=2.24, g=64),
    "6_4gf": Design(d=25, w_a=33.22, w_0=112, w_m=2.27, g=72),
    "8gf": Design(d=17, w_a=76.82, w_0=192, w_m=2.19, g=56),
    "12gf": Design(d=19, w_a=73.36, w_0=168, w_m=2.37, g=112),
    "16gf": Design(d=18, w_a=106.23, w_0=200, w_m=2.48, g=112),
    "32gf": Design(d=20, w_a=115.89, w_0=232, w_m=2.53, g=232),
}


class Shape(NamedTuple):    # of a stage
    depth: int
    width: int
    g: int


def quantised(design: Design) -> list[tuple[int, int]]:
    """Eqs. (2) to (4): the width of each stage and how many blocks have it."""
    blocks = Counter()
    for j in range(design.d):
        u = design.w_0 + design.w_a * j
        s = round(log(u / design.w_0) / log(design.w_m))
        blocks[round(design.w_0 * design.w_m ** s / 8) * 8] += 1
    return list(blocks.items())


def compatible(width: int, depth: int, g: int) -> Shape:
    """Appendix D: "we set g = w if g > w and round w to be divisible by g otherwise"."""
    g = min(g, width)
    return Shape(depth, round(width / g) * g, g)


def shapes(design: Design) -> list[Shape]:
    """The printed d_i and w_i, in order."""
    return [compatible(width, depth, design.g) for width, depth in quantised(design)]


def shortcut(c_in: int, width: int, stride: int) -> nn.Module:
    """Figure 4: a projection in the stride-two version, which every stage begins with."""
    return nn.Identity() if stride == 1 else ConvBN(c_in, width, 1, stride)


def x_block(c_in: int, width: int, stride: int, g: int) -> nn.Module:
    """Figure 4."""
    branch = seq(
        conv1=ConvBN(c_in, width, 1), relu1=nn.ReLU(),
        conv2=ConvBN(width, width, 3, stride, groups=width // g), relu2=nn.ReLU(),
        conv3=ConvBN(width, width, 1))
    return Residual(branch, shortcut(c_in, width, stride))


def y_block(c_in: int, width: int, stride: int, g: int) -> nn.Module:
    """Appendix D: the SE op "after the 3x3 conv", "reduction ratio of 1/4"."""
    branch = seq(
        conv1=ConvBN(c_in, width, 1), relu1=nn.ReLU(),
        conv2=ConvBN(width, width, 3, stride, groups=width // g), relu2=nn.ReLU(),
        se=SqueezeExciteConv(width, c_in // 4),
        conv3=ConvBN(width, width, 1))
    return Residual(branch, shortcut(c_in, width, stride))


Block = Callable[[int, int, int, int], nn.Module]       # (c_in, width, stride, g) -> block


class RegNet(Network):
    """Figure 3.  (N, 3, 224, 224) -> (N, num_classes)"""

    stages = ("stem", "stage1", "stage2", "stage3", "stage4")

    def __init__(self, block: Block, body: list[Shape], num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(in_channels)
        self.stem = seq(conv=ConvBN(in_channels, 32, 3, stride=2), relu=nn.ReLU())
        c = 32
        for i, (depth, width, g) in enumerate(body, start=1):
            blocks = nn.Sequential()
            for j in range(depth):
                blocks.append(block(c, width, 2 if j == 0 else 1, g))
                c = width
            self.add_module(f"stage{i}", blocks)
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)

    def initialise(self, layer: nn.Module) -> None:
        he_init(layer)
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:             # (N, 3, 224, 224)
        x = self.stem(x)                                # (N, 32, 112, 112)
        x = self.stage1(x)                              # (N, w_1, 56, 56)
        x = self.stage2(x)                              # (N, w_2, 28, 28)
        x = self.stage3(x)                              # (N, w_3, 14, 14)
        x = self.stage4(x)                              # (N, w_4, 7, 7)
        return self.fc(x.mean((2, 3)))                  # (N, num_classes)


VARIANTS = {
    **{f"regnetx_{flops}": partial(RegNet, x_block, shapes(row)) for flops, row in X.items()},
    **{f"regnety_{flops}": partial(RegNet, y_block, shapes(row)) for flops, row in Y.items()},
}
