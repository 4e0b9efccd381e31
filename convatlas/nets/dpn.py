"""Dual Path Networks (Chen, Li, Xiao, Jin, Yan, Feng; NIPS 2017).

Table 1, 224x224 input; [k, c] is a k x k convolution to c channels, G its groups. The units of a
stage share a residual path, here of 256 channels, and a densely connected one, which each of them
makes so much longer as the number in brackets says.

    stage   output     DPN-92 (32x3d)                           DPN-98 (40x4d)
    conv1   112x112    [7, 64], stride 2                        [7, 96], stride 2
    conv2   56x56      3x3 max pool, stride 2
                       [1,96][3,96, G=32][1,256 (+16)] x3       [1,160][3,160, G=40][1,256 (+16)] x3
    conv3   28x28      [1,192][3,192][1,512 (+32)] x4           [1,320][3,320][1,512 (+32)] x6
    conv4   14x14      [1,384][3,384][1,1024 (+24)] x20         [1,640][3,640][1,1024 (+32)] x20
    conv5   7x7        [1,768][3,768][1,2048 (+128)] x3         [1,1280][3,1280][1,2048 (+128)] x3
            1x1        global average pool, 1000-d fc, softmax
                       # params 37.8e6, FLOPs 6.5e9             61.7e6, 11.7e9

DPN-131, and the DPN-68, DPN-68* and DPN-107 of the authors' repository, are columns of the same
kind.
"""
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
import torch.nn as nn
from torch import Tensor

from convatlas.layers import FilterConcat, Network, he_init, padded_pool, seq
from convatlas.paper import Paper

PAPER = Paper(
    title="Dual Path Networks",
    authors="Chen, Li, Xiao, Jin, Yan, Feng", year=2017, venue="NIPS", arxiv="1707.01629v2",
    code="github.com/cypw/DPNs",
    silent="Everything below the table is the authors' code: norm and ReLU before each "
           "convolution, and once more before the average; the first unit of a stage has a "
           "projection with a norm of its own, which strides and begins the dense path with twice "
           "the stage's increment; stride is in the 3x3; padding of conv1 and of the pool is 3 and "
           "1. Its MXNet has batch norms with an epsilon of 0.001 and a decay of 0.9. DPN-68 and "
           "DPN-107 are in that repository alone; its DPN-68* (symbol_dpn-68_b.py), dpn68b, has "
           "the last convolution of each unit in two parts, which compute what one would. Initial "
           "weights, which it does not hold, are He's, by fan-out. Fully connected layers start "
           "as PyTorch's.",
    page="dpn", bare="dpn92")


def activation(c: int) -> nn.Sequential:
    return seq(bn=nn.BatchNorm2d(c, eps=1e-3), relu=nn.ReLU())


