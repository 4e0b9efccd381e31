"""Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift
(Ioffe, Szegedy; ICML 2015).

TABLE below is Figure 5 row for row: GoogLeNet with two 3x3 ("double #3x3") for the 5x5, modules 3c
and 4e that halve the map themselves, average pools in most modules, and a batch norm between each
convolution and its ReLU.
"""
from collections.abc import Callable
from functools import partial
from math import inf
from typing import NamedTuple

import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, FilterConcat, Network, he_init, padded_pool, seq
from convatlas.paper import Paper

PAPER = Paper(
    title="Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate "
          "Shift",
    authors="Ioffe, Szegedy", year=2015, venue="ICML", arxiv="1502.03167v3",
    silent="Figure 5 contradicts itself: in 4c, 4d and 4e the branches sum to 608, 608 and 1056, "
           "its output column says 576, 576 and 1024. Here the branches hold; TF-slim narrows two "
           "pool projections to 96 instead. The first two pools round up, GoogLeNet's way; the "
           "pools in 3c and 4e are padded by 1 like the convolutions beside them, so that the "
           "branches agree for every size; Caffe's are not padded and round up. Average pools "
           "count the padding. Batch norm's epsilon and momentum: PyTorch's 1e-5 and 0.1. Initial "
           "weights: He's.",
    departs="bn_inception has a full 7x7 first, as SENet's release has. The paper's first layer "
            "(Figure 5's asterisk) is separable with depth multiplier 8: bn_inception_separable. "
            "bn_inception_caffe keeps a bias in each convolution before its batch norm, which "
            "Sec. 3.2 leaves out as without effect, and the unpadded pools of 3c and 4e: the copy "
            "for Caffe, to the bit of its graph.",
    page="bn_inception")


class Row(NamedTuple):      # the columns of Figure 5, the last one split into pool and projection
    part: str
    output: str
    depth: str
    n1x1: int = 0
    n3x3_reduce: int = 0
    n3x3: int = 0
    double_reduce: int = 0
    double: int = 0
    pool: str = ""
    proj: int = 0           # 0 after a pool: passed through
    stride: int = 1


TABLE = (
    Row("conv1", "112x112x64", "1"),                                            # 7x7/2
    Row("pool1", "56x56x64", "0"),                                              # 3x3/2
    Row("conv2", "56x56x192", "1", 0, 64, 192),                                 # 3x3/1
    Row("pool2", "28x28x192", "0"),                                             # 3x3/2
    Row("inception_3a", "28x28x256", "3", 64, 64, 64, 64, 96, "avg", 32),
    Row("inception_3b", "28x28x320", "3", 64, 64, 96, 64, 96, "avg", 64),
    Row("inception_3c", "28x28x576", "3", 0, 128, 160, 64, 96, "max", stride=2),
    Row("inception_4a", "14x14x576", "3", 224, 64, 96, 96, 128, "avg", 128),
    Row("inception_4b", "14x14x576", "3", 192, 96, 128, 96, 128, "avg", 128),
    Row("inception_4c", "14x14x576", "3", 160, 128, 160, 128, 160, "avg", 128),
    Row("inception_4d", "14x14x576", "3", 96, 128, 192, 160, 192, "avg", 128),
    Row("inception_4e", "14x14x1024", "3", 0, 128, 192, 192, 256, "max", stride=2),
    Row("inception_5a", "7x7x1024", "3", 352, 192, 320, 160, 224, "avg", 128),
    Row("inception_5b", "7x7x1024", "3", 352, 192, 320, 192, 224, "max", 128),
    Row("avg_pool", "1x1x1024", "0"),                                           # 7x7/1
)
MODULES = tuple(row for row in TABLE if row.part.startswith("inception"))
POOLS = {"avg": nn.AvgPool2d, "max": nn.MaxPool2d}

Conv = Callable[..., nn.Module]  # (c_in, c_out, k, stride) -> convolution, batch norm and ReLU
Halving = Callable[[], nn.Module]   # the pool beside convolutions of stride 2
Unit = Callable[[int, Row, Conv], nn.Module]  # a row of the table with c channels coming in


