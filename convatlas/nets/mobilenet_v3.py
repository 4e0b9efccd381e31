"""Searching for MobileNetV3 (Howard et al.; ICCV 2019).

LARGE and SMALL below are Tables 1 and 2, a line for each bneck. Before them a 3x3 convolution of
stride 2 to 16 channels; after them a 1x1 convolution, a 7x7 average pool, and two 1x1 convolutions
without batch norm (NBN).
"""
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBNKeras, Network, he_init, make_divisible, seq
from convatlas.paper import Paper

PAPER = Paper(
    title="Searching for MobileNetV3",
    authors="Howard, Sandler, Chu, Chen, Chen, Tan, Wang, Zhu, Pang, Vasudevan, Le, Adam",
    year=2019, venue="ICCV", arxiv="1905.02244v5",
    code="github.com/tensorflow/models research/slim/nets/mobilenet/mobilenet_v3.py",
    silent="Squeeze widths are rounded to multiples of 8, and the gate stands after the depthwise "
           "activation: the authors' code. Under a width multiplier the expansion keeps its ratio "
           "to the block's input, the last two layers their width, and below 0.75 the first "
           "convolution its 16 filters: with these the 0.75 networks have the printed sizes (that "
           "code would give the first convolution 8 filters at 0.35 and 0.5, which no printed "
           "number tells apart). Batch norm's epsilon: 0.001, that code's "
           "(its decay of 0.99 is printed, Sec. 6.1.1). Padding: half the kernel on every side; "
           "initial weights: He's, for the two fully-connected layers N(0, 0.01). These two are "
           "otherwise in that code, whose gate also multiplies by 0.16667 for 1/6: "
           "mobilenet_v3_large_released, for its weights.",
    departs="The last 1x1 convolution of Small has no squeeze-and-excitation. Table 2 ticks it, "
            "but with it the network would have 2.71M parameters where Table 3 prints 2.5M, and "
            "the authors' code has none. Dropout is 0.2: the paper's 0.8 is the share that is "
            "kept.",
    page="mobilenet_v3", bare="mobilenet_v3_large")


Part = Callable[[], nn.Module]
Conv = Callable[..., nn.Module]     # (c_in, c_out, k, stride, groups) -> convolution and norm


class Row(NamedTuple):          # the columns of Tables 1 and 2
    input: str                  # as printed, channels last
    k: int                      # of "bneck, kxk"
    exp_size: int
    out: int
    SE: bool
    NL: Part
    s: int


class Table(NamedTuple):
    bnecks: tuple[Row, ...]
    conv: int                   # filters of "conv2d, 1x1"
    nbn: int                    # filters of "conv2d 1x1, NBN"
    NL: Part = nn.Hardswish     # of the layers before and after the bnecks


RE = nn.ReLU
HS = nn.Hardswish
LARGE = Table((
    Row("112x112x16", k=3, exp_size=16, out=16, SE=False, NL=RE, s=1),
    Row("112x112x16", k=3, exp_size=64, out=24, SE=False, NL=RE, s=2),
    Row("56x56x24", k=3, exp_size=72, out=24, SE=False, NL=RE, s=1),
    Row("56x56x24", k=5, exp_size=72, out=40, SE=True, NL=RE, s=2),
    Row("28x28x40", k=5, exp_size=120, out=40, SE=True, NL=RE, s=1),
    Row("28x28x40", k=5, exp_size=120, out=40, SE=True, NL=RE, s=1),
    Row("28x28x40", k=3, exp_size=240, out=80, SE=False, NL=HS, s=2),
    Row("14x14x80", k=3, exp_size=200, out=80, SE=False, NL=HS, s=1),
    Row("14x14x80", k=3, exp_size=184, out=80, SE=False, NL=HS, s=1),
    Row("14x14x80", k=3, exp_size=184, out=80, SE=False, NL=HS, s=1),
    Row("14x14x80", k=3, exp_size=480, out=112, SE=True, NL=HS, s=1),
    Row("14x14x112", k=3, exp_size=672, out=112, SE=True, NL=HS, s=1),
    Row("14x14x112", k=5, exp_size=672, out=160, SE=True, NL=HS, s=2),
    Row("7x7x160", k=5, exp_size=960, out=160, SE=True, NL=HS, s=1),
    Row("7x7x160", k=5, exp_size=960, out=160, SE=True, NL=HS, s=1)), conv=960, nbn=1280)
