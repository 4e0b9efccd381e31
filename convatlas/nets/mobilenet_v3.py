"""Searching for MobileNetV3 (Howard et al.; ICCV 2019).

LARGE and SMALL below are Tables 1 and 2, a line for each bneck. Before them a 3x3 convolution of
stride 2 to 16 channels; after them a 1x1 convolution, a 7x7 average pool, and two 1x1 convolutions
without batch norm (NBN).
"""
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch.nn as nn

from convatlas.layers import ConvBN, Network, he_init, make_divisible, seq
from convatlas.paper import Claim, Paper, counts, sizes, torchvision

ICCV = Paper(
    title="Searching for MobileNetV3",
    authors="Howard, Sandler, Chu, Chen, Chen, Tan, Wang, Zhu, Pang, Vasudevan, Le, "
            "Adam", year=2019, venue="ICCV",
    arxiv="1905.02244v5", code="github.com/tensorflow/models "
                               "research/slim/nets/mobilenet/mobilenet_v3.py",
    silent="Squeeze widths are rounded to multiples of 8, and the gate stands after the depthwise "
           "activation: the authors' code. Under a width multiplier the expansion keeps its ratio "
           "to the block's input, the last two layers their width, and below 0.75 the first "
           "convolution its 16 filters: with these the 0.75 networks have the printed sizes (that "
           "code would give the first convolution 8 filters at 0.35 and 0.5, which no printed "
           "number tells apart). Padding: half the kernel on every side. Batch norm's epsilon: "
           "0.001. Initial weights: He's, for the two full layers N(0, 0.01).",
    departs="The last 1x1 convolution of Small has no squeeze-and-excitation. Table 2 ticks it, "
            "but with it the network would have 2.71M parameters where Table 3 prints 2.5M, and "
            "the authors' code has none. Dropout is 0.2: the paper's 0.8 is the share that is "
            "kept.",
    page="mobilenet_v3", bare="mobilenet_v3_large")
RELEASED = Paper(
    title="MobileNetV3 minimalistic (TensorFlow-Slim)", authors="Howard, Sandler, Chu and "
                                                                "others", year=2019,
    code="github.com/tensorflow/models research/slim/nets/mobilenet/README.md",
    silent="There is no paper. Padding, epsilon and initial weights are those of "
           "mobilenet_v3_large.",
    page="mobilenet_v3_minimalistic", bare="mobilenet_v3_large_minimalistic")
REDUCED = Paper(
    title="MobileNetV3 with a reduced tail (torchvision)", authors="torchvision "
                                                                   "contributors", year=2021,
    code="github.com/pytorch/vision",
    silent="There is no paper of it. Which layers: the outputs of the last three bnecks, the "
           "expansion of the last two, the last 1x1 and the layer before the classes, as in "
           "torchvision.",
    page="mobilenet_v3_reduced_tail", bare="mobilenet_v3_large_reduced_tail")


class Row(NamedTuple):          # the columns of Tables 1 and 2
    input: str                  # as printed, channels last
    k: int                      # of "bneck, kxk"
    exp_size: int
    out: int
    SE: bool
    NL: Callable[[], nn.Module]
    s: int


class Table(NamedTuple):
    bnecks: tuple[Row, ...]
    conv: int                   # filters of "conv2d, 1x1"
    nbn: int                    # filters of "conv2d 1x1, NBN"
    NL: Callable[[], nn.Module] = nn.Hardswish      # of the layers before and after the bnecks


RE, HS = nn.ReLU, nn.Hardswish
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


def minimalistic(table: Table) -> Table:
    return table._replace(bnecks=tuple(row._replace(k=3, SE=False, NL=RE) for row in table.bnecks), NL=RE)


