"""SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size (Iandola, Han,
Moskewicz, Ashraf, Dally, Keutzer; 2016).

TABLE below is Table 1 row for row: a fire module squeezes to s1x1 channels and expands to e1x1 +
e3x3. Every convolution has a bias and a ReLU after it, the last one too.
"""
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn as nn
from torch import Tensor

from convatlas.layers import Network, seq
from convatlas.paper import Paper

PAPER = Paper(
    title="SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size",
    authors="Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer",
    year=2016, arxiv="1602.07360v4", code="github.com/forresti/SqueezeNet",
    silent="The image: Table 1 prints 224x224, but its 111x111 for conv1 takes 227 (7x7/2, "
           "unpadded), which the authors' files crop. Pools round up and are not padded, as in "
           "those files. conv10 is not padded, for Table 1's 13x13; the authors' files pad it by "
           "1. Initial weights: uniform by fan-in, in conv10 normal with standard deviation 0.01, "
           "as in the files. Biases start at 0.",
    page="squeezenet", bare="squeezenet1_0")


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
    Row("maxpool4", "27x27x256", "0"),                                  # 3x3/2
    Row("fire5", "27x27x256", "2", 32, 128, 128, "49,440"),
    Row("fire6", "27x27x384", "2", 48, 192, 192, "104,880"),
    Row("fire7", "27x27x384", "2", 48, 192, 192, "111,024"),
    Row("fire8", "27x27x512", "2", 64, 256, 256, "188,992"),
    Row("maxpool8", "13x12x512", "0"),                                  # 3x3/2
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


def conv(c_in: int, c_out: int, k: int, stride: int = 1, padding: int = 0) -> nn.Sequential:
    return seq(conv=nn.Conv2d(c_in, c_out, k, stride, padding), relu=nn.ReLU())


class Fire(nn.Module):
    """Figure 1.  (N, c, H, W) -> (N, e1x1 + e3x3, H, W)"""

    def __init__(self, c: int, row: Row):
        super().__init__()
        self.squeeze = conv(c, row.s1x1, 1)
        self.expand1x1 = conv(row.s1x1, row.e1x1, 1)
        self.expand3x3 = conv(row.s1x1, row.e3x3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze(x)
        return torch.cat([self.expand1x1(x), self.expand3x3(x)], dim=1)


class Bypass(nn.Module):
    """A fire module and its bypass, added; nothing after the sum.

    (N, c, H, W) -> (N, e1x1 + e3x3, H, W)
    """

    def __init__(self, fire: Fire, shortcut: nn.Module):
        super().__init__()
        self.fire = fire
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        return self.fire(x) + self.shortcut(x)


def simple_bypass(c: int, row: Row) -> nn.Module:
    """Figure 2, middle: around fire 3, 5, 7 and 9, where as many channels go in as come out."""
    fire = Fire(c, row)
    return Bypass(fire, nn.Identity()) if c == row.e1x1 + row.e3x3 else fire


def complex_bypass(c: int, row: Row) -> nn.Module:
    """Figure 2, right: around the others a 1x1 convolution."""
    c_out = row.e1x1 + row.e3x3
    return Bypass(Fire(c, row), nn.Identity() if c == c_out else nn.Conv2d(c, c_out, 1))


class SqueezeNet(Network):
    """(N, 3, 227, 227) -> (N, num_classes)"""

    side = 227
    classifier_path = "conv10.conv"

    def __init__(self, layout: Layout, unit: Callable[[int, Row], nn.Module] = Fire,
                 num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.parts = layout.parts
        self.smallest = layout.smallest
        before_pools = [part for part, then in pairwise(layout.parts) if then.startswith("maxpool")]
        self.stages = ("conv1", *before_pools, "fire9")
        self.conv1 = conv(in_channels, layout.filters, layout.k, stride=2)
        c = layout.filters
        for part in layout.parts:
            if part in FIRES:
                self.add_module(part, unit(c, FIRES[part]))
                c = FIRES[part].e1x1 + FIRES[part].e3x3
            else:
                self.add_module(part, nn.MaxPool2d(3, stride=2, ceil_mode=True))
        self.dropout = nn.Dropout(0.5)                              # "after the fire9 module"
        self.conv10 = conv(c, num_classes, 1)
        self.avgpool10 = nn.AdaptiveAvgPool2d(1)
        self.apply(self.initialise)
        self.narrow_last()

    def narrow_last(self) -> None:
        nn.init.normal_(self.conv10.conv.weight, std=0.01)

    def reset_classifier(self, num_classes: int) -> None:
        super().reset_classifier(num_classes)
        if num_classes:
            self.narrow_last()

    def initialise(self, layer: nn.Module) -> None:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="linear")  # what Caffe calls xavier
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:                         # (N, 3, 227, 227)
        x = self.conv1(x)                                           # (N, 96, 111, 111)
        for part in self.parts:
            x = self.get_submodule(part)(x)                         # Table 1, its row's output
        x = self.conv10(self.dropout(x))                            # (N, num_classes, 13, 13)
        return self.avgpool10(x).flatten(1)                         # (N, num_classes)


VARIANTS = {
    "squeezenet1_0": partial(SqueezeNet, V1_0),
    "squeezenet1_0_simple_bypass": partial(SqueezeNet, V1_0, simple_bypass),
    "squeezenet1_0_complex_bypass": partial(SqueezeNet, V1_0, complex_bypass),
}