SMALL = Table((
    Row("112x112x16", k=3, exp_size=16, out=16, SE=True, NL=RE, s=2),
    Row("56x56x16", k=3, exp_size=72, out=24, SE=False, NL=RE, s=2),
    Row("28x28x24", k=3, exp_size=88, out=24, SE=False, NL=RE, s=1),
    Row("28x28x24", k=5, exp_size=96, out=40, SE=True, NL=HS, s=2),
    Row("14x14x40", k=5, exp_size=240, out=40, SE=True, NL=HS, s=1),
    Row("14x14x40", k=5, exp_size=240, out=40, SE=True, NL=HS, s=1),
    Row("14x14x40", k=5, exp_size=120, out=48, SE=True, NL=HS, s=1),
    Row("14x14x48", k=5, exp_size=144, out=48, SE=True, NL=HS, s=1),
    Row("14x14x48", k=5, exp_size=288, out=96, SE=True, NL=HS, s=2),
    Row("7x7x96", k=5, exp_size=576, out=96, SE=True, NL=HS, s=1),
    Row("7x7x96", k=5, exp_size=576, out=96, SE=True, NL=HS, s=1)), conv=576, nbn=1024)


class SqueezeExcite(nn.Module):
    """Sec. 5.3: to a quarter of the expansion's channels, rounded; the gate is a hard sigmoid.

    (N, c, H, W) -> the same shape
    """

    def __init__(self, c: int, gate: Part = nn.Hardsigmoid):
        super().__init__()
        squeezed = make_divisible(c / 4)
        self.squeeze = nn.Conv2d(c, squeezed, 1)
        self.excite = nn.Conv2d(squeezed, c, 1)
        self.relu = nn.ReLU()
        self.gate = gate()

    def forward(self, x: Tensor) -> Tensor:
        s = x.mean((2, 3), keepdim=True)                # (N, c, 1, 1)
        s = self.relu(self.squeeze(s))                  # (N, c / 4, 1, 1)
        return x * self.gate(self.excite(s))            # (N, c, H, W)


class Bneck(nn.Module):
    """Figure 4.  (N, k, H, W) -> (N, k_out, H/s, W/s)"""

    def __init__(self, k: int, exp_size: int, k_out: int, row: Row, conv: Conv, gate: Part):
        super().__init__()
        expand = {} if exp_size == k else {"expand": conv(k, exp_size, 1), "nl_e": row.NL()}
        se = {"se": SqueezeExcite(exp_size, gate)} if row.SE else {}
        self.layers = seq(
            **expand,
            depthwise=conv(exp_size, exp_size, row.k, stride=row.s, groups=exp_size),
            nl_d=row.NL(), **se,
            project=conv(exp_size, k_out, 1))   # linear, as in MobileNetV2
        self.residual = row.s == 1 and k == k_out

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.residual else self.layers(x)


class MobileNetV3(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""

    def __init__(self, table: Table, width: float = 1.0, conv: Conv = ConvBNKeras,
                 gate: Part = nn.Hardsigmoid, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)

        def scaled(c: int) -> int:
            return make_divisible(c * width)

        self.bnecks = tuple(f"bneck{i}" for i in range(1, len(table.bnecks) + 1))
        self.stages = ("conv1", *self.bnecks, "conv2")
        k = scaled(16) if width >= 0.75 else 16
        self.conv1 = seq(conv=conv(in_channels, k, 3, stride=2), nl=table.NL())
        printed = 16                                    # what k is at width 1
        for name, row in zip(self.bnecks, table.bnecks, strict=True):
            # exp_size is printed for `printed` channels; k channels are expanded as many times
            exp_size = make_divisible(k * row.exp_size / printed)
            self.add_module(name, Bneck(k, exp_size, scaled(row.out), row, conv, gate))
            k = scaled(row.out)
            printed = row.out
        self.conv2 = seq(conv=conv(k, scaled(table.conv), 1), nl=table.NL())
        # NBN: 1x1 convolutions of 1x1 maps
        self.nbn = seq(fc=nn.Linear(scaled(table.conv), table.nbn), nl=table.NL())
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(table.nbn, num_classes)
        self.apply(self.initialise)

    def initialise(self, layer: nn.Module) -> None:
        he_init(layer)
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.01)
        if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:             # (N, 3, 224, 224)
        x = self.conv1(x)                               # (N, 16, 112, 112)
        for name in self.bnecks:
            x = self.get_submodule(name)(x)             # the next row's input
        x = self.conv2(x).mean((2, 3))                  # (N, 960, 7, 7), (N, 960)
        return self.fc(self.dropout(self.nbn(x)))       # (N, 1280), (N, num_classes)


WIDTHS = {"": 1.0, "_x0_35": 0.35, "_x0_5": 0.5, "_x0_75": 0.75, "_x1_25": 1.25}
VARIANTS = {
    **{f"mobilenet_v3_large{x}": partial(MobileNetV3, LARGE, width) for x, width in WIDTHS.items()},
    **{f"mobilenet_v3_small{x}": partial(MobileNetV3, SMALL, width) for x, width in WIDTHS.items()},
}
