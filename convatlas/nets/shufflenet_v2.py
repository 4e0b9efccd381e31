"""ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design (Ma, Zhang, Zheng, Sun;
ECCV 2018).

Table 5; the first unit of each stage has stride 2.

    layer    output   kernel, stride, repeat            channels at 0.5x     1x   1.5x     2x
    Conv1    112x112  3x3, 2                                          24     24     24     24
    MaxPool  56x56    3x3, 2
    Stage2   28x28    units: 1 of stride 2, 3 of stride 1             48    116    176    244
    Stage3   14x14    units: 1 of stride 2, 7 of stride 1             96    232    352    488
    Stage4   7x7      units: 1 of stride 2, 3 of stride 1            192    464    704    976
    Conv5    7x7      1x1, 1                                        1024   1024   1024   2048
    FC                after a 7x7 global pool                       1000   1000   1000   1000
    FLOPs                                                            41M   146M   299M   591M
    weights                                                         1.4M   2.3M   3.5M   7.4M
"""
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
import torch.nn as nn

from convatlas.layers import ChannelShuffle, ConvBN, Network, seq
from convatlas.nets.shufflenet_v1 import as_released
from convatlas.paper import Claim, Paper, sizes, torchvision

ECCV = Paper(
    title="ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design",
    authors="Ma, Zhang, Zheng, Sun", year=2018, venue="ECCV", arxiv="1807.11164v1",
    code="github.com/megvii-model/ShuffleNet-Series ShuffleNetV2",
    silent="How a unit of stride 2 shares its output between its two branches: as in the authors' "
           "code the shortcut keeps its channels and the other branch adds the rest, which alone "
           "gives the printed 146M, 299M and 591M. How conv2_x of ShuffleNet v2-50 gets from 64 "
           "channels to 244 at stride 1: by the same unit without the stride, which gives the "
           "printed 2.3G. Padding, initial weights, and no bias in FC: the authors' code, which at "
           "2x also drops out 0.2 before FC; there is none for the 50 layers, whose fc has a bias. "
           "The shuffle is the one of ShuffleNet, as the paper says; the code splits even from odd "
           "channels instead, its inverse, which comes to the same wherever both branches are "
           "equally wide: all but the first unit.",
    page="shufflenet_v2")
TORCHVISION = Paper(
    title="ShuffleNet V2 (torchvision)", authors="torchvision contributors", year=2019,
    code="github.com/pytorch/vision",
    silent="There is no paper: this is what most libraries call ShuffleNet V2. Initial weights are "
           "PyTorch's own, as there.",
    page="shufflenet_v2_torchvision")


class Column(NamedTuple):   # a column of Table 5
    Stage2: int
    Stage3: int
    Stage4: int
    Conv5: int
    flops: str
    weights: str
    dropout: float = 0.0    # before FC: not printed


TABLE = {
    "_x0_5": Column(48, 96, 192, 1024, "41M", "1.4M"),
    "": Column(116, 232, 464, 1024, "146M", "2.3M"),
    "_x1_5": Column(176, 352, 704, 1024, "299M", "3.5M"),
    "_x2_0": Column(244, 488, 976, 2048, "591M", "7.4M", dropout=0.2),
}
STAGES = {"Stage2": 1 + 3, "Stage3": 1 + 7, "Stage4": 1 + 3}            # units
OUTPUTS = {"Stage2": "28x28", "Stage3": "14x14", "Stage4": "7x7", "Conv5": "7x7"}


def main_branch(c_in: int, middle: int, c_out: int, s: int) -> nn.Sequential:
    """Figure 3(c) and (d), right: no ReLU after the depthwise convolution."""
    return seq(conv1=ConvBN(c_in, middle, 1), relu1=nn.ReLU(),
               dwconv=ConvBN(middle, middle, 3, s, groups=middle),
               conv2=ConvBN(middle, c_out, 1), relu2=nn.ReLU())


