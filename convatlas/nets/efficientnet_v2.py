"""EfficientNetV2: Smaller Models and Faster Training (Tan, Le; ICML 2021).

S below is Table 4, EfficientNetV2-S, stages 1 to 6. Stage 0 is a 3x3 convolution of stride 2, as
wide as stage 1 reads it; the last stage a 1x1 convolution to 1280, pooling and a fully-connected
layer. M, L, XL and BASE are the release's, which the paper names and does not print; B0 to B3 are
BASE, scaled as in EfficientNet.
"""
from functools import partial
from math import ceil
from typing import NamedTuple

import torch.nn as nn
from torch import Tensor

from convatlas.layers import Network, StochasticDepth, seq
from convatlas.nets.efficientnet import (
    Conv,
    EfficientNet,
    MBConv,
    Scale,
    conv_released,
)
from convatlas.paper import Paper

PAPER = Paper(
    title="EfficientNetV2: Smaller Models and Faster Training",
    authors="Tan, Le",
    year=2021, venue="ICML", arxiv="2104.00298v3",
    code="github.com/google/automl efficientnetv2",
    silent="All from the authors' code: the tables of M, L, XL and B0 to B3; the sides, which are "
           "those of inference; channels rounded to the nearest multiple of 8, however far down; a "
           "squeeze to a quarter of a block's input; no activation after a block's last "
           "convolution, but in stage 1, where it is the only one; TensorFlow's padding; batch "
           "norm's epsilon 0.001 (its decay there is 0.9, the paper prints 0.99); stochastic depth "
           "that grows from 0 in the first block by 0.2 / blocks; the initial weights; the dropout "
           "of XL and of B0 to B3. That of S, M and L is Table 6's for the last stage of training, "
           "0.3, 0.4 and 0.5; the code ends at 0.2, 0.3 and 0.4.",
    page="efficientnet_v2", bare="efficientnet_v2_s")


class FusedMBConv(nn.Module):
    """Figure 2, right: one k x k convolution for MBConv's expansion and depthwise convolution.

    (N, c_in, H, W) -> (N, c_out, H/s, W/s), rounded up
    """

    def __init__(self, c_in: int, c_out: int, t: int, k: int, s: int, conv: Conv, drop: float):
        super().__init__()
        if t == 1:
            self.layers = seq(project=conv(c_in, c_out, k, stride=s), swish_p=nn.SiLU())
        else:
            self.layers = seq(
                expand=conv(c_in, t * c_in, k, stride=s), swish_e=nn.SiLU(),
                project=conv(t * c_in, c_out, 1))
        self.residual = s == 1 and c_in == c_out
        self.drop = StochasticDepth(drop)

    def forward(self, x: Tensor) -> Tensor:
        if not self.residual:
            return self.layers(x)
        return x + self.drop(self.layers(x))


class Row(NamedTuple):      # the columns of Table 4; every kernel is 3x3
    operator: type[MBConv] | type[FusedMBConv]
    t: int                  # the expansion: the number after the operator
    s: int                  # stride of the first layer
    channels: int
    layers: int


S = (
    Row(FusedMBConv, t=1, s=1, channels=24, layers=2),
    Row(FusedMBConv, t=4, s=2, channels=48, layers=4),
    Row(FusedMBConv, t=4, s=2, channels=64, layers=4),
    Row(MBConv, t=4, s=2, channels=128, layers=6),
    Row(MBConv, t=6, s=1, channels=160, layers=9),
    Row(MBConv, t=6, s=2, channels=256, layers=15),
)
M = (
    Row(FusedMBConv, t=1, s=1, channels=24, layers=3),
    Row(FusedMBConv, t=4, s=2, channels=48, layers=5),
    Row(FusedMBConv, t=4, s=2, channels=80, layers=5),
    Row(MBConv, t=4, s=2, channels=160, layers=7),
    Row(MBConv, t=6, s=1, channels=176, layers=14),
    Row(MBConv, t=6, s=2, channels=304, layers=18),
    Row(MBConv, t=6, s=1, channels=512, layers=5),
)
L = (
    Row(FusedMBConv, t=1, s=1, channels=32, layers=4),
    Row(FusedMBConv, t=4, s=2, channels=64, layers=7),
    Row(FusedMBConv, t=4, s=2, channels=96, layers=7),
    Row(MBConv, t=4, s=2, channels=192, layers=10),
    Row(MBConv, t=6, s=1, channels=224, layers=19),
    Row(MBConv, t=6, s=2, channels=384, layers=25),
    Row(MBConv, t=6, s=1, channels=640, layers=7),
)
XL = (
    Row(FusedMBConv, t=1, s=1, channels=32, layers=4),
    Row(FusedMBConv, t=4, s=2, channels=64, layers=8),
    Row(FusedMBConv, t=4, s=2, channels=96, layers=8),
    Row(MBConv, t=4, s=2, channels=192, layers=16),
    Row(MBConv, t=6, s=1, channels=256, layers=24),
    Row(MBConv, t=6, s=2, channels=512, layers=32),
    Row(MBConv, t=6, s=1, channels=640, layers=8),
)
BASE = (
    Row(FusedMBConv, t=1, s=1, channels=16, layers=1),
    Row(FusedMBConv, t=4, s=2, channels=32, layers=2),
    Row(FusedMBConv, t=4, s=2, channels=48, layers=2),
    Row(MBConv, t=4, s=2, channels=96, layers=3),
    Row(MBConv, t=6, s=1, channels=112, layers=5),
    Row(MBConv, t=6, s=2, channels=192, layers=8),
)


