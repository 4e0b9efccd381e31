"""SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size (Iandola, Han,
Moskewicz, Ashraf, Dally, Keutzer; 2016).

TABLE below is Table 1 row for row: a fire module squeezes to s1x1 channels and expands to e1x1 +
e3x3. Every convolution has a bias and a ReLU after it, the last one too. V1_1 is the order of the
authors' later release.
"""
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn as nn

from convatlas.layers import Network, seq
from convatlas.paper import Claim, Paper, counts, torchvision

AS_PRINTED = Paper(
    title="SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size",
    authors="Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer", year=2016, arxiv="1602.07360v4",
    code="github.com/forresti/SqueezeNet",
    silent="The image: Table 1 prints 224x224, but its 111x111 for conv1 takes 227 (7x7/2, "
           "unpadded), which the authors' files crop. Pools round up and are not padded, as in "
           "those files. conv10 is not padded, for Table 1's 13x13; the authors' files pad it by "
           "1. Initial weights: uniform by fan-in, in conv10 normal with deviation 0.01, as in the "
           "files.",
    page="squeezenet", bare="squeezenet1_0")
RELEASE = Paper(
    title="SqueezeNet v1.1", authors="Iandola", year=2016, arxiv="1602.07360v4",
    code="github.com/forresti/SqueezeNet SqueezeNet_v1.1",
    silent="There is no paper; the table is the authors' release. Initial weights as in v1.0.",
    page="squeezenet1_1")


class Row(NamedTuple):      # the columns of Table 1
    part: str
    output: str
    depth: str
    s1x1: int = 0
    e1x1: int = 0
    e3x3: int = 0
    params: str = ""        # before pruning


TABLE = (
    Row("conv1", "111x111x96", "1", params="14,208"),                   # 7x7/2
    Row("maxpool1", "55x55x96", "0"),                                   # 3x3/2
    Row("fire2", "55x55x128", "2", 16, 64, 64, "11,920"),
    Row("fire3", "55x55x128", "2", 16, 64, 64, "12,432"),
    Row("fire4", "55x55x256", "2", 32, 128, 128, "45,344"),
    Row("maxpool4", "27x27x256", "0"),
    Row("fire5", "27x27x256", "2", 32, 128, 128, "49,440"),
    Row("fire6", "27x27x384", "2", 48, 192, 192, "104,880"),
    Row("fire7", "27x27x384", "2", 48, 192, 192, "111,024"),
    Row("fire8", "27x27x512", "2", 64, 256, 256, "188,992"),
    Row("maxpool8", "13x12x512", "0"),
    Row("fire9", "13x13x512", "2", 64, 256, 256, "197,184"),
    Row("conv10", "13x13x1000", "1", params="513,000"),                 # 1x1/1
    Row("avgpool10", "1x1x1000", "0"),                                  # 13x13/1
)
FIRES = {row.part: row for row in TABLE if row.s1x1}


class Layout(NamedTuple):
    filters: int            # of conv1
    k: int                  # its kernel
    parts: tuple[str, ...]  # between conv1 and conv10, in order
    smallest: int           # image


V1_0 = Layout(96, 7, tuple(row.part for row in TABLE[1:-2]), smallest=21)
V1_1 = Layout(64, 3, ("maxpool1", "fire2", "fire3", "maxpool3", "fire4", "fire5", "maxpool5", "fire6", "fire7",
                      "fire8", "fire9"), smallest=17)


def conv(c_in: int, c_out: int, k: int, stride: int = 1, padding: int = 0) -> nn.Sequential:
    return seq(conv=nn.Conv2d(c_in, c_out, k, stride, padding), relu=nn.ReLU())


class Fire(nn.Module):
    """Figure 1.  (N, c, H, W) -> (N, e1x1 + e3x3, H, W)"""

    def __init__(self, c: int, row: Row):
        super().__init__()
        self.squeeze = conv(c, row.s1x1, 1)
        self.expand1x1, self.expand3x3 = conv(row.s1x1, row.e1x1, 1), conv(row.s1x1, row.e3x3, 3, padding=1)

    def forward(self, x):
        x = self.squeeze(x)
        return torch.cat([self.expand1x1(x), self.expand3x3(x)], dim=1)


class Bypass(nn.Module):
    """A fire module and its bypass, added; nothing after the sum."""

    def __init__(self, fire: Fire, shortcut: nn.Module):
        super().__init__()
        self.fire, self.shortcut = fire, shortcut

    def forward(self, x):
        return self.fire(x) + self.shortcut(x)


def simple_bypass(c: int, row: Row) -> nn.Module:
    """Figure 2, middle: around fire 3, 5, 7 and 9, where as many channels go in as come out."""
    return Bypass(Fire(c, row), nn.Identity()) if c == row.e1x1 + row.e3x3 else Fire(c, row)


