"""MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications (Howard et
al., 2017).

TABLE below is Table 1, two rows of it a line: "Conv dw / s" and the "Conv / s1" after it, which
together make a depthwise separable convolution. Before it a 3x3 convolution of stride 2 to 32
channels, after it a 7x7 average pool and a full layer. Every convolution is followed by batch norm
and a ReLU (Figure 3).
"""
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch.nn as nn

from convatlas.layers import ConvBN, Network, he_init, seq
from convatlas.paper import Claim, Paper, counts, sizes

PAPER = Paper(
    title="MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
    authors="Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam", year=2017, arxiv="1704.04861v1",
    code="github.com/tensorflow/models research/slim/nets/mobilenet_v1.py",
    silent="Padding: 1 on every side of a 3x3, where the authors' code pads strided ones unevenly. "
           "Initial weights: He's. Dropout of 0.001 before the full layer: the authors' code. No "
           "rounding under a width multiplier is needed: all printed widths stay whole.",
    departs="The last depthwise convolution has stride 1. Table 1 prints s2, but also 7x7 before "
            "and after it.",
    page="mobilenet_v1")


# a "Conv dw" of Table 1 and the 1x1 "Conv" after it; sizes as printed, channels last
class Row(NamedTuple):
    name: str               # conv2_dw and conv2_pw are layers 2 and 3 of 28
    s: int                  # stride of the depthwise convolution
    c: int                  # filters of the 1x1
    dw_input: str
    pw_input: str


TABLE = (
    Row("conv2", s=1, c=64, dw_input="112x112x32", pw_input="112x112x32"),
    Row("conv3", s=2, c=128, dw_input="112x112x64", pw_input="56x56x64"),
    Row("conv4", s=1, c=128, dw_input="56x56x128", pw_input="56x56x128"),
    Row("conv5", s=2, c=256, dw_input="56x56x128", pw_input="28x28x128"),
    Row("conv6", s=1, c=256, dw_input="28x28x256", pw_input="28x28x256"),
    Row("conv7", s=2, c=512, dw_input="28x28x256", pw_input="14x14x256"),
    # "5x"
    *(Row(f"conv{i}", s=1, c=512, dw_input="14x14x512", pw_input="14x14x512") for i in range(8, 13)),
    Row("conv13", s=2, c=1024, dw_input="14x14x512", pw_input="7x7x512"),
    Row("conv14", s=1, c=1024, dw_input="7x7x1024", pw_input="7x7x1024"),
)
POOL_INPUT = "7x7x1024"
# Sec. 4.1: those five removed
SHALLOW = tuple(row for row in TABLE if row.dw_input != "14x14x512" or row.s == 2)

Layer = Callable[[int, int, int], nn.Module]            # (c_in, c_out, stride) -> layer


def separable(c_in: int, c_out: int, s: int) -> nn.Sequential:
    """Figure 3, right.  (N, c_in, H, W) -> (N, c_out, H/s, W/s)"""
    return seq(dw=ConvBN(c_in, c_in, 3, s, groups=c_in), relu_dw=nn.ReLU(), pw=ConvBN(c_in, c_out, 1),
               relu_pw=nn.ReLU())


def full(c_in: int, c_out: int, s: int) -> nn.Sequential:
    """Figure 3, left."""
    return seq(conv=ConvBN(c_in, c_out, 3, s), relu=nn.ReLU())


class MobileNetV1(Network):
    initialise = staticmethod(he_init)

    def __init__(self, layer: Layer, rows: tuple[Row, ...] = TABLE, alpha: float = 1.0, num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(in_channels)
        self.stages = ("conv1", *(row.name for row in rows))
        c = int(32 * alpha)                             # Sec. 3.3: all widths times alpha
        self.conv1 = full(in_channels, c, 2)
        for row in rows:
            self.add_module(row.name, layer(c, int(row.c * alpha), row.s))
            c = int(row.c * alpha)
        self.dropout = nn.Dropout(0.001)
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)

    def forward(self, x):                               # (N, 3, 224, 224)
        for name in self.stages:
            x = self.get_submodule(name)(x)             # the next row's dw_input
        return self.fc(self.dropout(x.mean((2, 3))))    # (N, 1024, 7, 7) -> (N, num_classes)


ALPHAS = {"": 1.0, "_x0_75": 0.75, "_x0_5": 0.5, "_x0_25": 0.25}
VARIANTS = {
    **{f"mobilenet_v1{suffix}": partial(MobileNetV1, separable, alpha=alpha) for suffix, alpha in ALPHAS.items()},
    "mobilenet_v1_full_conv": partial(MobileNetV1, full),
    "mobilenet_v1_shallow": partial(MobileNetV1, separable, SHALLOW),
}


def channels_first(size: str) -> str:
    height, width, channels = size.split("x")
    return f"{channels}x{height}x{width}"


def printed_outputs() -> dict[str, str]:
    """Each layer's output is the input printed for the next."""
    inputs = {layer: size for row in TABLE for layer, size in ((f"{row.name}.dw", row.dw_input),
                                                               (f"{row.name}.pw", row.pw_input))}
    outputs = dict(zip(["conv1", *inputs], [*inputs.values(), POOL_INPUT], strict=True))
    return {layer: channels_first(size) for layer, size in outputs.items()}


