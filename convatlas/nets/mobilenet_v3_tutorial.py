"""MobileNetV3 as tutorials copy it: a PyTorch version of May 2019, of the paper's first draft.

LARGE and SMALL below are that version's lists, a line for each block. Before them a 3x3 convolution
of stride 2 to 16 channels, BN, hard swish; after them a 1x1 convolution (in SMALL with a gate right
behind it), BN, hard swish, a global average, a 1x1 to 1280 with hard swish, a 1x1 to the classes.

A block: 1x1 to exp_size, BN, NL; depthwise k x k, BN and no activation; the gate, if any; 1x1 to
out, BN, NL; and its input added where shapes agree. The design has it the other way round: an
activation behind the depthwise convolution, none behind the projection. All convolutions have
biases but the first 1x1 of a block, which is there even where it widens nothing.
"""
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch.nn as nn
from torch import Tensor

from convatlas.layers import Network, seq
from convatlas.paper import Paper

PAPER = Paper(
    title="MobileNetV3 of the first draft (leaderj1001)", authors="leaderj1001", year=2019,
    code="github.com/leaderj1001/MobileNetV3-Pytorch model.py",
    silent="There is no paper of these two: the lists are those of the code, whose README calls it "
           "'a very early model'. LARGE has a block 672 to 160 of stride 1 that the paper has no "
           "longer; SMALL has ReLU in its blocks of 40 channels where Table 2 has hard swish, and "
           "1280 filters where it has 1024. Squeeze widths are a quarter, rounded down. The oldest "
           "stored version of the file has another gate (0.2x + 0.5, clipped) and no gate in "
           "SMALL's tail; of the later ones only copies could be read, which say what is above, "
           "and only that gives the counts known of the listing, 5,152,518 and 3,111,462. Initial "
           "weights: Xavier-uniform for convolutions, N(0, 0.01) in the gates, no biases: those "
           "copies. Batch norm's constants are PyTorch's own; no dropout.",
    page="mobilenet_v3_tutorial", bare="mobilenet_v3_large_tutorial")

NL = Callable[[], nn.Module]
RE = nn.ReLU
HS = nn.Hardswish


class Row(NamedTuple):
    k: int
    exp_size: int
    out: int
    SE: bool
    NL: NL
    s: int


LARGE = (
    Row(k=3, exp_size=16, out=16, SE=False, NL=RE, s=1),
    Row(k=3, exp_size=64, out=24, SE=False, NL=RE, s=2),
    Row(k=3, exp_size=72, out=24, SE=False, NL=RE, s=1),
    Row(k=5, exp_size=72, out=40, SE=True, NL=RE, s=2),
    Row(k=5, exp_size=120, out=40, SE=True, NL=RE, s=1),
    Row(k=5, exp_size=120, out=40, SE=True, NL=RE, s=1),
    Row(k=3, exp_size=240, out=80, SE=False, NL=HS, s=2),
    Row(k=3, exp_size=200, out=80, SE=False, NL=HS, s=1),
    Row(k=3, exp_size=184, out=80, SE=False, NL=HS, s=1),
    Row(k=3, exp_size=184, out=80, SE=False, NL=HS, s=1),
    Row(k=3, exp_size=480, out=112, SE=True, NL=HS, s=1),
    Row(k=3, exp_size=672, out=112, SE=True, NL=HS, s=1),
    Row(k=5, exp_size=672, out=160, SE=True, NL=HS, s=1),
    Row(k=5, exp_size=672, out=160, SE=True, NL=HS, s=2),
    Row(k=5, exp_size=960, out=160, SE=True, NL=HS, s=1),
)
SMALL = (
    Row(k=3, exp_size=16, out=16, SE=True, NL=RE, s=2),
    Row(k=3, exp_size=72, out=24, SE=False, NL=RE, s=2),
    Row(k=3, exp_size=88, out=24, SE=False, NL=RE, s=1),
    Row(k=5, exp_size=96, out=40, SE=True, NL=RE, s=2),
    Row(k=5, exp_size=240, out=40, SE=True, NL=RE, s=1),
    Row(k=5, exp_size=240, out=40, SE=True, NL=RE, s=1),
    Row(k=5, exp_size=120, out=48, SE=True, NL=HS, s=1),
    Row(k=5, exp_size=144, out=48, SE=True, NL=HS, s=1),
    Row(k=5, exp_size=288, out=96, SE=True, NL=HS, s=2),
    Row(k=5, exp_size=576, out=96, SE=True, NL=HS, s=1),
    Row(k=5, exp_size=576, out=96, SE=True, NL=HS, s=1),
)