def conv(c_in: int, c_out: int, k: int, stride: int = 1) -> nn.Sequential:
    return seq(conv=ConvBN(c_in, c_out, k, stride), relu=nn.ReLU())


def conv_biased(c_in: int, c_out: int, k: int, stride: int = 1) -> nn.Sequential:
    layer = nn.Conv2d(c_in, c_out, k, stride, padding=k // 2)
    return seq(conv=seq(conv=layer, bn=nn.BatchNorm2d(c_out)), relu=nn.ReLU())


def separable(c_in: int, c_out: int, k: int, stride: int) -> nn.Sequential:
    """8 filters of k x k on each channel by itself, then a 1x1."""
    depthwise = nn.Conv2d(c_in, 8 * c_in, k, stride, padding=k // 2, groups=c_in, bias=False)
    return seq(depthwise=depthwise, pointwise=ConvBN(8 * c_in, c_out, 1), relu=nn.ReLU())


def unpadded_pool() -> nn.Sequential:
    """Caffe's: windows begin at every second pixel, and the last one may end outside. On a side of
    2n they are n, as Caffe rounds them up; on 2n + 1, which Caffe refuses, n + 1.
    """
    return seq(pad=nn.ConstantPad2d((0, 2, 0, 2), -inf), pool=nn.MaxPool2d(3, stride=2))


def inception(c: int, row: Row, conv: Conv, halving: Halving = padded_pool) -> FilterConcat:
    """(N, c, H, W) -> (N, n1x1 + n3x3 + double + proj, H, W), or, where the row has stride 2,
    (N, n3x3 + double + c, H/2, W/2).
    """
    single = seq(
        reduce=conv(c, row.n3x3_reduce, 1),
        conv=conv(row.n3x3_reduce, row.n3x3, 3, row.stride))
    double = seq(
        reduce=conv(c, row.double_reduce, 1),
        conv1=conv(row.double_reduce, row.double, 3),
        conv2=conv(row.double, row.double, 3, row.stride))
    if row.stride == 2:
        return FilterConcat(**{"3x3": single, "double_3x3": double, "pool": halving()})
    pool = POOLS[row.pool](3, stride=1, padding=1)
    return FilterConcat(**{
        "1x1": conv(c, row.n1x1, 1), "3x3": single, "double_3x3": double,
        "pool": seq(pool=pool, proj=conv(c, row.proj, 1))})


class BNInception(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""
    side = 224
    smallest = 7
    stages = ("conv1", "conv2", "inception_3b", "inception_4d", "inception_5b")
    initialise = staticmethod(he_init)

    def __init__(self, first: Conv = conv, conv: Conv = conv, unit: Unit = inception,
                 num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = first(in_channels, 64, 7, stride=2)
        self.pool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = seq(reduce=conv(64, 64, 1), conv=conv(64, 192, 3))
        self.pool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        c = 192
        for row in MODULES:
            self.add_module(row.part, unit(c, row, conv))
            c = row.n1x1 + row.n3x3 + row.double + (row.proj or c)
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:         # (N, 3, 224, 224)
        x = self.pool1(self.conv1(x))               # (N, 64, 112, 112), (N, 64, 56, 56)
        x = self.pool2(self.conv2(x))               # (N, 192, 56, 56), (N, 192, 28, 28)
        for row in MODULES:                         # 28x28; from 3c on 14x14, from 4e on 7x7
            x = self.get_submodule(row.part)(x)     # the last: (N, 1024, 7, 7)
        x = self.avg_pool(x).flatten(1)             # (N, 1024)
        return self.fc(x)                           # (N, num_classes)


VARIANTS = {
    "bn_inception": BNInception,
    "bn_inception_separable": partial(BNInception, separable),
    "bn_inception_caffe": partial(
        BNInception, conv_biased, conv_biased, partial(inception, halving=unpadded_pool)),
}
