"""Densely Connected Convolutional Networks, Sec. 3 "Implementation details": the networks for 32x32
images.

A 3x3 convolution, three dense blocks of equally many layers on maps of 32, 16 and 8 pixels,
transitions between them, a global average pool and a fully-connected layer.

    Table 2        L     k    params
    DenseNet       40    12   1.0M     16 channels first; a transition keeps the width
                   100   12   7.0M
                   100   24   27.2M
    DenseNet-BC    100   12   0.8M     2k channels first; bottlenecks; a transition halves the width
                   250   24   15.3M
                   190   40   25.6M

The columns of data that are not augmented come from training with dropout, 0.2: names with
_dropout, for the smallest of each form.
"""
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
import torch.nn as nn
from torch import Tensor

from convatlas.layers import Network, he_init, seq
from convatlas.nets.densenet import Bottleneck, DenseBlock, conv, transition
from convatlas.paper import Paper

CVPR = Paper(
    title="Densely Connected Convolutional Networks",
    authors="Huang, Liu, van der Maaten, Weinberger",
    year=2017, venue="CVPR", arxiv="1608.06993v5", code="github.com/liuzhuang13/DenseNet",
    silent="The activation after the last block: as in the authors' code. That code starts every "
           "network with 2k channels, but only the text's 16 gives Table 2's 1.0M, 7.0M and 27.2M. "
           "Batch norm has PyTorch's epsilon and momentum, 1e-5 and 0.1. Fully connected layers "
           "start as PyTorch's. DenseNet-B and DenseNet-C by themselves are curves of Figure 4, of "
           "\"multiple small networks with varying depths\" that the text does not name.",
    page="densenet", bare="densenet_bc100_k12_cifar")
WIDE = Paper(
    title="Wide-DenseNet for better Time/Accuracy and Time/Memory Tradeoff",
    authors="Huang, Liu",
    year=2017, venue="README of the authors' code", code="github.com/liuzhuang13/DenseNet",
    silent="There is no paper. Initial weights are He's. Batch norm has PyTorch's epsilon and "
           "momentum, 1e-5 and 0.1. Fully connected layers start as PyTorch's.",
    page="wide_densenet", bare="wide_densenet_bc40_k48_cifar")


class Plain(nn.Module):
    """H_l: BN-ReLU-Conv(3x3).

    Several maps (N, c_i, H, W), of c channels together -> (N, k, H, W)
    """

    def __init__(self, c: int, k: int, dropout: float = 0.0):
        super().__init__()
        self.conv = conv(c, k, 3, dropout)

    def forward(self, *maps: Tensor) -> Tensor:
        return self.conv(torch.cat(maps, 1))


class Form(NamedTuple):
    layer: Callable[[int, int, float], nn.Module]     # (channels before it, k, dropout) -> H_l
    convs: int                                        # in a layer
    theta: float                                      # compression in a transition
    first: Callable[[int], int]                       # k -> channels of the first convolution


DENSENET = Form(Plain, convs=1, theta=1.0, first=lambda k: 16)
DENSENET_BC = Form(Bottleneck, convs=2, theta=0.5, first=lambda k: 2 * k)


class DenseNetCIFAR(Network):
    """Table 2, a row.  (N, 3, 32, 32) -> (N, num_classes)"""

    side = 32
    smallest = 4
    stages = ("convolution", "dense_block1", "dense_block2", "dense_block3")
    cam_path = "activation"
    initialise = staticmethod(he_init)                # Sec. 4.2, "introduced by [10]"

    def __init__(self, form: Form, L: int, k: int, dropout: float = 0.0, num_classes: int = 10,
                 in_channels: int = 3):
        super().__init__(in_channels)
        layer = partial(form.layer, dropout=dropout)
        # the other four of L: the first convolution, two transitions, the fully-connected layer
        depth = (L - 4) // (3 * form.convs)
        c = form.first(k)
        self.convolution = nn.Conv2d(in_channels, c, 3, padding=1, bias=False)
        for i in (1, 2, 3):
            self.add_module(f"dense_block{i}", DenseBlock(layer, depth, c, k))
            c += depth * k
            if i < 3:
                compressed = int(form.theta * c)
                self.add_module(f"transition{i}", transition(c, compressed, dropout))
                c = compressed
        self.activation = seq(bn=nn.BatchNorm2d(c), relu=nn.ReLU())
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:           # (N, 3, 32, 32)
        x = self.convolution(x)                       # (N, first, 32, 32)
        x = self.transition1(self.dense_block1(x))    # (N, c, 32, 32), (N, theta * c, 16, 16)
        x = self.transition2(self.dense_block2(x))    # (N, c, 16, 16), (N, theta * c, 8, 8)
        x = self.activation(self.dense_block3(x))     # (N, c, 8, 8)
        return self.fc(x.mean((2, 3)))                # (N, num_classes)


class Row(NamedTuple):      # of Table 2
    form: Form
    L: int                  # depth
    k: int                  # growth rate
    params: str

    def network(self, dropout: float = 0.0) -> partial:
        return partial(DenseNetCIFAR, self.form, self.L, self.k, dropout)


TABLE = {
    "densenet40_k12_cifar": Row(DENSENET, 40, 12, "1.0M"),
    "densenet100_k12_cifar": Row(DENSENET, 100, 12, "7.0M"),
    "densenet100_k24_cifar": Row(DENSENET, 100, 24, "27.2M"),
    "densenet_bc100_k12_cifar": Row(DENSENET_BC, 100, 12, "0.8M"),
    "densenet_bc250_k24_cifar": Row(DENSENET_BC, 250, 24, "15.3M"),
    "densenet_bc190_k40_cifar": Row(DENSENET_BC, 190, 40, "25.6M"),
}
README = {
    "wide_densenet_bc40_k36_cifar": Row(DENSENET_BC, 40, 36, "1.5M"),
    "wide_densenet_bc40_k48_cifar": Row(DENSENET_BC, 40, 48, "2.7M"),
    "wide_densenet_bc40_k60_cifar": Row(DENSENET_BC, 40, 60, "4.3M"),
}
NOT_AUGMENTED = ("densenet40_k12_cifar", "densenet_bc100_k12_cifar")

VARIANTS = {
    **{name: row.network() for name, row in (TABLE | README).items()},
    **{f"{name}_dropout": TABLE[name].network(dropout=0.2) for name in NOT_AUGMENTED},
}
PAPER = {name: WIDE if name in README else CVPR for name in VARIANTS}
