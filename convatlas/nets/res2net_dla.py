"""Res2Net: A New Multi-scale Backbone Architecture, Sec. 3.3: DLA-60 and DLA-X-60 with Res2Net's
bottlenecks, and as they are.

Deep Layer Aggregation (Yu, Wang, Shelhamer, Darrell; CVPR 2018) joins units in trees: the root, a
1x1 convolution of all that is handed to it, gives out what the level does. A tree of depth 1 has
two units, one of depth n two trees of depth n - 1.

    level    map        channels    DLA-60
    base     224x224    16          7x7
    0        224x224    16          3x3
    1        112x112    32          3x3, stride 2
    2        56x56      128         tree of depth 1
    3        28x28      256         tree of depth 2
    4        14x14      512         tree of depth 3
    5        7x7        1024        tree of depth 1

A unit of DLA-60 is [1x1, c/2][3x3, c/2][1x1, c], one of DLA-X-60 [1x1, c][3x3, c, 32 groups]
[1x1, c], for a level of c channels.
"""
from collections.abc import Callable
from functools import partial

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from convatlas.layers import ConvBN, Network, he_init, seq
from convatlas.nets.res2net import Hierarchy, Parallel, Setting, bottleneck
from convatlas.paper import Paper

RES2NET = Paper(
    title="Res2Net: A New Multi-scale Backbone Architecture",
    authors="Gao, Cheng, Zhao, Zhang, Yang, Torr", year=2021, venue="TPAMI", arxiv="1904.01169v3",
    code="github.com/Res2Net/Res2Net-PretrainedModels",
    silent="Scale and widths: 28w x 4s and 8c x 4w x 4s, as in the release. A unit that strides "
           "does not add its subsets and pools x1; all others do as Eq. (1) says. Max pools round "
           "up, so that odd maps agree with the strided convolutions beside them; at the printed "
           "size nothing is rounded. Initial weights: He's, as in the release; the classifier's "
           "bias is PyTorch's. Batch norm has PyTorch's epsilon and momentum, 1e-5 and 0.1.",
    departs="The release has three further projections, one in each tree of trees, that it "
            "computes and throws away (297,472 parameters without a gradient). They are left out; "
            "the outputs are the same.",
    page="res2net", bare="res2net_dla60")
DLA = Paper(
    title="Deep Layer Aggregation",
    authors="Yu, Wang, Shelhamer, Darrell", year=2018, venue="CVPR", arxiv="1707.06484",
    code="github.com/ucbdrive/dla",
    silent="Not read in the paper, but in the authors' code as timm has it: widths, depths of the "
           "trees, what is handed to which root, no bias but in the classifier, a 1x1 "
           "convolution, and initial weights. Max pools round up, as in res2net_dla60. Batch norm "
           "has PyTorch's epsilon and momentum, 1e-5 and 0.1.",
    departs="The code has three further projections, one in each tree of trees, that it computes "
            "and throws away. They are left out, as in timm; the outputs are the same.",
    page="dla", bare="dla60")

Branch = Callable[[int, int, int], nn.Sequential]       # (c_in, c_out, stride) -> F of a unit


