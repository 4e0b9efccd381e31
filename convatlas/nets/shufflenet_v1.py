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
from functools import partial
from typing import NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F

from convatlas.layers import ChannelShuffle, ConvBN, Network, seq
from convatlas.paper import Claim, Paper, counts, sizes

PAPER = Paper(
    title="ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices",
    authors="Zhang, Zhou, Lin, Sun", year=2018, venue="CVPR", arxiv="1707.01083v2",
    code="github.com/megvii-model/ShuffleNet-Series ShuffleNetV1",
    silent="Padding (1 wherever a kernel is 3x3, the average pool counting it), no bias in FC, and "
           "the initial weights: the authors' code. Conv1 under a scale factor: that code's 12, 24 "
           "and 48 filters at 0.5, 1.5 and 2, which give the printed 38M, 292M and 524M, and 16 at "
           "0.5 with 8 groups. At 0.25, where there is no code, 12 give the printed 13M; with 8 "
           "groups only multiples of 8 can be built, hence 8. The paper also reports 0.5 and 0.25 "
           "with 2 and 4 groups, whose scaled bottlenecks (25, 34 and so on) these do not divide; "
           "it does not say how it rounded them. The shuffle is the printed one, (g, n) to (n, g), "
           "before the depthwise convolution; the authors' code has it after, and its inverse.",
    page="shufflenet_v1", bare="shufflenet_v1_g3")


class Stage(NamedTuple):    # the units of Table 1, both rows of a stage in one
    name: str
    output: str
    repeat: int
    channels: dict[int, int]        # by the number of groups


STAGES = (
    Stage("Stage2", "28x28", 1 + 3, {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}),
    Stage("Stage3", "14x14", 1 + 7, {1: 288, 2: 400, 3: 480, 4: 544, 8: 768}),
    Stage("Stage4", "7x7", 1 + 3, {1: 576, 2: 800, 3: 960, 4: 1088, 8: 1536}),
)
COMPLEXITY = {1: "143M", 2: "140M", 3: "137M", 4: "133M", 8: "137M"}


def branch(c_in: int, c_out: int, groups: tuple[int, int], bottleneck: int, s: int) -> nn.Sequential:
    """The way through a unit: groups of the first and of the second 1x1; no ReLU after the
    depthwise convolution.
    """
    return seq(gconv1=ConvBN(c_in, bottleneck, 1, groups=groups[0]), relu=nn.ReLU(), shuffle=ChannelShuffle(groups[1]),
               dwconv=ConvBN(bottleneck, bottleneck, 3, s, groups=bottleneck),
               gconv2=ConvBN(bottleneck, c_out, 1, groups=groups[1]))


