"""Densely Connected Convolutional Networks (Huang, Liu, van der Maaten, Weinberger; CVPR 2017).

Table 1, ImageNet, 224x224 input, growth rate k = 32; each "conv" is BN-ReLU-Conv.

    layers                 output     DenseNet-121   169   201   264
    Convolution            112x112    7x7 conv, stride 2
    Pooling                56x56      3x3 max pool, stride 2
    Dense Block (1)        56x56      [1x1 conv, 3x3 conv] x6     x6     x6     x6
    Transition Layer (1)   56x56      1x1 conv
                           28x28      2x2 average pool, stride 2
    Dense Block (2)        28x28      [1x1 conv, 3x3 conv] x12    x12    x12    x12
    Transition Layer (2)   28x28, 14x14
    Dense Block (3)        14x14      [1x1 conv, 3x3 conv] x24    x32    x48    x64
    Transition Layer (3)   14x14, 7x7
    Dense Block (4)        7x7        [1x1 conv, 3x3 conv] x16    x32    x32    x48
    Classification Layer   1x1        7x7 global average pool, 1000D fully-connected
"""
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Network, he_init, seq
from convatlas.paper import Paper

PAPER = Paper(
    title="Densely Connected Convolutional Networks",
    authors="Huang, Liu, van der Maaten, Weinberger",
    year=2017, venue="CVPR", arxiv="1608.06993v5", code="github.com/liuzhuang13/DenseNet",
    silent="The activation after the last block, and the padding of the first convolution and pool "
           "(3 and 1): as in the authors' code. That code initialises by fan-out, and an older "
           "file of it by fan-in; here by fan-out.",
    page="densenet", bare="densenet121")


def conv(c_in: int, c_out: int, k: int, dropout: float = 0.0) -> nn.Sequential:
    """Table 1's "conv": BN-ReLU-Conv.  (N, c_in, H, W) -> (N, c_out, H, W)

    Dropout follows where images are not augmented (Sec. 4.2).
    """
    layers = seq(
        bn=nn.BatchNorm2d(c_in),
        relu=nn.ReLU(),
        conv=nn.Conv2d(c_in, c_out, k, padding=k // 2, bias=False))
    if dropout:
        layers.dropout = nn.Dropout(dropout)
    return layers


class Bottleneck(nn.Module):
    """H_l of DenseNet-B: BN-ReLU-Conv(1x1)-BN-ReLU-Conv(3x3).

    Several maps (N, c_i, H, W), of c channels together -> (N, k, H, W)
    """

    def __init__(self, c: int, k: int, dropout: float = 0.0):
        super().__init__()
        self.conv1 = conv(c, 4 * k, 1, dropout)
        self.conv2 = conv(4 * k, k, 3, dropout)

    def forward(self, *maps: Tensor) -> Tensor:
        return self.conv2(self.conv1(torch.cat(maps, 1)))


Layer = Callable[[int, int], nn.Module]     # (channels of all maps before it, k) -> H_l


class DenseBlock(nn.Sequential):
    """x_l = H_l([x_0, ..., x_{l-1}]), Eq. (2).  (N, c, H, W) -> (N, c + depth * k, H, W)"""

    def __init__(self, layer: Layer, depth: int, c: int, k: int):
        super().__init__()
        for i in range(depth):
            self.add_module(f"layer{i + 1}", layer(c + i * k, k))

    def forward(self, x: Tensor) -> Tensor:
        maps = [x]
        for layer in self:
            maps.append(layer(*maps))
        return torch.cat(maps, 1)


def transition(c_in: int, c_out: int, dropout: float = 0.0) -> nn.Sequential:
    """(N, c_in, H, W) -> (N, c_out, H/2, W/2)"""
    return seq(conv=conv(c_in, c_out, 1, dropout), pool=nn.AvgPool2d(2, stride=2))


class DenseNet(Network):
    """Table 1, a column.  (N, 3, 224, 224) -> (N, num_classes)"""

    smallest = 29       # the pool must leave 8 pixels, to be halved three times
    stages = ("convolution", "dense_block1", "dense_block2", "dense_block3", "dense_block4")
    cam_path = "activation"
    initialise = staticmethod(he_init)                # Sec. 4.2, "introduced by [10]"

    def __init__(self, layer: Layer, blocks: tuple[int, int, int, int], k: int,
                 num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        c = 2 * k       # Sec. 3: "2k convolutions of size 7x7 with stride 2"
        self.convolution = seq(conv=ConvBN(in_channels, c, 7, stride=2), relu=nn.ReLU())
        self.pooling = nn.MaxPool2d(3, stride=2, padding=1)
        for i, depth in enumerate(blocks, start=1):
            self.add_module(f"dense_block{i}", DenseBlock(layer, depth, c, k))
            c += depth * k
            if i < len(blocks):
                self.add_module(f"transition{i}", transition(c, c // 2))    # theta = 0.5
                c //= 2
        self.activation = seq(bn=nn.BatchNorm2d(c), relu=nn.ReLU())
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:           # (N, 3, 224, 224)
        x = self.pooling(self.convolution(x))         # (N, 2k, 112, 112), (N, 2k, 56, 56)
        x = self.transition1(self.dense_block1(x))    # (N, c, 56, 56), (N, c/2, 28, 28)
        x = self.transition2(self.dense_block2(x))    # (N, c, 28, 28), (N, c/2, 14, 14)
        x = self.transition3(self.dense_block3(x))    # (N, c, 14, 14), (N, c/2, 7, 7)
        x = self.activation(self.dense_block4(x))     # (N, c, 7, 7)
        return self.fc(x.mean((2, 3)))                # (N, num_classes)


class Column(NamedTuple):       # of Table 1
    layers: str                 # the number in the heading
    blocks: tuple[int, int, int, int]
    k: int = 32


TABLE = {
    "densenet121": Column("121", (6, 12, 24, 16)),
    "densenet169": Column("169", (6, 12, 32, 32)),
    "densenet201": Column("201", (6, 12, 48, 32)),
    "densenet264": Column("264", (6, 12, 64, 48)),
}
# in early versions of the paper and in the authors' README
README = {"densenet161": Column("161", (6, 12, 36, 24), k=48)}

VARIANTS = {name: partial(DenseNet, Bottleneck, column.blocks, column.k)
            for name, column in (TABLE | README).items()}