def reduced_tail(table: Table) -> Table:
    *first, c4, before, last = table.bnecks
    halved = [row._replace(exp_size=row.exp_size // 2, out=row.out // 2) for row in (before, last)]
    return table._replace(bnecks=(*first, c4._replace(out=c4.out // 2), *halved),
                          conv=table.conv // 2, nbn=table.nbn // 2)


def conv_bn(c_in: int, c_out: int, k: int, s: int = 1, groups: int = 1) -> ConvBN:
    layer = ConvBN(c_in, c_out, k, s, groups)
    layer.bn.eps, layer.bn.momentum = 0.001, 0.01       # Sec. 6.1.1: average decay of 0.99
    return layer


class SqueezeExcite(nn.Module):
    """Sec. 5.3: a quarter of the expansion's channels, rounded; the gate is a hard sigmoid.  (N, c,
    H, W) -> same
    """

    def __init__(self, c: int):
        super().__init__()
        squeezed = make_divisible(c / 4)
        self.squeeze, self.excite = nn.Conv2d(c, squeezed, 1), nn.Conv2d(squeezed, c, 1)
        self.relu, self.gate = nn.ReLU(), nn.Hardsigmoid()

    def forward(self, x):
        return x * self.gate(self.excite(self.relu(self.squeeze(x.mean((2, 3), keepdim=True)))))


class Bneck(nn.Module):
    """Figure 4.  (N, k, H, W) -> (N, k_out, H/s, W/s)"""

    def __init__(self, k: int, exp_size: int, k_out: int, row: Row):
        super().__init__()
        expand = {} if exp_size == k else {"expand": conv_bn(k, exp_size, 1), "nl_e": row.NL()}
        gate = {"se": SqueezeExcite(exp_size)} if row.SE else {}
        self.layers = seq(
            **expand, depthwise=conv_bn(exp_size, exp_size, row.k, row.s, groups=exp_size), nl_d=row.NL(), **gate,
            project=conv_bn(exp_size, k_out, 1))        # linear, as in MobileNetV2
        self.residual = row.s == 1 and k == k_out

    def forward(self, x):
        return x + self.layers(x) if self.residual else self.layers(x)


class MobileNetV3(Network):
    def __init__(self, table: Table, width: float = 1.0, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)

        def scaled(c: int) -> int:
            return make_divisible(c * width)

        self.bnecks = tuple(f"bneck{i}" for i in range(1, len(table.bnecks) + 1))
        self.stages = ("conv1", *self.bnecks, "conv2")
        k = scaled(16) if width >= 0.75 else 16
        self.conv1 = seq(conv=conv_bn(in_channels, k, 3, 2), nl=table.NL())
        printed = 16
        for name, row in zip(self.bnecks, table.bnecks, strict=True):
            exp_size = make_divisible(k * row.exp_size / printed)
            self.add_module(name, Bneck(k, exp_size, scaled(row.out), row))
            k, printed = scaled(row.out), row.out
        self.conv2 = seq(conv=conv_bn(k, scaled(table.conv), 1), nl=table.NL())
        # 1x1 convolutions of 1x1 maps
        self.nbn = seq(fc=nn.Linear(scaled(table.conv), table.nbn), nl=table.NL())
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(table.nbn, num_classes)
        self.apply(self.initialise)

    def initialise(self, layer):
        he_init(layer)
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.01)
        if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
            nn.init.zeros_(layer.bias)

    def forward(self, x):                               # (N, 3, 224, 224)
        x = self.conv1(x)                               # (N, 16, 112, 112)
        for name in self.bnecks:
            x = self.get_submodule(name)(x)             # the next row's input
        x = self.conv2(x).mean((2, 3))                  # (N, 960, 7, 7), (N, 960)
        return self.fc(self.dropout(self.nbn(x)))       # (N, 1280), (N, num_classes)


WIDTHS = {"": 1.0, "_x0_35": 0.35, "_x0_5": 0.5, "_x0_75": 0.75, "_x1_25": 1.25}
TABLES = {"mobilenet_v3_large": LARGE, "mobilenet_v3_small": SMALL}
VARIANTS = {
    **{name + suffix: partial(MobileNetV3, table, width) for name, table in TABLES.items()
       for suffix, width in WIDTHS.items()},
    **{f"{name}_minimalistic": partial(MobileNetV3, minimalistic(table)) for name, table in TABLES.items()},
    **{f"{name}_reduced_tail": partial(MobileNetV3, reduced_tail(table)) for name, table in TABLES.items()},
}
PAPER = {name: RELEASED if name.endswith("minimalistic") else REDUCED if name.endswith("tail") else ICCV
         for name in VARIANTS}


def rows(source: str, table: Table, conv_input: str, pool_input: str) -> tuple[Claim, ...]:
    """Each layer's output is the next row's input; the paper prints channels last, a claim has them
    first.
    """
    layers = ["conv1", *(f"bneck{i}" for i in range(1, len(table.bnecks) + 1)), "conv2"]
    inputs = [tuple(size.split("x")) for size in (*(row.input for row in table.bnecks), conv_input, pool_input)]
    outputs = {layer: f"{c}x{h}x{w}" for layer, (h, w, c) in zip(layers, inputs, strict=True)}
    return (Claim("size", "3x224x224", source, "input"), *sizes(f"{source}, input of the next "
                                                                "row", outputs),
            Claim("units", str(table.nbn), f"{source}, #out of the first NBN", "nbn"))


def cost(source: str, macs: str, params: str) -> tuple[Claim, ...]:
    return Claim("macs", macs, source), Claim("params", params, source)


TABLE_3, README = "Table 3", "The authors' README"
OTHER = ("Table 1 has 216,589,760, and the authors' README prints 217M; Table 1 of the first "
         "drafts, which has another row of 672 to 160, would have 245.6M.")
DRAFT = ("It is the Small of the first drafts, whose last layer has 1280 channels; Table 3 has "
         "less for the final one.")
STALE = ("That network, all 3x3 and without gates, must have fewer than mobilenet_v3_small's "
         "56.5M; it has 52.3M.")
CLAIMS = {
    "mobilenet_v3_large": (
        *rows("Table 1", LARGE, "7x7x160", "7x7x960"),
        Claim("macs", "219M", TABLE_3, erratum=OTHER), Claim("params", "5.4M", TABLE_3),
        *cost(README, "217M", "5.4M"), *torchvision("MobileNet_V3_Large_Weights", "5,483,032", "0.217")),
    "mobilenet_v3_large_x0_75": (*cost(TABLE_3, "155M", "4.0M"), *cost(README, "155M", "4.0M")),
    "mobilenet_v3_small": (
        *rows("Table 2", SMALL, "7x7x96", "7x7x576"), *cost(TABLE_3, "56M", "2.5M"),
        *counts(README, "2.9M", "66M", errata=(DRAFT, DRAFT)),
        *torchvision("MobileNet_V3_Small_Weights", "2,542,856", "0.057")),
    "mobilenet_v3_small_x0_75": (*cost(TABLE_3, "44M", "2.0M"), *counts(README, "2.4M", "44M", errata=(DRAFT, ""))),
    "mobilenet_v3_large_minimalistic": cost(README, "209M", "3.9M"),
    "mobilenet_v3_small_minimalistic": (
        Claim("macs", "65M", README, erratum=STALE), Claim("params", "2.0M", README)),
}