class SqueezeExcite(nn.Module):
    """A quarter of the channels, rounded down; the gate is a hard sigmoid.

    (N, c, H, W) -> the same shape
    """

    def __init__(self, c: int):
        super().__init__()
        self.squeeze = nn.Linear(c, c // 4)
        self.excite = nn.Linear(c // 4, c)
        self.relu = nn.ReLU()
        self.gate = nn.Hardsigmoid()

    def forward(self, x: Tensor) -> Tensor:
        s = self.relu(self.squeeze(x.mean((2, 3))))     # (N, c / 4)
        s = self.gate(self.excite(s))                   # (N, c)
        return x * s[:, :, None, None]                  # (N, c, H, W)


class Block(nn.Module):
    """(N, c, H, W) -> (N, row.out, H/s, W/s)"""

    def __init__(self, c: int, row: Row):
        super().__init__()
        e = row.exp_size
        gate = {"se": SqueezeExcite(e)} if row.SE else {}
        self.layers = seq(
            expand=nn.Conv2d(c, e, 1, bias=False), bn_e=nn.BatchNorm2d(e), nl_e=row.NL(),
            depthwise=nn.Conv2d(e, e, row.k, row.s, padding=row.k // 2, groups=e),
            bn_d=nn.BatchNorm2d(e), **gate,
            project=nn.Conv2d(e, row.out, 1), bn_p=nn.BatchNorm2d(row.out), nl_p=row.NL())
        self.residual = row.s == 1 and c == row.out

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.residual else self.layers(x)


class MobileNetV3Tutorial(Network):
    """`tail` filters of the last 1x1 convolution on maps, with a gate behind it if `gated`.

    (N, 3, 224, 224) -> (N, num_classes)
    """

    def __init__(self, rows: tuple[Row, ...], tail: int, gated: bool, num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(in_channels)
        self.blocks = tuple(f"bneck{i}" for i in range(1, len(rows) + 1))
        self.stages = ("conv1", *self.blocks, "conv2")
        self.conv1 = seq(conv=nn.Conv2d(in_channels, 16, 3, stride=2, padding=1),
                         bn=nn.BatchNorm2d(16), nl=HS())
        c = 16
        for name, row in zip(self.blocks, rows, strict=True):
            self.add_module(name, Block(c, row))
            c = row.out
        gate = {"se": SqueezeExcite(tail)} if gated else {}
        self.conv2 = seq(conv=nn.Conv2d(c, tail, 1), **gate, bn=nn.BatchNorm2d(tail), nl=HS())
        self.conv3 = seq(conv=nn.Conv2d(tail, 1280, 1), nl=HS())
        self.fc = nn.Conv2d(1280, num_classes, 1)
        self.apply(self.initialise)

    def initialise(self, layer: nn.Module) -> None:
        if isinstance(layer, nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
        elif isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.01)
        if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:             # (N, 3, 224, 224)
        x = self.conv1(x)                               # (N, 16, 112, 112)
        for name in self.blocks:
            x = self.get_submodule(name)(x)             # (N, out, H, W)
        x = self.conv2(x)                               # (N, 960 or 576, 7, 7)
        x = x.mean((2, 3), keepdim=True)                # (N, 960 or 576, 1, 1)
        return self.fc(self.conv3(x)).flatten(1)        # (N, 1280, 1, 1), (N, num_classes)


VARIANTS = {
    "mobilenet_v3_large_tutorial": partial(MobileNetV3Tutorial, LARGE, 960, False),
    "mobilenet_v3_small_tutorial": partial(MobileNetV3Tutorial, SMALL, 576, True),
}