class EfficientNetV2(Network):
    """(N, 3, 384, 384) -> (N, num_classes) for S, whose stage 0 has `stem` channels"""

    def __init__(self, rows: tuple[Row, ...], stem: int, scale: Scale, conv: Conv = conv_released,
                 num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.side = scale.resolution
        self.stages = tuple(f"stage{i}" for i in range(len(rows) + 2))

        def scaled(c: int) -> int:
            return int(c * scale.width + 4) // 8 * 8

        depths = [ceil(row.layers * scale.depth) for row in rows]
        total = sum(depths)
        drops = (0.2 * i / total for i in range(total))     # Sec. 5.1: survival 0.8 at the end

        c = scaled(stem)
        self.stage0 = seq(conv=conv(in_channels, c, 3, stride=2), swish=nn.SiLU())
        for i, (row, depth) in enumerate(zip(rows, depths, strict=True), start=1):
            blocks = nn.Sequential()
            for j in range(depth):
                s = row.s if j == 0 else 1
                c_out = scaled(row.channels)
                blocks.append(row.operator(c, c_out, row.t, 3, s, conv, next(drops)))
                c = c_out
            self.add_module(f"stage{i}", blocks)
        last = seq(conv=conv(c, scaled(1280), 1), swish=nn.SiLU())
        self.add_module(self.stages[-1], last)
        self.dropout = nn.Dropout(scale.dropout)
        self.fc = nn.Linear(scaled(1280), num_classes)
        self.apply(self.initialise)

    initialise = staticmethod(EfficientNet.initialise)

    def forward(self, x: Tensor) -> Tensor:             # (N, 3, 384, 384)
        for name in self.stages:
            x = self.get_submodule(name)(x)             # (N, channels, half the side where s is 2)
        x = x.mean((2, 3))                              # (N, 1280, 12, 12), (N, 1280)
        return self.fc(self.dropout(x))                 # (N, num_classes)


VARIANTS = {
    "efficientnet_v2_s": partial(EfficientNetV2, S, 24, Scale(1.0, 1.0, 384, dropout=0.3)),
    "efficientnet_v2_m": partial(EfficientNetV2, M, 24, Scale(1.0, 1.0, 480, dropout=0.4)),
    "efficientnet_v2_l": partial(EfficientNetV2, L, 32, Scale(1.0, 1.0, 480, dropout=0.5)),
    "efficientnet_v2_xl": partial(EfficientNetV2, XL, 32, Scale(1.0, 1.0, 512, dropout=0.4)),
    "efficientnet_v2_b0": partial(EfficientNetV2, BASE, 32, Scale(1.0, 1.0, 224, dropout=0.2)),
    "efficientnet_v2_b1": partial(EfficientNetV2, BASE, 32, Scale(1.0, 1.1, 240, dropout=0.2)),
    "efficientnet_v2_b2": partial(EfficientNetV2, BASE, 32, Scale(1.1, 1.2, 260, dropout=0.3)),
    "efficientnet_v2_b3": partial(EfficientNetV2, BASE, 32, Scale(1.2, 1.4, 300, dropout=0.3)),
}
