"""ShuffleNetV1 as tutorials copy it: a PyTorch version of 2017.

Units and repeats are Table 1's, but every convolution that is not depthwise has a bias, conv1 has
neither batch norm nor ReLU, and one group has 567 channels in its last stage where the table has
576.

    layer    output   units                      channels for g groups = 1    2     3     4     8
    conv1    112x112  3x3, stride 2                                     24    24    24    24    24
    maxpool  56x56    3x3, stride 2, padding 1
    stage2   28x28    1 of stride 2, 3 of stride 1                     144   200   240   272   384
    stage3   14x14    1 of stride 2, 7 of stride 1                     288   400   480   544   768
    stage4   7x7      1 of stride 2, 3 of stride 1                     567   800   960  1088  1536
    fc                after a global average

A unit: 1x1 in g groups (in stage2's first not grouped) to a quarter of the unit's channels, rounded
down, BN, ReLU; shuffle; 3x3 depthwise, BN; 1x1 in g groups, BN. It is added to its input, or with
stride 2 put behind its input after a 3x3 average pool (padding 1, counted); then ReLU.
"""
from functools import partial

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from convatlas.layers import ChannelShuffle, Network, seq
from convatlas.paper import Paper

PAPER = Paper(
    title="ShuffleNet (jaxony)", authors="jaxony", year=2017,
    code="github.com/jaxony/ShuffleNet model.py",
    silent="There is no paper of this copy. That code has a bias in the depthwise convolutions too "
           "(1,508,965 parameters for one group); the copy that tutorials print has none, inferred "
           "from its counts, 1,507,681 to 2,450,848, which are met for all five. Initial weights "
           "are the code's: He's by fan-out for convolutions, N(0, 0.001) for the last layer, "
           "biases 0.",
    departs="Logits come out, where the code gives log_softmax of them.",
    page="shufflenet_v1_tutorial", bare="shufflenet_v1_g3_tutorial")

TABLE = {                   # by the number of groups: channels of stage2, stage3, stage4
    1: (144, 288, 567),
    2: (200, 400, 800),
    3: (240, 480, 960),
    4: (272, 544, 1088),
    8: (384, 768, 1536),
}


def branch(c_in: int, middle: int, c_out: int, g_first: int, g: int, stride: int) -> nn.Sequential:
    return seq(
        gconv1=nn.Conv2d(c_in, middle, 1, groups=g_first), bn1=nn.BatchNorm2d(middle),
        relu=nn.ReLU(), shuffle=ChannelShuffle(g),
        dwconv=nn.Conv2d(middle, middle, 3, stride, padding=1, groups=middle, bias=False),
        bn2=nn.BatchNorm2d(middle),
        gconv2=nn.Conv2d(middle, c_out, 1, groups=g), bn3=nn.BatchNorm2d(c_out))


class Unit(nn.Module):
    """(N, c, H, W) -> the same shape"""

    def __init__(self, branch: nn.Module):
        super().__init__()
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.branch(x))


class UnitStride2(nn.Module):
    """(N, c, H, W) -> (N, c + c_out of the branch, H/2, W/2)"""

    def __init__(self, branch: nn.Module):
        super().__init__()
        self.branch = branch
        self.shortcut = nn.AvgPool2d(3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(torch.cat((self.shortcut(x), self.branch(x)), dim=1))


def stage(c_in: int, c_out: int, units: int, g_first: int, g: int) -> nn.Sequential:
    """`units` units, the first of stride 2.  (N, c_in, H, W) -> (N, c_out, H/2, W/2)"""
    middle = c_out // 4
    layers = nn.Sequential(UnitStride2(branch(c_in, middle, c_out - c_in, g_first, g, stride=2)))
    for _ in range(units - 1):
        layers.append(Unit(branch(c_out, middle, c_out, g, g, stride=1)))
    return layers


class ShuffleNetV1Tutorial(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""

    stages = ("conv1", "maxpool", "stage2", "stage3", "stage4")

    def __init__(self, g: int, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        c2, c3, c4 = TABLE[g]
        self.conv1 = nn.Conv2d(in_channels, 24, 3, stride=2, padding=1)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.stage2 = stage(24, c2, 4, g_first=1, g=g)
        self.stage3 = stage(c2, c3, 8, g_first=g, g=g)
        self.stage4 = stage(c3, c4, 4, g_first=g, g=g)
        self.fc = nn.Linear(c4, num_classes)
        self.apply(self.initialise)

    def initialise(self, layer: nn.Module) -> None:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out")
        elif isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.001)
        if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:     # (N, 3, 224, 224); 3 groups:
        x = self.maxpool(self.conv1(x))         # (N, 24, 112, 112), (N, 24, 56, 56)
        x = self.stage2(x)                      # (N, 240, 28, 28)
        x = self.stage3(x)                      # (N, 480, 14, 14)
        x = self.stage4(x)                      # (N, 960, 7, 7)
        return self.fc(x.mean((2, 3)))          # (N, num_classes)


VARIANTS = {f"shufflenet_v1_g{g}_tutorial": partial(ShuffleNetV1Tutorial, g) for g in TABLE}
