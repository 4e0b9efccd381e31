"""ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices (Zhang et al.;
CVPR 2018).

Table 1; the first unit of each stage has stride 2.

    layer    output   kernel, stride, repeat   channels for g groups = 1    2     3     4     8
    Conv1    112x112  3x3, 2                                        24    24    24    24    24
    MaxPool  56x56    3x3, 2
    Stage2   28x28    units: 1 of stride 2, 3 of stride 1          144   200   240   272   384
    Stage3   14x14    units: 1 of stride 2, 7 of stride 1          288   400   480   544   768
    Stage4   7x7      units: 1 of stride 2, 3 of stride 1          576   800   960  1088  1536
    FC                after a 7x7 global pool                     1000  1000  1000  1000  1000
    complexity                                                    143M  140M  137M  133M  137M
"""
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from convatlas.layers import ChannelShuffle, ConvBN, Network, seq, shufflenet_init
from convatlas.paper import Paper

PAPER = Paper(
    title="ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices",
    authors="Zhang, Zhou, Lin, Sun",
    year=2018, venue="CVPR", arxiv="1707.01083v2",
    code="github.com/megvii-model/ShuffleNet-Series ShuffleNetV1",
    silent="Padding (1 wherever a kernel is 3x3, the average pool counting it), no bias in FC, and "
           "the initial weights: the authors' code. Conv1 under a scale factor: that code's 12, 24 "
           "and 48 filters at 0.5, 1.5 and 2, which give the printed 38M, 292M and 524M, and 16 at "
           "0.5 with 8 groups. At 0.25, where there is no code, 12 give the printed 13M; with 8 "
           "groups only multiples of 8 can be built, hence 8. The paper also reports 0.5 and 0.25 "
           "with 2 and 4 groups, whose scaled bottlenecks (25, 34 and so on) these do not divide; "
           "it does not say how it rounded them. Nor does it say how wide the 26 layers of its "
           "0.5x shallow are (Table 5): half of the units at half the width are 21.6M "
           "multiply-adds, and 40M are printed. The shuffle is the printed one, (g, n) to (n, g), "
           "before the depthwise convolution; the authors' code has it after, and its inverse. "
           "Behind Stage2's first layer, which is not grouped, it stands as well, as it does "
           "there. Batch norm's epsilon and momentum are PyTorch's, 1e-5 and 0.1, as there.",
    page="shufflenet_v1", bare="shufflenet_v1_g3")


class Column(NamedTuple):   # of Table 1
    Stage2: int
    Stage3: int
    Stage4: int
    complexity: str


TABLE = {                   # by the number of groups
    1: Column(144, 288, 576, "143M"),
    2: Column(200, 400, 800, "140M"),
    3: Column(240, 480, 960, "137M"),
    4: Column(272, 544, 1088, "133M"),
    8: Column(384, 768, 1536, "137M"),
}


def branch(c_in: int, middle: int, c_out: int, g_first: int, g: int, stride: int) -> nn.Sequential:
    """The way through a unit, of `g_first` and `g` groups; no ReLU after the 3x3 convolution."""
    return seq(
        gconv1=ConvBN(c_in, middle, 1, groups=g_first), relu=nn.ReLU(),
        shuffle=ChannelShuffle(g),
        dwconv=ConvBN(middle, middle, 3, stride, groups=middle),
        gconv2=ConvBN(middle, c_out, 1, groups=g))


# (c_in, middle, c_out, g_first, g, stride) -> the way through a unit
Branch = Callable[[int, int, int, int, int, int], nn.Sequential]


class Unit(nn.Module):
    """Figure 2(b), stride 1; the bottleneck has a quarter of the channels, Sec. 3.3.

    (N, c, H, W) -> the same shape
    """

    def __init__(self, branch: Branch, c: int, g: int):
        super().__init__()
        self.branch = branch(c, c // 4, c, g, g, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.branch(x))


class UnitStride2(nn.Module):
    """Figure 2(c): the shortcut is pooled and concatenated.

    (N, c_in, H, W) -> (N, c_out, H/2, W/2)
    """

    def __init__(self, branch: Branch, c_in: int, c_out: int, g_first: int, g: int):
        super().__init__()
        self.branch = branch(c_in, c_out // 4, c_out - c_in, g_first, g, 2)
        self.shortcut = nn.AvgPool2d(3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(torch.cat((self.shortcut(x), self.branch(x)), dim=1))


def stage(branch: Branch, c_in: int, c_out: int, units: int, g_first: int,
          g: int) -> nn.Sequential:
    """`units` units, the first of stride 2.  (N, c_in, H, W) -> (N, c_out, H/2, W/2)"""
    first = UnitStride2(branch, c_in, c_out, g_first, g)
    return nn.Sequential(first, *(Unit(branch, c_out, g) for _ in range(units - 1)))


class ShuffleNetV1(Network):
    """Table 1, the column of `g` groups.  (N, 3, 224, 224) -> (N, num_classes)"""

    stages = ("Conv1", "MaxPool", "Stage2", "Stage3", "Stage4")
    classifier_path = "FC"

    def __init__(self, g: int, s: float = 1, conv1: int = 24, branch: Branch = branch,
                 num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        c2 = int(TABLE[g].Stage2 * s)
        c3 = int(TABLE[g].Stage3 * s)
        c4 = int(TABLE[g].Stage4 * s)
        self.Conv1 = seq(conv=ConvBN(in_channels, conv1, 3, stride=2), relu=nn.ReLU())
        self.MaxPool = nn.MaxPool2d(3, stride=2, padding=1)
        # Table 1, caption: not grouped, for its input channels are few
        self.Stage2 = stage(branch, conv1, c2, 4, g_first=1, g=g)
        self.Stage3 = stage(branch, c2, c3, 8, g_first=g, g=g)
        self.Stage4 = stage(branch, c3, c4, 4, g_first=g, g=g)
        self.FC = nn.Linear(c4, num_classes, bias=False)
        self.apply(self.initialise)

    def initialise(self, layer: nn.Module) -> None:
        shufflenet_init(layer, first=self.Conv1.conv.conv)

    def forward(self, x: Tensor) -> Tensor:     # (N, 3, 224, 224); 3 groups:
        x = self.MaxPool(self.Conv1(x))         # (N, 24, 112, 112), (N, 24, 56, 56)
        x = self.Stage2(x)                      # (N, 240, 28, 28)
        x = self.Stage3(x)                      # (N, 480, 14, 14)
        x = self.Stage4(x)                      # (N, 960, 7, 7)
        return self.FC(x.mean((2, 3)))          # (N, num_classes)


# scale factor and filters of Conv1, by the suffix of a name
CONV1 = {
    "_x0_25": (0.25, 12), "_x0_5": (0.5, 12), "": (1, 24), "_x1_5": (1.5, 24), "_x2_0": (2, 48)}
CONV1_OF_8_GROUPS = CONV1 | {"_x0_25": (0.25, 8), "_x0_5": (0.5, 16)}
UNDIVIDED = {"": (1, 24), "_x2_0": (2, 48)}      # with the other scales 2 and 4 do not divide
SCALES = {1: CONV1, 2: UNDIVIDED, 3: CONV1, 4: UNDIVIDED, 8: CONV1_OF_8_GROUPS}
VARIANTS = {f"shufflenet_v1_g{g}{suffix}": partial(ShuffleNetV1, g, s, conv1)
            for g in TABLE for suffix, (s, conv1) in SCALES[g].items()}