def res2net(setting: Setting, c_in: int, c_out: int, stride: int) -> nn.Sequential:
    """Half as wide inside as what it gives out, as Res2Net counts widths."""
    channels = setting.subset(c_out // 2)
    if stride == 1:
        splits = Hierarchy(channels, setting.s, setting.c)
    else:
        splits = Parallel(channels, setting.s, setting.c, stride)
    return bottleneck(c_in, splits, setting.s * channels, c_out)


def plain(narrower: int, groups: int, c_in: int, c_out: int, stride: int) -> nn.Sequential:
    """Inside it is `narrower` times as narrow as what it gives out."""
    width = c_out // narrower
    return seq(
        conv1=ConvBN(c_in, width, 1), relu1=nn.ReLU(),
        conv2=ConvBN(width, width, 3, stride, groups), relu2=nn.ReLU(),
        conv3=ConvBN(width, c_out, 1))


class Unit(nn.Module):
    """relu(F(x) + shortcut).

    (N, c_in, H, W), (N, c_out, H/stride, W/stride) -> (N, c_out, H/stride, W/stride)
    """

    def __init__(self, branch: Branch, c_in: int, c_out: int, stride: int):
        super().__init__()
        self.branch = branch(c_in, c_out, stride)

    def forward(self, x: Tensor, shortcut: Tensor) -> Tensor:
        return F.relu(self.branch(x) + shortcut)


class Pair(nn.Module):
    """A tree of depth 1: two units and their root.

    `below` is x at the size that is given out; `children` join at the root.
    """

    def __init__(self, branch: Branch, c_in: int, c_out: int, stride: int, children: int):
        super().__init__()
        self.tree1 = Unit(branch, c_in, c_out, stride)
        self.tree2 = Unit(branch, c_out, c_out, stride=1)
        self.root = ConvBN(2 * c_out + children, c_out, 1)
        self.project = nn.Identity() if c_in == c_out else ConvBN(c_in, c_out, 1)

    def forward(self, x: Tensor, below: Tensor, *children: Tensor) -> Tensor:
        x1 = self.tree1(x, self.project(below))
        x2 = self.tree2(x1, x1)
        return F.relu(self.root(torch.cat([x2, x1, *children], dim=1)))


class Tree(nn.Module):
    """Two trees; what the first gives out is handed on to the root of the second."""

    def __init__(self, tree1: nn.Module, tree2: nn.Module):
        super().__init__()
        self.tree1 = tree1
        self.tree2 = tree2

    def forward(self, x: Tensor, below: Tensor, *children: Tensor) -> Tensor:
        x1 = self.tree1(x, below)
        return self.tree2(x1, x1, *children, x1)


def tree(branch: Branch, depth: int, c_in: int, c_out: int, stride: int,
         children: int) -> nn.Module:
    """`children`: the channels that come to the last root from outside."""
    if depth == 1:
        return Pair(branch, c_in, c_out, stride, children)
    return Tree(tree(branch, depth - 1, c_in, c_out, stride, children=0),
                tree(branch, depth - 1, c_out, c_out, stride=1, children=children + c_out))


class DLA60(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""

    stages = ("base_layer", "level0", "level1", "level2", "level3", "level4", "level5")
    initialise = staticmethod(he_init)                  # as in both releases

    def __init__(self, branch: Branch, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.base_layer = seq(conv=ConvBN(in_channels, 16, 7), relu=nn.ReLU())
        self.level0 = seq(conv=ConvBN(16, 16, 3), relu=nn.ReLU())
        self.level1 = seq(conv=ConvBN(16, 32, 3, stride=2), relu=nn.ReLU())
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.level2 = tree(branch, 1, 32, 128, stride=2, children=0)
        self.level3 = tree(branch, 2, 128, 256, stride=2, children=128)
        self.level4 = tree(branch, 3, 256, 512, stride=2, children=256)
        self.level5 = tree(branch, 1, 512, 1024, stride=2, children=512)
        self.fc = nn.Conv2d(1024, num_classes, 1)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:             # (N, 3, 224, 224)
        x = self.base_layer(x)                          # (N, 16, 224, 224)
        x = self.level0(x)                              # (N, 16, 224, 224)
        x = self.level1(x)                              # (N, 32, 112, 112)
        x = self.level2(x, self.pool(x))                # (N, 128, 56, 56)
        below = self.pool(x)                            # (N, 128, 28, 28), now for the root too
        x = self.level3(x, below, below)                # (N, 256, 28, 28)
        below = self.pool(x)                            # (N, 256, 14, 14)
        x = self.level4(x, below, below)                # (N, 512, 14, 14)
        below = self.pool(x)                            # (N, 512, 7, 7)
        x = self.level5(x, below, below)                # (N, 1024, 7, 7)
        x = self.fc(x.mean((2, 3), keepdim=True))       # (N, num_classes, 1, 1)
        return x.flatten(1)                             # (N, num_classes)


VARIANTS = {
    "res2net_dla60": partial(DLA60, partial(res2net, Setting(28, 4))),
    "res2next_dla60": partial(DLA60, partial(res2net, Setting(4, 4, 8))),
    "dla60": partial(DLA60, partial(plain, 2, 1)),
    "dla60x": partial(DLA60, partial(plain, 1, 32)),
}
PAPER = {name: RES2NET if name.startswith("res2") else DLA for name in VARIANTS}
