"""The LeNet of Neural Computation 1989, for zip codes: 16x16 pixels, stride 2 in place of
subsampling, a bias for each unit.

    H1 12@8x8, 5x5 / 2   H2 12@4x4, 5x5 / 2, 8 of 12 maps   H3 30   output 10
"""
import torch.nn as nn
from torch import Tensor

from convatlas.layers import Network, seq
from convatlas.nets.lenet1989 import (
    Squash,
    Table,
    TableConv2d,
    squashed,
    uniform_by_fan_in,
)
from convatlas.paper import Paper

PAPER = Paper(
    title="Backpropagation Applied to Handwritten Zip Code Recognition",
    authors="LeCun, Boser, Denker, Henderson, Howard, Hubbard, Jackel",
    year=1989, venue="Neural Computation 1(4)",
    silent="Which 8 of H1's 12 maps an H2 map reads 'will not be described here'. Here map j reads "
           "j, j+1, ... j+7 modulo 12, so that every H1 map is read 8 times. H2's border is -1 "
           "like H1's. Where the windows begin: two pixels beyond the border above and to the "
           "left, so that they end one beyond it below and to the right; the other way round gives "
           "the same sizes. The scale of the hyperbolic tangent: 1998's.",
    page="lenet1989_zip")

H1_TO_H2: Table = tuple(tuple((j + i) % 12 for i in range(8)) for j in range(12))


def bordered(table: Table, side: int) -> nn.Sequential:
    """Stride 2, beyond the border the background value -1, a bias for every unit.
    (N, c, 2 side, 2 side) -> (N, len(table), side, side)
    """
    return seq(border=nn.ConstantPad2d(2, -1.0),
               layer=TableConv2d(table, stride=2, bias_side=side),
               squash=Squash())


class LeNet1989Zip(Network):
    """(N, 1, 16, 16) -> (N, num_classes)"""
    side = 16
    smallest = 15  # 15 leads to the same 8x8 H1
    largest = 16
    stages = ("H1", "H2")
    reductions = (2, 4)
    cam_path = "H2"
    classifier_path = "output.layer"
    initialise = staticmethod(uniform_by_fan_in)

    def __init__(self, num_classes: int = 10, in_channels: int = 1):
        super().__init__(in_channels)
        every_map = tuple(range(in_channels))
        self.H1 = bordered((every_map,) * 12, side=8)
        self.H2 = bordered(H1_TO_H2, side=4)
        self.H3 = squashed(nn.Linear(12 * 4 * 4, 30))
        self.output = squashed(nn.Linear(30, num_classes))
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:         # (N, 1, 16, 16)
        x = self.H2(self.H1(x))                     # (N, 12, 8, 8), (N, 12, 4, 4)
        return self.output(self.H3(x.flatten(1)))   # (N, 30), (N, num_classes)


VARIANTS = {"lenet1989_zip": LeNet1989Zip}