def shortcut(c_in: int, c_out: int, s: int) -> nn.Sequential:
    """Figure 3(d), left."""
    return seq(dwconv=ConvBN(c_in, c_in, 3, s, groups=c_in), conv=ConvBN(c_in, c_out, 1), relu=nn.ReLU())


class Unit(nn.Module):
    """Figure 3(c): half of the channels pass by.  (N, c, H, W) -> same"""

    def __init__(self, c: int):
        super().__init__()
        self.main = main_branch(c // 2, c // 2, c // 2, s=1)
        self.shuffle = ChannelShuffle(2)

    def forward(self, x):
        passing, worked_on = x.chunk(2, dim=1)
        return self.shuffle(torch.cat((passing, self.main(worked_on)), dim=1))


class Joined(nn.Module):
    """Figure 3(d): both branches read all channels.  (N, c_in, H, W) -> (N, c_out, H/s, W/s)"""

    def __init__(self, shortcut: nn.Module, main: nn.Module):
        super().__init__()
        self.shortcut, self.main = shortcut, main
        self.shuffle = ChannelShuffle(2)

    def forward(self, x):
        return self.shuffle(torch.cat((self.shortcut(x), self.main(x)), dim=1))


First = Callable[[int, int], nn.Module]         # (c_in, c_out) -> the first unit of a stage


def unit_stride2(c_in: int, c_out: int, s: int = 2) -> Joined:
    """The authors': the shortcut keeps its channels."""
    return Joined(shortcut(c_in, c_in, s), main_branch(c_in, c_out // 2, c_out - c_in, s))


def unit_stride2_halves(c_in: int, c_out: int) -> Joined:
    """torchvision's: each branch gives half."""
    return Joined(shortcut(c_in, c_out // 2, 2), main_branch(c_in, c_out // 2, c_out // 2, 2))


def stage_of(first: First, c_in: int, c_out: int, repeat: int) -> nn.Sequential:
    return nn.Sequential(first(c_in, c_out), *(Unit(c_out) for _ in range(repeat - 1)))


def add_layers(net: Network, column: Column, first: First) -> None:
    """Conv1 to Conv5 become modules of `net`."""
    net.Conv1 = seq(conv=ConvBN(net.in_channels, 24, 3, stride=2), relu=nn.ReLU())
    net.MaxPool = nn.MaxPool2d(3, stride=2, padding=1)
    c = 24
    for name, repeat in STAGES.items():
        net.add_module(name, stage_of(first, c, getattr(column, name), repeat))
        c = getattr(column, name)
    net.Conv5 = seq(conv=ConvBN(c, column.Conv5, 1), relu=nn.ReLU())


class ShuffleNetV2(Network):
    stages, classifier_path = ("Conv1", "MaxPool", *STAGES, "Conv5"), "FC"

    def __init__(self, column: Column, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        add_layers(self, column, unit_stride2)
        self.dropout = nn.Dropout(column.dropout)
        self.FC = nn.Linear(column.Conv5, num_classes, bias=False)
        self.apply(self.initialise)

    def initialise(self, layer):
        as_released(layer, first=self.Conv1.conv.conv)

    def forward(self, x):                               # (N, 3, 224, 224)
        for name in self.stages:
            x = self.get_submodule(name)(x)             # (N, column, OUTPUTS)
        return self.FC(self.dropout(x.mean((2, 3))))    # (N, 1024, 7, 7) -> (N, num_classes)


class ShuffleNetV2Torchvision(Network):
    stages, classifier_path = ShuffleNetV2.stages, "FC"

    def __init__(self, column: Column, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        add_layers(self, column, unit_stride2_halves)
        self.FC = nn.Linear(column.Conv5, num_classes)

    def forward(self, x):                               # (N, 3, 224, 224)
        for name in self.stages:
            x = self.get_submodule(name)(x)
        return self.FC(x.mean((2, 3)))                  # (N, num_classes)


class Large(NamedTuple):    # a row of the appendix's table of large models, column ShuffleNet v2-50
    name: str
    output: str
    c: int
    repeat: int
    s: int                  # conv3_1, conv4_1 and conv5_1 halve, as in ResNet-50 beside it


LARGE = (Large("conv2_x", "56x56", 244, 3, 1), Large("conv3_x", "28x28", 488, 4, 2),
         Large("conv4_x", "14x14", 976, 6, 2), Large("conv5_x", "7x7", 1952, 3, 2))


class ShuffleNetV2Large(Network):
    stages = ("conv1_x", *(row.name for row in LARGE), "conv6")

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1_x = seq(conv=ConvBN(in_channels, 64, 3, stride=2), relu=nn.ReLU())
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        c = 64
        for row in LARGE:
            self.add_module(row.name, stage_of(partial(unit_stride2, s=row.s), c, row.c, row.repeat))
            c = row.c
        self.conv6 = seq(conv=ConvBN(c, 2048, 1), relu=nn.ReLU())
        self.fc = nn.Linear(2048, num_classes)
        self.apply(self.initialise)

    def initialise(self, layer):
        as_released(layer, first=self.conv1_x.conv.conv)

    def forward(self, x):                               # (N, 3, 224, 224)
        x = self.pool(self.conv1_x(x))                  # (N, 64, 56, 56)
        for row in LARGE:
            x = self.get_submodule(row.name)(x)         # (N, row.c, row.output)
        x = self.conv6(x)                               # (N, 2048, 7, 7)
        return self.fc(x.mean((2, 3)))                  # (N, num_classes)


VARIANTS = {
    **{f"shufflenet_v2{suffix}": partial(ShuffleNetV2, column) for suffix, column in TABLE.items()},
    **{f"shufflenet_v2_torchvision{suffix}": partial(ShuffleNetV2Torchvision, column)
       for suffix, column in TABLE.items()},
    "shufflenet_v2_50": ShuffleNetV2Large,
}
PAPER = {name: TORCHVISION if "torchvision" in name else ECCV for name in VARIANTS}
WITH_CONV6 = ("16 units of three, conv1 and the full layer make 50; the printed conv6, a 1x1 "
              "convolution, is one more.")


def printed(column: Column) -> tuple[Claim, ...]:
    outputs = {"Conv1": "24x112x112", "MaxPool": "24x56x56"}
    outputs |= {name: f"{getattr(column, name)}x{size}" for name, size in OUTPUTS.items()}
    return (Claim("size", "3x224x224", "Table 5", "input"), *sizes("Table 5", outputs),
            Claim("units", "1000", "Table 5, FC", "FC"), Claim("macs", column.flops, ("Tables 5 "
                                                                                      "and 8")),
            Claim("params", column.weights, "Table 5"))


CLAIMS = {
    **{f"shufflenet_v2{suffix}": printed(column) for suffix, column in TABLE.items()},
    "shufflenet_v2_50": (
        *sizes("Appendix, large models", {"conv1_x": "64x112x112", "conv6": "2048x7x7"}
               | {row.name: f"{row.c}x{row.output}" for row in LARGE}),
        Claim("units", "1000", "Appendix, large models", "fc"), Claim("macs", "2.3G", "Table 6"),
        Claim("layers", "50", "Sec. 4: a 50-layer ShuffleNet v2", erratum=WITH_CONV6)),
    "shufflenet_v2_torchvision_x0_5": torchvision("ShuffleNet_V2_X0_5_Weights", "1,366,792", "0.04"),
    "shufflenet_v2_torchvision": torchvision("ShuffleNet_V2_X1_0_Weights", "2,278,604", "0.145"),
    "shufflenet_v2_torchvision_x1_5": torchvision("ShuffleNet_V2_X1_5_Weights", "3,503,624", "0.296"),
    "shufflenet_v2_torchvision_x2_0": torchvision("ShuffleNet_V2_X2_0_Weights", "7,393,996", "0.583"),
}
