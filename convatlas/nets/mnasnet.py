"""MnasNet: Platform-Aware Neural Architecture Search for Mobile (Tan, Chen, Pang, Vasudevan,
Sandler, Howard, Le; CVPR 2019).

A1 below is Figure 7(a), a line for each block. Before the blocks a 3x3 convolution of stride 2 on
224x224, after them a 1x1 convolution to 1280, pooling and a fully-connected layer. B1, searched
without squeeze-and-excitation, and SMALL, the second search of Table 4, are the authors' code's.
"""
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Network, SqueezeExciteConv, make_divisible, seq, tpu_init
from convatlas.paper import Paper

PAPER = Paper(
    title="MnasNet: Platform-Aware Neural Architecture Search for Mobile",
    authors="Tan, Chen, Pang, Vasudevan, Sandler, Howard, Le",
    year=2019, venue="CVPR", arxiv="1807.11626v3",
    code="github.com/tensorflow/tpu models/official/mnasnet",
    silent="All from the authors' code: the blocks of MnasNet-B1 and of the small network, whose "
           "2.0M parameters and 68M multiply-adds are those of Table 4's MnasNet-search2; the 1x1 "
           "convolution to 1280, which Figure 7 leaves out and the printed parameters need; a "
           "squeeze to a quarter of a block's input; widths rounded to multiples of 8, but for the "
           "1280; the initial weights. The layers of MnasNet-A2, -A3 and -search1 are printed "
           "nowhere. Padding: half the kernel on every side, and batch norm's epsilon 1e-5, as in "
           "the ports to PyTorch; both are otherwise in the authors' code: mnasnet_a1_released, "
           "for its weights. The norm's decay of 0.99 and the dropout are printed (Sec. 5).",
    page="mnasnet", bare="mnasnet_a1")


class Row(NamedTuple):      # of Figure 7(a)
    t: int                  # MBConv3, MBConv6; 1 is SepConv
    k: int                  # k3x3, k5x5
    SE: bool
    f: int                  # filters
    n: int                  # layers, the x1 to x4
    s: int                  # stride of the first


class Table(NamedTuple):
    stem: int               # filters of the first convolution
    blocks: tuple[Row, ...]
    dropout: float = 0.2


A1 = Table(32, (
    Row(t=1, k=3, SE=False, f=16, n=1, s=1),
    Row(t=6, k=3, SE=False, f=24, n=2, s=2),
    Row(t=3, k=5, SE=True, f=40, n=3, s=2),
    Row(t=6, k=3, SE=False, f=80, n=4, s=2),
    Row(t=6, k=3, SE=True, f=112, n=2, s=1),
    Row(t=6, k=5, SE=True, f=160, n=3, s=2),
    Row(t=6, k=3, SE=False, f=320, n=1, s=1)))
B1 = Table(32, (
    Row(t=1, k=3, SE=False, f=16, n=1, s=1),
    Row(t=3, k=3, SE=False, f=24, n=3, s=2),
    Row(t=3, k=5, SE=False, f=40, n=3, s=2),
    Row(t=6, k=5, SE=False, f=80, n=3, s=2),
    Row(t=6, k=3, SE=False, f=96, n=2, s=1),
    Row(t=6, k=5, SE=False, f=192, n=4, s=2),
    Row(t=6, k=3, SE=False, f=320, n=1, s=1)))
SMALL = Table(8, (
    Row(t=1, k=3, SE=False, f=8, n=1, s=1),
    Row(t=3, k=3, SE=False, f=16, n=1, s=2),
    Row(t=6, k=3, SE=False, f=16, n=2, s=2),
    Row(t=6, k=5, SE=True, f=32, n=4, s=2),
    Row(t=6, k=3, SE=True, f=32, n=3, s=1),
    Row(t=6, k=5, SE=True, f=88, n=3, s=2),
    Row(t=6, k=3, SE=False, f=144, n=1, s=1)), dropout=0.0)
BLOCKS = tuple(f"block{i}" for i in range(1, 8))

Conv = Callable[..., nn.Module]     # (c_in, c_out, k, stride, groups) -> convolution and norm


class ConvBN99(ConvBN):
    """Sec. 5: batch norm with momentum 0.99.  (N, c_in, H, W) -> (N, c_out, H/stride, W/stride)"""

    def __init__(self, c_in: int, c_out: int, k: int, stride: int = 1, groups: int = 1):
        super().__init__(c_in, c_out, k, stride, groups)
        self.bn.momentum = 0.01     # torch's is the share of the new batch


class MBConv(nn.Module):
    """Figure 7(b) to (d); SepConv, (d), has neither expansion nor residual.

    (N, c_in, H, W) -> (N, c_out, H/s, W/s), rounded up
    """

    def __init__(self, c_in: int, c_out: int, row: Row, s: int, conv: Conv):
        super().__init__()
        c = row.t * c_in
        expand = {} if row.t == 1 else {"expand": conv(c_in, c, 1), "relu_e": nn.ReLU()}
        se = {"se": SqueezeExciteConv(c, c_in // 4)} if row.SE else {}
        self.layers = seq(
            **expand,
            depthwise=conv(c, c, row.k, stride=s, groups=c), relu_d=nn.ReLU(), **se,
            project=conv(c, c_out, 1))   # linear, as in MobileNetV2
        self.residual = row.t > 1 and s == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.residual else self.layers(x)


class MnasNet(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""
    stages = ("conv1", *BLOCKS, "conv2")

    def __init__(self, table: Table, width: float = 1.0, conv: Conv = ConvBN99,
                 layer: Callable[..., nn.Module] = MBConv, num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(in_channels)
        c = make_divisible(table.stem * width)
        self.conv1 = seq(conv=conv(in_channels, c, 3, stride=2), relu=nn.ReLU())
        for name, row in zip(BLOCKS, table.blocks, strict=True):
            block = nn.Sequential()
            for i in range(row.n):
                c_out = make_divisible(row.f * width)
                block.append(layer(c, c_out, row, row.s if i == 0 else 1, conv))
                c = c_out
            self.add_module(name, block)
        self.conv2 = seq(conv=conv(c, 1280, 1), relu=nn.ReLU())
        self.dropout = nn.Dropout(table.dropout)
        self.fc = nn.Linear(1280, num_classes)
        self.apply(self.initialise)

    initialise = staticmethod(tpu_init)

    def forward(self, x: Tensor) -> Tensor:             # (N, 3, 224, 224)
        for name in self.stages:
            x = self.get_submodule(name)(x)             # (N, 32, 112, 112), ..., (N, 1280, 7, 7)
        x = x.mean((2, 3))                              # (N, 1280)
        return self.fc(self.dropout(x))                 # (N, num_classes)


VARIANTS = {
    "mnasnet_a1": partial(MnasNet, A1),
    "mnasnet_a1_x0_35": partial(MnasNet, A1, 0.35),
    "mnasnet_a1_x0_5": partial(MnasNet, A1, 0.5),
    "mnasnet_a1_x0_75": partial(MnasNet, A1, 0.75),
    "mnasnet_a1_x1_4": partial(MnasNet, A1, 1.4),
    "mnasnet_b1": partial(MnasNet, B1),
    "mnasnet_b1_x0_5": partial(MnasNet, B1, 0.5),
    "mnasnet_b1_x0_75": partial(MnasNet, B1, 0.75),
    "mnasnet_b1_x1_3": partial(MnasNet, B1, 1.3),
    "mnasnet_b1_x1_4": partial(MnasNet, B1, 1.4),
    "mnasnet_small": partial(MnasNet, SMALL),
}