def plain(c_in: int, c_out: int, k: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(c_in, c_out, k, stride, padding=k // 2, groups=groups, bias=False)


def conv(c_in: int, c_out: int, k: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """BN-ReLU-Conv.  (N, c_in, H, W) -> (N, c_out, H/stride, W/stride)"""
    return seq(activation=activation(c_in), conv=plain(c_in, c_out, k, stride, groups))


class DualPath(nn.Module):
    """Both paths as one block of maps: the first `width` channels are the residual path, to which
    the branch adds; what it gives beyond them lengthens the dense path.

    (N, c_in, H, W) -> (N, what shortcut and branch give, the residual path once, H', W')
    """

    def __init__(self, width: int, branch: nn.Module, shortcut: nn.Module):
        super().__init__()
        self.width = width
        self.branch = branch
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        old, old_dense = self.shortcut(x).tensor_split((self.width,), dim=1)
        new, new_dense = self.branch(x).tensor_split((self.width,), dim=1)
        return torch.cat([old + new, old_dense, new_dense], dim=1)


# (c_in, width, increment) -> the layer whose first `width` channels are added, the others appended
Last = Callable[[int, int, int], nn.Module]


def in_one(c_in: int, width: int, increment: int) -> nn.Module:
    return conv(c_in, width + increment, 1)


def in_two(c_in: int, width: int, increment: int) -> nn.Module:
    """DPN-68*."""
    return seq(
        activation=activation(c_in),
        convs=FilterConcat(residual=plain(c_in, width, 1), dense=plain(c_in, increment, 1)))


class Column(NamedTuple):       # of Table 1
    layers: str                 # the number in the heading
    conv1: tuple[int, int]      # kernel, channels
    groups: int
    grouped: int                # channels of conv2's grouped layers, and
    width: int                  # of its residual path; both double from stage to stage
    units: tuple[int, int, int, int]
    increments: tuple[int, int, int, int]


class Stage(nn.Sequential):
    """(N, c_in, H, W) -> (N, c_out, H/stride, W/stride)"""

    def __init__(self, column: Column, i: int, c_in: int, last: Last):
        super().__init__()
        grouped = column.grouped << i
        width = column.width << i
        increment = column.increments[i]
        stride = 1 if i == 0 else 2
        c = width + 2 * increment
        shortcut = conv(c_in, c, 1, stride)
        for _ in range(column.units[i]):
            branch = seq(
                conv1=conv(c_in, grouped, 1),
                conv2=conv(grouped, grouped, 3, stride, column.groups),
                conv3=last(grouped, width, increment))
            self.append(DualPath(width, branch, shortcut))
            c += increment
            c_in = c
            stride = 1
            shortcut = nn.Identity()
        self.c_out = c


class DPN(Network):
    """Table 1, a column.  (N, 3, 224, 224) -> (N, num_classes)"""

    stages = ("conv1", "conv2", "conv3", "conv4", "conv5")
    cam_path = "activation"
    initialise = staticmethod(he_init)

    def __init__(self, column: Column, last: Last = in_one, num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(in_channels)
        k, c = column.conv1
        self.conv1 = seq(conv=plain(in_channels, c, k, stride=2), activation=activation(c))
        self.pool1 = padded_pool()
        self.conv2 = Stage(column, 0, c, last)
        self.conv3 = Stage(column, 1, self.conv2.c_out, last)
        self.conv4 = Stage(column, 2, self.conv3.c_out, last)
        self.conv5 = Stage(column, 3, self.conv4.c_out, last)
        self.activation = activation(self.conv5.c_out)
        self.fc = nn.Linear(self.conv5.c_out, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:           # (N, 3, 224, 224)
        x = self.pool1(self.conv1(x))                 # (N, c, 112, 112), (N, c, 56, 56)
        x = self.conv2(x)                             # (N, 336 for DPN-92, 56, 56)
        x = self.conv3(x)                             # (N, 704, 28, 28)
        x = self.conv4(x)                             # (N, 1552, 14, 14)
        x = self.conv5(x)                             # (N, 2688, 7, 7)
        x = self.activation(x)                        # (N, 2688, 7, 7)
        return self.fc(x.mean((2, 3)))                # (N, num_classes)


SMALL = Column("68", (3, 10), 32, 128, 64, (3, 4, 12, 3), (16, 32, 32, 64))
TABLE = {
    "dpn92": Column("92", (7, 64), 32, 96, 256, (3, 4, 20, 3), (16, 32, 24, 128)),
    "dpn98": Column("98", (7, 96), 40, 160, 256, (3, 6, 20, 3), (16, 32, 32, 128)),
    "dpn131": Column("131", (7, 128), 40, 160, 256, (4, 8, 28, 3), (16, 32, 32, 128)),
}
REPOSITORY = {
    "dpn68": SMALL,
    "dpn107": Column("107", (7, 128), 50, 200, 256, (4, 8, 20, 3), (20, 64, 64, 128)),
}

VARIANTS = {
    **{name: partial(DPN, column) for name, column in (TABLE | REPOSITORY).items()},
    "dpn68b": partial(DPN, SMALL, in_two),
}
