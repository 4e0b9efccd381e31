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
from torch import Tensor

from convatlas.layers import ChannelShuffle, ConvBN, Network, seq, shufflenet_init
from convatlas.paper import Paper

PAPER = Paper(
    title="ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design",
    authors="Ma, Zhang, Zheng, Sun",
    year=2018, venue="ECCV", arxiv="1807.11164v1",
    code="github.com/megvii-model/ShuffleNet-Series ShuffleNetV2",
    silent="How a unit of stride 2 shares its output between its two branches: as in the authors' "
           "code the shortcut keeps its channels and the other branch adds the rest, which alone "
           "gives the printed 146M, 299M and 591M. Padding, initial weights, and no bias in FC: "
           "the authors' code, which at 2x also drops out 0.2 before FC. The shuffle is the one of "
           "ShuffleNet, as the paper says; the code splits even from odd channels instead, its "
           "inverse, which comes to the same wherever both branches are equally wide: all but the "
           "first unit.",
    page="shufflenet_v2")


class Column(NamedTuple):   # of Table 5
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


def main_branch(c_in: int, middle: int, c_out: int, stride: int) -> nn.Sequential:
    """Figure 3(c) and (d), right: no ReLU after the depthwise convolution."""
    return seq(
        conv1=ConvBN(c_in, middle, 1), relu1=nn.ReLU(),
        dwconv=ConvBN(middle, middle, 3, stride, groups=middle),
        conv2=ConvBN(middle, c_out, 1), relu2=nn.ReLU())


# (c_in, middle, c_out, stride) -> the right branch of a unit
Main = Callable[[int, int, int, int], nn.Sequential]


class Unit(nn.Module):
    """Figure 3(c): half of the channels pass by.  (N, c, H, W) -> the same shape"""

    def __init__(self, c: int, main: Main = main_branch):
        super().__init__()
        self.main = main(c // 2, c // 2, c // 2, 1)
        self.shuffle = ChannelShuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        passing, worked_on = x.chunk(2, dim=1)
        return self.shuffle(torch.cat((passing, self.main(worked_on)), dim=1))


class FirstUnit(nn.Module):
    """Figure 3(d): both branches read all channels; `kept` of the c_out are the shortcut's.

    (N, c_in, H, W) -> (N, c_out, H/stride, W/stride)
    """

    def __init__(self, c_in: int, c_out: int, kept: int, stride: int, main: Main = main_branch):
        super().__init__()
        self.shortcut = seq(
            dwconv=ConvBN(c_in, c_in, 3, stride, groups=c_in),
            conv=ConvBN(c_in, kept, 1), relu=nn.ReLU())
        self.main = main(c_in, c_out // 2, c_out - kept, stride)
        self.shuffle = ChannelShuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.shuffle(torch.cat((self.shortcut(x), self.main(x)), dim=1))


def stage(c_in: int, c_out: int, units: int, stride: int = 2,
          main: Main = main_branch) -> nn.Sequential:
    """The shortcut of the first unit keeps its channels, as in the authors' code.

    (N, c_in, H, W) -> (N, c_out, H/stride, W/stride)
    """
    first = FirstUnit(c_in, c_out, kept=c_in, stride=stride, main=main)
    return nn.Sequential(first, *(Unit(c_out, main) for _ in range(units - 1)))


class ShuffleNetV2(Network):
    """Table 5, a column.  (N, 3, 224, 224) -> (N, num_classes)"""

    stages = ("Conv1", "MaxPool", "Stage2", "Stage3", "Stage4", "Conv5")
    classifier_path = "FC"

    def __init__(self, column: Column, main: Main = main_branch, num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(in_channels)
        self.Conv1 = seq(conv=ConvBN(in_channels, 24, 3, stride=2), relu=nn.ReLU())
        self.MaxPool = nn.MaxPool2d(3, stride=2, padding=1)
        self.Stage2 = stage(24, column.Stage2, units=4, main=main)
        self.Stage3 = stage(column.Stage2, column.Stage3, units=8, main=main)
        self.Stage4 = stage(column.Stage3, column.Stage4, units=4, main=main)
        self.Conv5 = seq(conv=ConvBN(column.Stage4, column.Conv5, 1), relu=nn.ReLU())
        self.dropout = nn.Dropout(column.dropout)
        self.FC = nn.Linear(column.Conv5, num_classes, bias=False)
        self.apply(self.initialise)

    def initialise(self, layer: nn.Module) -> None:
        shufflenet_init(layer, first=self.Conv1.conv.conv)

    def forward(self, x: Tensor) -> Tensor:     # (N, 3, 224, 224); at 1x:
        x = self.MaxPool(self.Conv1(x))         # (N, 24, 112, 112), (N, 24, 56, 56)
        x = self.Stage2(x)                      # (N, 116, 28, 28)
        x = self.Stage3(x)                      # (N, 232, 14, 14)
        x = self.Stage4(x)                      # (N, 464, 7, 7)
        x = self.Conv5(x).mean((2, 3))          # (N, 1024, 7, 7), (N, 1024)
        return self.FC(self.dropout(x))         # (N, num_classes)


VARIANTS = {f"shufflenet_v2{suffix}": partial(ShuffleNetV2, column)
            for suffix, column in TABLE.items()}