class Unit(nn.Module):
    """Figure 2(b).  (N, c, H, W) -> same; the bottleneck has a quarter of the channels, Sec. 3.3"""

    def __init__(self, c: int, g: int):
        super().__init__()
        self.branch = branch(c, c, (g, g), c // 4, s=1)

    def forward(self, x):
        return F.relu(x + self.branch(x))


class UnitStride2(nn.Module):
    """Figure 2(c): the shortcut is pooled and joined.  (N, c_in, H, W) -> (N, c_out, H/2, W/2)"""

    def __init__(self, c_in: int, c_out: int, g_first: int, g: int):
        super().__init__()
        self.branch = branch(c_in, c_out - c_in, (g_first, g), c_out // 4, s=2)
        self.shortcut = nn.AvgPool2d(3, stride=2, padding=1)

    def forward(self, x):
        return F.relu(torch.cat((self.shortcut(x), self.branch(x)), dim=1))


def as_released(layer: nn.Module, first: nn.Module) -> None:
    """The initial weights of the authors' code; `first` is the first convolution."""
    if isinstance(layer, nn.Conv2d):
        nn.init.normal_(layer.weight, std=0.01 if layer is first else 1 / layer.weight.shape[1])
    elif isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, std=0.01)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.constant_(layer.bias, 0.0001)


class ShuffleNetV1(Network):
    stages, classifier_path = ("Conv1", "MaxPool", *(stage.name for stage in STAGES)), "FC"

    def __init__(self, g: int, s: float = 1, conv1: int = 24, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.Conv1 = seq(conv=ConvBN(in_channels, conv1, 3, stride=2), relu=nn.ReLU())
        self.MaxPool = nn.MaxPool2d(3, stride=2, padding=1)
        c = conv1
        for stage in STAGES:
            c_out = int(stage.channels[g] * s)
            # Table 1, caption: its input channels are few
            g_first = 1 if stage.name == "Stage2" else g
            self.add_module(stage.name, nn.Sequential(
                UnitStride2(c, c_out, g_first, g), *(Unit(c_out, g) for _ in range(stage.repeat - 1))))
            c = c_out
        self.FC = nn.Linear(c, num_classes, bias=False)
        self.apply(self.initialise)

    def initialise(self, layer):
        as_released(layer, first=self.Conv1.conv.conv)

    def forward(self, x):                               # (N, 3, 224, 224)
        x = self.MaxPool(self.Conv1(x))                 # (N, 24, 56, 56)
        for stage in STAGES:
            x = self.get_submodule(stage.name)(x)       # (N, channels, stage.output)
        return self.FC(x.mean((2, 3)))                  # (N, num_classes)


CONV1 = {"_x0_25": (0.25, 12), "_x0_5": (0.5, 12), "": (1, 24), "_x1_5": (1.5, 24), "_x2_0": (2, 48)}
CONV1_OF_8_GROUPS = CONV1 | {"_x0_25": (0.25, 8), "_x0_5": (0.5, 16)}
VARIANTS = {f"shufflenet_v1_g{g}{suffix}": partial(ShuffleNetV1, g, s, conv1)
            for g in STAGES[0].channels
            for suffix, (s, conv1) in (CONV1_OF_8_GROUPS if g == 8 else CONV1).items()
            if g not in (2, 4) or s in (1, 2)}          # the others do not divide

WITHOUT_FC = "Without the full layer it has {}; Table 1 leaves that layer out."
ROUNDED = "Table 2 has one figure for all numbers of groups; for this network Table 1 prints {}."
CONV1_16 = ("With the 12 filters in Conv1 that the other networks have it would have 38.5M, but 8 "
            "groups do not divide 192 - 12 channels; the authors' code takes 16.")


def printed(g: int) -> tuple[Claim, ...]:
    """Column g of Table 1, and what is said of all of its columns."""
    outputs = {"Conv1": "24x112x112", "MaxPool": "24x56x56"} | {s.name: f"{s.channels[g]}x{s.output}" for s in STAGES}
    without = {4: WITHOUT_FC.format("133,251,776"), 8: WITHOUT_FC.format("136,829,952")}
    rounded = "" if g == 2 else ROUNDED.format(COMPLEXITY[g])
    return (Claim("size", "3x224x224", "Table 1", "input"), *sizes("Table 1", outputs),
            Claim("units", "1000", "Table 1, FC", "FC"), Claim("layers", "50", "Sec. 4.3"),
            Claim("macs", COMPLEXITY[g], "Table 1, complexity", erratum=without.get(g, "")),
            Claim("macs", "140M", "Table 2, ShuffleNet 1x", erratum=rounded))


MOBILENET_V2 = "MobileNetV2 (arXiv:1801.04381), Table 4"
README = {"g3_x2_0": ("5.4M", "524M"), "g8_x2_0": ("6.5M", "522M"), "g3_x1_5": ("3.4M", "292M"),
          "g8_x1_5": ("4.3M", "290M"), "g3": ("1.9M", "138M"), "g8": ("2.4M", "138M"), "g3_x0_5": ("0.7M", "38M"),
          "g8_x0_5": ("1.0M", "40M")}
CLAIMS = {
    **{f"shufflenet_v1_g{g}": printed(g) for g in COMPLEXITY},
    **{f"shufflenet_v1_g{g}_x0_25": (Claim("macs", "13M", ("Table 2, ShuffleNet "
                                                          "0.25x")),) for g in (1, 3, 8)},
    **{f"shufflenet_v1_g{g}_x0_5": (Claim("macs", "38M", ("Table 2, ShuffleNet "
                                                         "0.5x")),) for g in (1, 3)},
    "shufflenet_v1_g8_x0_5": (Claim("macs", "38M", "Table 2, ShuffleNet 0.5x", erratum=CONV1_16),),
    "shufflenet_v1_g3_x1_5": (Claim("macs", "292M", "Table 5"), *counts(MOBILENET_V2, "3.4M", "292M")),
    "shufflenet_v1_g3_x2_0": (Claim("macs", "524M", "Tables 5 and 6"), *counts(MOBILENET_V2, "5.4M", "524M")),
}
for suffix, printed_there in README.items():
    name = f"shufflenet_v1_{suffix}"
    CLAIMS[name] = CLAIMS.get(name, ()) + counts("The authors' README", *printed_there)