def cost(source: str, macs: str, params: str, part: str = "") -> tuple[Claim, ...]:
    return Claim("macs", macs, source, part), Claim("params", params, source, part)


WITHOUT_FC = ("Table 1 with full convolutions has 4,867,293,184; the printed figure leaves out the "
              "1,024,000 of the full layer, which the 569M of the network itself includes.")
WITHOUT_BN = ("Leaves out batch norm's 10,944 scales and shifts; with them the network has "
              "1,331,592, and Table 6 prints 1.3M.")
SHARES = {      # Table 2: parts, share of multiply-adds, share of parameters
    "*.pw": ("94.86%", "74.59%"), "*.dw": ("3.06%", "1.06%"), "conv1": ("1.19%", "0.02%"), "fc": ("0.18%", "24.33%")}
SUM = "The column adds up to 99.29; with 1.91, which 3x3x3x32 weights on 112x112 take, to 100.01."
WEIGHTS = ("Of the weights alone, without batch norm's scales and shifts and the full layer's "
           "biases.")
SHARE_ERRATA = {"conv1": (SUM, ""), "*.pw": ("", WEIGHTS), "*.dw": ("", WEIGHTS), "fc": ("", WEIGHTS)}
ALL_CLASSES = "With the 1000 classes of ImageNet; 120 breeds of dogs leave 567.8 million."
SIDES = ("224x224", "192x192", "160x160", "128x128")
README = {      # of the 16 released checkpoints: millions of parameters, millions of MACs at SIDES
    "": ("4.24M", "569M", "418M", "291M", "186M"), "_x0_75": ("2.59M", "317M", "233M", "162M", "104M"),
    "_x0_5": ("1.34M", "150M", "110M", "77M", "49M"), "_x0_25": ("0.47M", "41M", "34M", "21M", "14M")}
README_ERRATA = {
    **{("_x0_75", side): "All four figures of this width are 2.6 percent too low; the paper prints "
                         "325M for 224x224 (Table 6) and 239M for 192x192 (Table "
                         "10)." for side in SIDES},
    ("_x0_25", "192x192"): "41M at 224x224 leaves 30M at 192x192, and 30.2 million it is."}


def released(suffix: str) -> tuple[Claim, ...]:
    params, *macs = README[suffix]
    return (Claim("params", params, "The authors' README"),
            *(Claim("macs", number, "The authors' README", erratum=README_ERRATA.get((suffix, side), ""), at=side)
              for side, number in zip(SIDES, macs, strict=True)))


CLAIMS = {
    "mobilenet_v1": (
        Claim("size", "3x224x224", "Table 1", "input"), *sizes("Table 1, input of the next "
                                                               "row", printed_outputs()),
        Claim("units", "1000", "Table 1, FC", "fc"), Claim("layers", "28", "Sec. 3.2"),
        *cost("Tables 4, 6, 7 and 8", "569M", "4.2M"),
        *cost("Table 3: a separable convolution of 14x14x512", "52.3M", "0.27M", "conv8"),
        *(Claim(f"share of {quantity}", share, "Table 2", part, SHARE_ERRATA[part][i])
          for part, shares in SHARES.items()
          for i, (quantity, share) in enumerate(zip(("macs", "params"), shares, strict=True))),
        *(claim for side, macs in (("192x192", "418M"), ("160x160", "290M"), ("128x128", "186M"))
          for claim in counts("Table 7", "4.2M", macs, side)),
        *counts("Table 10, Stanford Dogs", "3.3M", "569M", "120 classes", ("", ALL_CLASSES)),
        *counts("Table 10, Stanford Dogs", "3.3M", "418M", "192x192, 120 classes"),
        *counts("MobileNetV2 (arXiv:1801.04381), Table 4", "4.2M", "575M", errata=(
            "", "The paper itself and its authors' README print 569 million.")),
        *released("")),
    "mobilenet_v1_x0_75": (
        *cost("Tables 5 and 6", "325M", "2.6M"), *cost("Table 3, alpha = "
                                                       "0.75", "29.6M", "0.15M", "conv8"),
        Claim("macs", "15.1M", "Table 3, rho = 0.714", "conv8", at="160x160"),
        Claim("params", "0.15M", "Table 3, rho = 0.714", "conv8", at="160x160"),
        *counts("Table 10, Stanford Dogs", "1.9M", "325M", "120 classes"),
        *counts("Table 10, Stanford Dogs", "1.9M", "239M", "192x192, 120 classes"),
        *released("_x0_75")),
    "mobilenet_v1_x0_5": (
        *cost("Table 6", "149M", "1.3M"), *counts("Table 9", "1.32M", "76M", "160x160", (WITHOUT_BN, "")),
        *released("_x0_5")),
    "mobilenet_v1_x0_25": (*cost("Table 6", "41M", "0.5M"), *released("_x0_25")),
    "mobilenet_v1_full_conv": (
        Claim("macs", "4866M", "Table 4", erratum=WITHOUT_FC), Claim("params", "29.3M", "Table 4"),
        *cost("Table 3: a convolution of 14x14x512", "462M", "2.36M", "conv8")),
    "mobilenet_v1_shallow": cost("Table 5", "307M", "2.9M"),
}
