"""MobileNetV2: Inverted Residuals and Linear Bottlenecks (Sandler, Howard, Zhu, Zhmoginov, Chen;
CVPR 2018).

TABLE below is Table 2 row for row: t = expansion, c = output channels, n = repeats, s = stride of
the first repeat. Before it a 3x3 convolution of stride 2 to 32 channels, after it a 1x1 to 1280, a
7x7 average pool, a 1x1 to k classes.
"""
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Network, he_init, make_divisible, seq
from convatlas.paper import Paper

PAPER = Paper(
    title="MobileNetV2: Inverted Residuals and Linear Bottlenecks",
    authors="Sandler, Howard, Zhu, Zhmoginov, Chen",
    year=2018, venue="CVPR", arxiv="1801.04381v4",
    code="github.com/tensorflow/models research/slim/nets/mobilenet",
    silent="Rounding under a width multiplier (to multiples of 8) and the expansion where t = 1 "
           "(left out): both as in the authors' code. Padding: 1 on every side of a 3x3; batch "
           "norm's epsilon and momentum: PyTorch's 1e-5 and 0.1; initial weights: He's. These "
           "three are otherwise in the authors' code: mobilenet_v2_released, for its weights. "
           "Dropout is mentioned without a rate: 0.2, the authors' code.",
    page="mobilenet_v2")


class Row(NamedTuple):      # the columns of Table 2
    input: str              # as printed, height x width x channels
    t: int
    c: int
    n: int
    s: int


TABLE = (
    Row("112x112x32", t=1, c=16, n=1, s=1),
    Row("112x112x16", t=6, c=24, n=2, s=2),
    Row("56x56x24", t=6, c=32, n=3, s=2),
    Row("28x28x32", t=6, c=64, n=4, s=2),
    Row("14x14x64", t=6, c=96, n=3, s=1),
    Row("14x14x96", t=6, c=160, n=3, s=2),
    Row("7x7x160", t=6, c=320, n=1, s=1),
)
BOTTLENECKS = tuple(f"bottleneck{i}" for i in range(1, len(TABLE) + 1))


Conv = Callable[..., nn.Module]     # (c_in, c_out, k, stride, groups) -> convolution and norm


class InvertedResidual(nn.Module):
    """Table 1: 1x1 expand, 3x3 depthwise, 1x1 linear.  (N, k, H, W) -> (N, k', H/s, W/s)"""

    def __init__(self, k: int, k_out: int, t: int, s: int, conv: Conv):
        super().__init__()
        expand = {} if t == 1 else {"expand": conv(k, t * k, 1), "relu_e": nn.ReLU6()}
        self.layers = seq(
            **expand,
            depthwise=conv(t * k, t * k, 3, stride=s, groups=t * k), relu_d=nn.ReLU6(),
            project=conv(t * k, k_out, 1))      # linear: no ReLU6 after it, Sec. 3.2
        self.residual = s == 1 and k == k_out   # Figure 4(d): a shortcut only where shapes agree

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.residual else self.layers(x)


class MobileNetV2(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""

    stages = ("conv1", *BOTTLENECKS, "conv9")
    initialise = staticmethod(he_init)

    def __init__(self, width: float = 1.0, conv: Conv = ConvBN, num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(in_channels)

        def scaled(c: int) -> int:
            return make_divisible(c * width)

        k = scaled(32)
        self.conv1 = seq(conv=conv(in_channels, k, 3, stride=2), relu=nn.ReLU6())
        for name, row in zip(BOTTLENECKS, TABLE, strict=True):
            units = nn.Sequential()
            for i in range(row.n):
                stride = row.s if i == 0 else 1
                units.append(InvertedResidual(k, scaled(row.c), row.t, stride, conv))
                k = scaled(row.c)
            self.add_module(name, units)
        # Sec. 4: below 1, all layers but the very last are multiplied
        last = scaled(1280) if width > 1 else 1280
        self.conv9 = seq(conv=conv(k, last, 1), relu=nn.ReLU6())
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(last, num_classes)  # Table 2's last row: a 1x1 convolution of a 1x1 map
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:             # (N, 3, 224, 224)
        x = self.conv1(x)                               # (N, 32, 112, 112)
        for name in BOTTLENECKS:
            x = self.get_submodule(name)(x)             # the next row's input
        x = self.conv9(x).mean((2, 3))                  # (N, 1280, 7, 7), (N, 1280)
        return self.fc(self.dropout(x))                 # (N, num_classes)


VARIANTS = {
    "mobilenet_v2": MobileNetV2,
    "mobilenet_v2_x0_35": partial(MobileNetV2, 0.35),
    "mobilenet_v2_x0_5": partial(MobileNetV2, 0.5),
    "mobilenet_v2_x0_75": partial(MobileNetV2, 0.75),
    "mobilenet_v2_x1_3": partial(MobileNetV2, 1.3),
    "mobilenet_v2_x1_4": partial(MobileNetV2, 1.4),
}