def complex_bypass(c: int, row: Row) -> nn.Module:
    """Figure 2, right: around the others a 1x1 convolution."""
    c_out = row.e1x1 + row.e3x3
    return Bypass(Fire(c, row), nn.Identity() if c == c_out else nn.Conv2d(c, c_out, 1))


class SqueezeNet(Network):
    side, classifier_path = 227, "conv10.conv"

    def __init__(self, layout: Layout, unit: Callable[[int, Row], nn.Module] = Fire, num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(in_channels)
        self.parts, self.smallest = layout.parts, layout.smallest
        last_of_its_size = [part for part, then in pairwise(layout.parts) if then.startswith("maxpool")]
        self.stages = ("conv1", *last_of_its_size, "fire9")
        self.conv1 = conv(in_channels, layout.filters, layout.k, stride=2)
        c = layout.filters
        for part in layout.parts:
            if part in FIRES:
                self.add_module(part, unit(c, FIRES[part]))
                c = FIRES[part].e1x1 + FIRES[part].e3x3
            else:
                self.add_module(part, nn.MaxPool2d(3, stride=2, ceil_mode=True))
        self.dropout = nn.Dropout(0.5)                              # "after the fire9 module"
        self.conv10, self.avgpool10 = conv(c, num_classes, 1), nn.AdaptiveAvgPool2d(1)
        self.apply(self.initialise)
        nn.init.normal_(self.conv10.conv.weight, std=0.01)

    def initialise(self, layer):
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="linear")  # what Caffe calls xavier
            nn.init.zeros_(layer.bias)

    def forward(self, x):                                           # (N, 3, 227, 227)
        x = self.conv1(x)                                           # (N, 96, 111, 111)
        for part in self.parts:
            x = self.get_submodule(part)(x)                         # Table 1, its row's output
        return self.avgpool10(self.conv10(self.dropout(x))).flatten(1)          # (N, num_classes)


VARIANTS = {
    "squeezenet1_0": partial(SqueezeNet, V1_0),
    "squeezenet1_0_simple_bypass": partial(SqueezeNet, V1_0, simple_bypass),
    "squeezenet1_0_complex_bypass": partial(SqueezeNet, V1_0, complex_bypass),
    "squeezenet1_1": partial(SqueezeNet, V1_1),
}
PAPER = {name: RELEASE if name == "squeezenet1_1" else AS_PRINTED for name in VARIANTS}

ERRATA = {("size", "maxpool8"): ("The next row, which keeps the size, prints 13x13; a square map "
                                 "stays square."),
          ("size", "input"): "A 7x7 of stride 2 makes 109x109 of 224x224, 112x112 if padded by 3. "
                             "conv1's 111x111 takes 227, which the authors' files crop."}


def table_claims(row: Row) -> tuple[Claim, ...]:
    h, w, c = row.output.split("x")
    printed = (("size", f"{c}x{h}x{w}"), ("layers", row.depth), ("params", row.params))
    return tuple(Claim(quantity, number, "Table 1", row.part, ERRATA.get((quantity, row.part), ""))
                 for quantity, number in printed if number)


MOBILENET = "MobileNets (arXiv:1704.04861v1), Table 9"
CLAIMS = {
    "squeezenet1_0": (
        Claim("size", "3x224x224", "Table 1", "input", ERRATA["size", "input"]),
        *(claim for row in TABLE for claim in table_claims(row)),
        Claim("params", "1,248,424", "Table 1, total"),
        Claim("params", "1.25 million", MOBILENET),
        Claim("macs", "1700 million", MOBILENET, erratum=(
            "The authors' README prints 1.72 GFLOPS for their files, which pad conv10: 861,339,936 "
            "multiply-adds, counted as two operations each. The figure for AlexNet beside it "
            "counts one.")),
        *counts("ShuffleNet (arXiv:1707.01083), Table 6", "", "833M"),
        Claim("bytes", "4.8MB", "The authors' README: the pretrained model"),
        Claim("flops", "1.72G", "README of SqueezeNet v1.1", erratum=(
            "The authors' files pad conv10 by 1: 861,339,936 multiply-adds, twice which is 1.72 "
            "billion. Table 1 does not pad it.")),
        *torchvision("SqueezeNet1_0_Weights", "1,248,424", "0.819", at="224x224")),
    "squeezenet1_1": (
        Claim("flops", "0.72G", "README, computation", erratum=(
            "0.78 billion at the 227x227 that the release crops, 0.70 at 224x224. The README calls "
            "v1.1 2.4 times cheaper than v1.0, and 0.72 is the 1.72 of v1.0 over 2.4.")),
        *torchvision("SqueezeNet1_1_Weights", "1,235,496", "0.349", at="224x224")),
}
