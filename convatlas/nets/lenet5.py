"""LeNet-5, Proceedings of the IEEE 1998: a table of connections, and output units that measure the
distance to a drawn digit.

    C1 6@28x28   S2 6@14x14   C3 16@10x10, Table I   S4 16@5x5   C5 120@1x1   F6 84   output 10 RBFs
"""
import random

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from convatlas.layers import Network
from convatlas.nets.lenet1989 import (
    Subsampling,
    Table,
    TableConv2d,
    squashed,
    uniform_by_fan_in,
)
from convatlas.paper import Paper

PAPER = Paper(
    title="Gradient-Based Learning Applied to Document Recognition",
    authors="LeCun, Bottou, Bengio, Haffner",
    year=1998, venue="Proceedings of the IEEE 86(11)",
    silent="The codes of the output units are printed as an image (Fig. 3), not as numbers. Here "
           "ten digits of 7x12 pixels, drawn for the atlas, take their place, a pixel of ink being "
           "+1 and one of paper -1. For other numbers of classes the codes are drawn at random "
           "with equal probability, as the paper allows.",
    page="lenet5")

S2_TO_C3: Table = (  # 1998, Table I: 60 kernels
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5))

DIGITS = """
    .......  .......  .......  .......  .......
    ..###..  ...##..  .#####.  .#####.  .....##
    .##.##.  ..###..  ##...##  ##...##  ....###
    ##...##  .####..  .....##  .....##  ...####
    ##...##  ...##..  .....##  .....##  ..##.##
    ##...##  ...##..  ....##.  ..####.  .##..##
    ##...##  ...##..  ...##..  ..####.  ##...##
    ##...##  ...##..  ..##...  .....##  #######
    ##...##  ...##..  .##....  .....##  #######
    .##.##.  ...##..  ##.....  ##...##  .....##
    ..###..  .######  #######  .#####.  .....##
    .......  .......  .......  .......  .......

    .......  .......  .......  .......  .......
    #######  ..####.  #######  ..###..  .#####.
    ##.....  .##....  #######  .##.##.  ##...##
    ##.....  ##.....  .....##  ##...##  ##...##
    ##.....  ##.....  ....##.  .##.##.  ##...##
    ######.  ######.  ....##.  ..###..  ##...##
    .....##  ##...##  ...##..  .##.##.  .######
    .....##  ##...##  ...##..  ##...##  .....##
    .....##  ##...##  ..##...  ##...##  .....##
    ##...##  ##...##  ..##...  .##.##.  ....##.
    .#####.  .#####.  ..##...  ..###..  .####..
    .......  .......  .......  .......  .......
"""


def codes(num_classes: int) -> list[list[float]]:
    """84 numbers, each +1 or -1, for each class: the drawn digits for ten classes, else fixed
    random ones.
    """
    if num_classes != 10:
        draw = random.Random(1998)
        return [[draw.choice((-1.0, 1.0)) for _ in range(84)] for _ in range(num_classes)]
    images = []
    for five_digits in DIGITS.strip().split("\n\n"):
        rows = [line.split() for line in five_digits.split("\n")]
        images += zip(*rows, strict=True)
    return [[1.0 if pixel == "#" else -1.0 for row in image for pixel in row] for image in images]


class RBF(nn.Module):
    """Minus the squared distance of F6 to the fixed code of each class (1998, Eq. (7)).
    (N, 84) -> (N, num_classes)
    """

    def __init__(self, num_classes: int):
        super().__init__()
        self.register_buffer("codes", torch.tensor(codes(num_classes)))
        self.in_features = self.codes.shape[1]
        self.out_features = num_classes

    def forward(self, x: Tensor) -> Tensor:  # |x - c|^2 = |x|^2 - 2 x.c + |c|^2
        products = F.linear(x, self.codes)
        return 2 * products - x.square().sum(1, keepdim=True) - self.codes.square().sum(1)


class LeNet5(Network):
    """(N, 1, 32, 32) -> (N, num_classes)"""
    side = 32
    smallest = 32
    largest = 35  # C5 must come out as 1x1
    stages = ("C1", "S2", "C3", "S4", "C5")
    cam_path = "C3"
    classifier_path = "output"
    initialise = staticmethod(uniform_by_fan_in)

    def __init__(self, num_classes: int = 10, in_channels: int = 1):
        super().__init__(in_channels)
        self.C1 = squashed(nn.Conv2d(in_channels, 6, 5))
        self.S2 = squashed(Subsampling(6))
        self.C3 = squashed(TableConv2d(S2_TO_C3))
        self.S4 = squashed(Subsampling(16))
        self.C5 = squashed(nn.Conv2d(16, 120, 5))
        self.F6 = squashed(nn.Linear(120, 84))
        self.output = RBF(num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:     # (N, 1, 32, 32)
        x = self.S2(self.C1(x))                 # (N, 6, 28, 28), (N, 6, 14, 14)
        x = self.S4(self.C3(x))                 # (N, 16, 10, 10), (N, 16, 5, 5)
        x = self.F6(self.C5(x).flatten(1))      # (N, 120, 1, 1), (N, 84)
        return self.output(x)                   # minus the penalties: (N, num_classes)


VARIANTS = {"lenet5": LeNet5}
