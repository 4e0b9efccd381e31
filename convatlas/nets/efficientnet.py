"""EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks (Tan, Le; ICML 2019).

TABLE below is Table 1, EfficientNet-B0, stages 2 to 8. Stage 1 is a 3x3 convolution of stride 2 to
32 channels on 224x224, stage 9 a 1x1 convolution to 1280 on 7x7, pooling and a fully-connected
layer. SCALES makes B1 to B7 of it: wider, deeper, larger.
"""
from collections.abc import Callable
from functools import partial
from math import ceil
from typing import NamedTuple

import torch.nn as nn
from torch import Tensor

from convatlas.layers import (
    Network,
    StochasticDepth,
    conv_same,
    make_divisible,
    seq,
    tpu_init,
)
from convatlas.paper import Paper

PAPER = Paper(
    title="EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    authors="Tan, Le",
    year=2019, venue="ICML", arxiv="1905.11946v5",
    code="github.com/tensorflow/tpu models/official/efficientnet",
    silent="All from the authors' code: the scales of B1 to B7, which are near powers of 1.1, 1.2 "
           "and 1.15 but no more; channels rounded to multiples of 8, layers rounded up; a squeeze "
           "to a quarter of a block's input; TensorFlow's padding, which for a stride puts the odd "
           "row below and right; batch norm's epsilon 0.001; stochastic depth that grows from 0 in "
           "the first block by 0.2 / blocks; the initial weights. Where a stage strides: in its "
           "first layer, as the printed resolutions demand.",
    page="efficientnet", bare="efficientnet_b0")


class Row(NamedTuple):      # the columns of Table 1, and s
    stage: int
    t: int                  # MBConv1 or MBConv6: the expansion
    k: int                  # of k x k
    s: int                  # stride of the first layer: half the resolution in the next row is 2
    resolution: int         # of the input
    channels: int
    layers: int


TABLE = (
    Row(2, t=1, k=3, s=1, resolution=112, channels=16, layers=1),
    Row(3, t=6, k=3, s=2, resolution=112, channels=24, layers=2),
    Row(4, t=6, k=5, s=2, resolution=56, channels=40, layers=2),
    Row(5, t=6, k=3, s=2, resolution=28, channels=80, layers=3),
    Row(6, t=6, k=5, s=1, resolution=14, channels=112, layers=3),
    Row(7, t=6, k=5, s=2, resolution=14, channels=192, layers=4),
    Row(8, t=6, k=3, s=1, resolution=7, channels=320, layers=1),
)


class Scale(NamedTuple):
    width: float
    depth: float
    resolution: int
    dropout: float          # Sec. 5.2: from 0.2 for B0 to 0.5 for B7


SCALES = {
    "b0": Scale(1.0, 1.0, 224, 0.2),
    "b1": Scale(1.0, 1.1, 240, 0.2),
    "b2": Scale(1.1, 1.2, 260, 0.3),
    "b3": Scale(1.2, 1.4, 300, 0.3),
    "b4": Scale(1.4, 1.8, 380, 0.4),
    "b5": Scale(1.6, 2.2, 456, 0.4),
    "b6": Scale(1.8, 2.6, 528, 0.5),
    "b7": Scale(2.0, 3.1, 600, 0.5),
}


conv_released = partial(conv_same, momentum=0.01)    # Sec. 5.2
Conv = Callable[..., nn.Module]     # (c_in, c_out, k, stride, groups) -> convolution and norm


class SqueezeExcite(nn.Module):
    """A swish within, a sigmoid as the gate.  (N, c, H, W) -> the same shape"""

    def __init__(self, c: int, squeezed: int):
        super().__init__()
        self.squeeze = nn.Conv2d(c, squeezed, 1)
        self.excite = nn.Conv2d(squeezed, c, 1)
        self.swish = nn.SiLU()
        self.gate = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        s = x.mean((2, 3), keepdim=True)                # (N, c, 1, 1)
        s = self.swish(self.squeeze(s))                 # (N, squeezed, 1, 1)
        return x * self.gate(self.excite(s))            # (N, c, H, W)


class MBConv(nn.Module):
    """MobileNetV2's bottleneck with squeeze-and-excitation, s the stride, `drop` the probability
    to be left out.

    (N, c_in, H, W) -> (N, c_out, H/s, W/s), rounded up
    """

    def __init__(self, c_in: int, c_out: int, t: int, k: int, s: int, conv: Conv, drop: float):
        super().__init__()
        c = t * c_in
        expand = {} if t == 1 else {"expand": conv(c_in, c, 1), "swish_e": nn.SiLU()}
        self.layers = seq(
            **expand,
            depthwise=conv(c, c, k, stride=s, groups=c), swish_d=nn.SiLU(),
            se=SqueezeExcite(c, max(1, c_in // 4)),
            project=conv(c, c_out, 1))
        self.residual = s == 1 and c_in == c_out
        self.drop = StochasticDepth(drop)

    def forward(self, x: Tensor) -> Tensor:
        if not self.residual:
            return self.layers(x)
        return x + self.drop(self.layers(x))


class EfficientNet(Network):
    """(N, 3, 224, 224) -> (N, num_classes) for B0"""

    stages = ("stage1", *(f"stage{row.stage}" for row in TABLE), "stage9")

    def __init__(self, scale: Scale, conv: Conv = conv_released, num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(in_channels)
        self.side = scale.resolution

        def scaled(c: int) -> int:
            return make_divisible(c * scale.width)

        depths = [ceil(row.layers * scale.depth) for row in TABLE]
        total = sum(depths)
        drops = (0.2 * i / total for i in range(total))     # Sec. 5.2: survival 0.8 at the end

        c = scaled(32)
        self.stage1 = seq(conv=conv(in_channels, c, 3, stride=2), swish=nn.SiLU())
        for row, depth in zip(TABLE, depths, strict=True):
            blocks = nn.Sequential()
            for i in range(depth):
                s = row.s if i == 0 else 1
                c_out = scaled(row.channels)
                blocks.append(MBConv(c, c_out, row.t, row.k, s, conv, next(drops)))
                c = c_out
            self.add_module(f"stage{row.stage}", blocks)
        self.stage9 = seq(conv=conv(c, scaled(1280), 1), swish=nn.SiLU())
        self.dropout = nn.Dropout(scale.dropout)
        self.fc = nn.Linear(scaled(1280), num_classes)
        self.apply(self.initialise)

    initialise = staticmethod(tpu_init)

    def forward(self, x: Tensor) -> Tensor:             # (N, 3, 224, 224)
        for name in self.stages:
            x = self.get_submodule(name)(x)             # (N, channels, the next row's resolution)
        x = x.mean((2, 3))                              # (N, 1280, 7, 7), (N, 1280)
        return self.fc(self.dropout(x))                 # (N, num_classes)


VARIANTS = {f"efficientnet_{name}": partial(EfficientNet, scale) for name, scale in SCALES.items()}
