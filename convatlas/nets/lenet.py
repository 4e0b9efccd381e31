"""The LeNets: NIPS 1989 (lenet1989), Neural Computation 1989 (lenet1989_zip), Proc. IEEE 1998 (lenet5), and the form
that tutorials copy.

    lenet1989       H1 4@24x24, 5x5      H2 4@12x12   H3 12@8x8, Table 1    H4 12@4x4   output 10
    lenet1989_zip   H1 12@8x8, 5x5 / 2   H2 12@4x4, 5x5 / 2, 8 of 12 maps   H3 30       output 10
    lenet5          C1 6@28x28   S2 6@14x14   C3 16@10x10, Table I   S4 16@5x5   C5 120@1x1   F6 84   output 10 RBFs
"""
import random
from functools import partial

import torch
import torch.nn as nn
import torch.nn.functional as F

from convatlas.blocks import Network, seq
from convatlas.paper import Claim, Paper, sizes, units

NIPS = Paper(
    title="Handwritten Digit Recognition with a Back-Propagation Network",
    authors="Le Cun, Boser, Denker, Henderson, Howard, Hubbard, Jackel", year=1989, venue="NIPS 2",
    introduced="Shared kernels alternating with trainable subsampling, under a sparse table of connections.",
    silent="Initial weights: U(-2.4/F, 2.4/F), as in the companion paper in Neural Computation.")
ZIP = Paper(
    title="Backpropagation Applied to Handwritten Zip Code Recognition",
    authors="LeCun, Boser, Denker, Henderson, Howard, Hubbard, Jackel", year=1989, venue="Neural Computation 1(4)",
    introduced="Back-propagation through kernels shared over the picture, on a real task.",
    silent="Which 8 of H1's 12 maps an H2 map reads 'will not be described here'. Here map j reads j, j+1, ... j+7 "
           "modulo 12, so that every H1 map is read 8 times. H2's border is -1 like H1's.")
IEEE = Paper(
    title="Gradient-Based Learning Applied to Document Recognition", authors="LeCun, Bottou, Bengio, Haffner",
    year=1998, venue="Proceedings of the IEEE 86(11)",
    introduced="LeNet-5: a convolutional network whose output units measure the distance to a drawn character.",
    silent="The codes of the output units are a picture (Fig. 3), not a table; the ten below were drawn for this file, "
           "7x12, a pixel of ink being +1. For other numbers of classes they are drawn at random with equal "
           "probability, as the paper allows.")
TUTORIAL = Paper(
    title="Dive into Deep Learning, LeNet", authors="Zhang, Lipton, Li, Smola", year=2019,
    code="github.com/d2l-ai/d2l-en",
    introduced="What tutorials call LeNet-5: a full C3, average pooling without parameters, sigmoids, a linear output.",
    silent="There is no paper. Weights are Xavier-uniform, the book's; from PyTorch's own the sigmoids hardly learn.")
PAPER = {"lenet1989": NIPS, "lenet1989_zip": ZIP, "lenet5": IEEE,
         "lenet5_tutorial": TUTORIAL, "lenet5_tutorial_32": TUTORIAL}

Table = tuple[tuple[int, ...], ...]     # for each map, the maps it reads, counted from 0

H2_TO_H3: Table = ((0,), (0, 1), (0, 1), (1,), (0, 1), (0, 1),                  # NIPS 1989, Table 1: 20 kernels
                   (2,), (2, 3), (2, 3), (3,), (2, 3), (2, 3))
H1_TO_H2: Table = tuple(tuple((j + i) % 12 for i in range(8)) for j in range(12))
S2_TO_C3: Table = ((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),      # 1998, Table I: 60 kernels
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
    """A vector of 84 components +1 or -1 for each class: the drawn digits for ten classes, else fixed random ones."""
    if num_classes != 10:
        draw = random.Random(1998)
        return [[draw.choice((-1.0, 1.0)) for _ in range(84)] for _ in range(num_classes)]
    upper, lower = ([line.split() for line in block.split("\n")] for block in DIGITS.strip().split("\n\n"))
    pictures = [*zip(*upper, strict=True), *zip(*lower, strict=True)]
    return [[1.0 if pixel == "#" else -1.0 for row in picture for pixel in row] for picture in pictures]


class Squash(nn.Module):
    """f(a) = 1.7159 tanh(2a/3), so that f(1) = 1 and f(-1) = -1 (1998, Eq. (6) and Appendix A)."""

    def forward(self, a):
        return 1.7159 * torch.tanh(a * (2 / 3))


class Subsampling(nn.Module):
    """The sum of each 2x2 patch, times a trainable coefficient, plus a bias: one pair a map (1998, Sec. II-B).

    (N, c, H, W) -> (N, c, H/2, W/2); an odd last row or column is left out.
    """
    kernel_size = stride = 2

    def __init__(self, c: int):
        super().__init__()
        self.coefficient, self.bias = nn.Parameter(torch.ones(c, 1, 1)), nn.Parameter(torch.zeros(c, 1, 1))

    def forward(self, x):
        return F.avg_pool2d(x, 2, divisor_override=1) * self.coefficient + self.bias


class TableConv2d(nn.Module):
    """5x5 convolution in which map m reads only the maps table[m]; `weight` holds one kernel for each X of the table.

    (N, c, H, W) -> (N, len(table), H', W'), unpadded. The bias is shared over a map where bias_side is 1, else every
    unit of the bias_side x bias_side map has its own.
    """

    def __init__(self, table: Table, stride: int = 1, bias_side: int = 1):
        super().__init__()
        self.table, self.stride = table, stride
        self.weight = nn.Parameter(torch.zeros(sum(map(len, table)), 5, 5))
        self.bias = nn.Parameter(torch.zeros(len(table), bias_side, bias_side))

    def forward(self, x):
        return (self.over_all_maps(x) if self.training else self.over_table(x)) + self.bias

    def over_table(self, x):
        """The table's kernels and no others: maps of equal fan-in make one grouped convolution."""
        kernels, maps = self.weight.split([len(sources) for sources in self.table]), []
        for fan_in in sorted({len(sources) for sources in self.table}):
            group = [m for m, sources in enumerate(self.table) if len(sources) == fan_in]
            sources = [source for m in group for source in self.table[m]]
            y = F.conv2d(x[:, sources], torch.stack([kernels[m] for m in group]), None, self.stride, groups=len(group))
            maps += zip(group, y.split(1, dim=1), strict=True)
        return torch.cat([y for _, y in sorted(maps, key=lambda pair: pair[0])], dim=1)

    def over_all_maps(self, x):
        """The same sums with zeros where the table has no X: more to multiply, but far sooner differentiated."""
        crosses = [(m, source) for m, sources in enumerate(self.table) for source in sources]
        m, source = torch.tensor(crosses, device=x.device).unbind(1)
        kernels = self.weight.new_zeros(len(self.table), x.shape[1], 5, 5).index_put((m, source), self.weight)
        return F.conv2d(x, kernels, stride=self.stride)


class RBF(nn.Module):
    """Minus the squared distance of F6 to the fixed code of each class, 1998, Eq. (7).  (N, 84) -> (N, num_classes)"""

    def __init__(self, num_classes: int):
        super().__init__()
        self.register_buffer("codes", torch.tensor(codes(num_classes)))

    def forward(self, x):                               # |x - c|^2 = |x|^2 - 2 x.c + |c|^2, a matrix product
        return 2 * F.linear(x, self.codes) - x.square().sum(1, keepdim=True) - self.codes.square().sum(1)


@torch.no_grad()
def uniform_by_fan_in(layer: nn.Module) -> None:
    """U(-2.4/F, 2.4/F), F the inputs of a unit (Neural Computation 1989, Sec. 4; 1998, Appendix A); biases too, since
    those papers count a bias as one more connection."""
    if isinstance(layer, TableConv2d):
        for sources, kernels, bias in zip(layer.table, layer.weight.split([*map(len, layer.table)]), layer.bias,
                                          strict=True):
            bound = 2.4 / (25 * len(sources))
            kernels.uniform_(-bound, bound)
            bias.uniform_(-bound, bound)
    elif isinstance(layer, Subsampling):
        layer.coefficient.uniform_(-2.4 / 4, 2.4 / 4)
        layer.bias.uniform_(-2.4 / 4, 2.4 / 4)
    elif isinstance(layer, nn.Conv2d | nn.Linear):
        bound = 2.4 / layer.weight[0].numel()
        layer.weight.uniform_(-bound, bound)
        layer.bias.uniform_(-bound, bound)


def squashed(layer: nn.Module) -> nn.Sequential:
    return seq(layer=layer, squash=Squash())


class LeNet1989(Network):
    side, smallest, largest = 28, 28, 31                # 29 to 31 lose a row and a column at H2 or H4
    stages, cam_path = ("H1", "H2", "H3", "H4"), "H3"
    classifier_path = "output.layer"
    initialise = staticmethod(uniform_by_fan_in)

    def __init__(self, num_classes: int = 10, in_channels: int = 1):
        super().__init__(in_channels)
        self.H1 = squashed(nn.Conv2d(in_channels, 4, 5))
        self.H2 = squashed(Subsampling(4))
        self.H3 = squashed(TableConv2d(H2_TO_H3))
        self.H4 = squashed(Subsampling(12))
        self.output = squashed(nn.Linear(12 * 4 * 4, num_classes))
        self.apply(self.initialise)

    def forward(self, x):                               # (N, 1, 28, 28)
        x = self.H2(self.H1(x))                         # (N, 4, 24, 24), (N, 4, 12, 12)
        x = self.H4(self.H3(x))                         # (N, 12, 8, 8), (N, 12, 4, 4)
        return self.output(x.flatten(1))                # (N, num_classes)


def bordered(table: Table, side: int) -> nn.Sequential:
    """Stride 2, beyond the border the background value -1, a bias for every unit.  -> (N, len(table), side, side)"""
    return seq(border=nn.ConstantPad2d(2, -1.0), layer=TableConv2d(table, stride=2, bias_side=side), squash=Squash())


class LeNet1989Zip(Network):
    side, smallest, largest = 16, 15, 16                # 15 ends at the same 8x8 H1
    stages, cam_path = ("H1", "H2"), "H2"
    classifier_path = "output.layer"
    initialise = staticmethod(uniform_by_fan_in)

    def __init__(self, num_classes: int = 10, in_channels: int = 1):
        super().__init__(in_channels)
        self.H1 = bordered((tuple(range(in_channels)),) * 12, side=8)
        self.H2 = bordered(H1_TO_H2, side=4)
        self.H3 = squashed(nn.Linear(12 * 4 * 4, 30))
        self.output = squashed(nn.Linear(30, num_classes))
        self.apply(self.initialise)

    def forward(self, x):                               # (N, 1, 16, 16)
        x = self.H2(self.H1(x))                         # (N, 12, 8, 8), (N, 12, 4, 4)
        return self.output(self.H3(x.flatten(1)))       # (N, 30), (N, num_classes)


class LeNet5(Network):
    side, smallest, largest = 32, 32, 35                # C5 must come out as 1x1
    stages, cam_path = ("C1", "S2", "C3", "S4", "C5"), "C3"
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

    def forward(self, x):                               # (N, 1, 32, 32)
        x = self.S2(self.C1(x))                         # (N, 6, 28, 28), (N, 6, 14, 14)
        x = self.S4(self.C3(x))                         # (N, 16, 10, 10), (N, 16, 5, 5)
        x = self.C5(x)                                  # (N, 120, 1, 1)
        return self.output(self.F6(x.flatten(1)))       # (N, 84), minus the penalties (N, num_classes)


def xavier(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(layer.weight)


class LeNet5Tutorial(Network):
    stages, cam_path = ("conv1", "pool1", "conv2", "pool2"), "conv2"
    classifier_path = "fc3"
    initialise = staticmethod(xavier)

    def __init__(self, padding: int, num_classes: int = 10, in_channels: int = 1):
        super().__init__(in_channels)
        self.side = self.smallest = 32 - 2 * padding
        self.largest = self.smallest + 3                # the pools drop odd rows and columns
        self.conv1 = seq(conv=nn.Conv2d(in_channels, 6, 5, padding=padding), sigmoid=nn.Sigmoid())
        self.pool1 = nn.AvgPool2d(2, stride=2)
        self.conv2 = seq(conv=nn.Conv2d(6, 16, 5), sigmoid=nn.Sigmoid())
        self.pool2 = nn.AvgPool2d(2, stride=2)
        self.fc1 = seq(fc=nn.Linear(16 * 5 * 5, 120), sigmoid=nn.Sigmoid())
        self.fc2 = seq(fc=nn.Linear(120, 84), sigmoid=nn.Sigmoid())
        self.fc3 = nn.Linear(84, num_classes)
        self.apply(self.initialise)

    def forward(self, x):                               # (N, 1, 28, 28)
        x = self.pool1(self.conv1(x))                   # (N, 6, 28, 28), (N, 6, 14, 14)
        x = self.pool2(self.conv2(x))                   # (N, 16, 10, 10), (N, 16, 5, 5)
        return self.fc3(self.fc2(self.fc1(x.flatten(1))))


VARIANTS = {
    "lenet1989": LeNet1989, "lenet1989_zip": LeNet1989Zip, "lenet5": LeNet5,
    "lenet5_tutorial": partial(LeNet5Tutorial, padding=2),
    "lenet5_tutorial_32": partial(LeNet5Tutorial, padding=0, in_channels=3),
}


def totals(source: str, params: str, connections: str) -> tuple[Claim, ...]:
    return Claim("params", params, source), Claim("connections", connections, source)


def layers(quantity: str, source: str, printed: dict[str, str]) -> tuple[Claim, ...]:
    return tuple(Claim(quantity, number, source, part) for part, number in printed.items())


CLAIMS = {
    "lenet1989": (
        *totals("p. 402, summary of the network", params="2578", connections="98442"),
        *sizes("pp. 400-402, description of the layers",
               {"H1": "4x24x24", "H2": "4x12x12", "H3": "12x8x8", "H4": "12x4x4"})),
    "lenet1989_zip": (
        *totals("Sec. 3.3, summary of the network", params="9760", connections="64,660"),
        *sizes("Sec. 3.3", {"H1": "12x8x8", "H2": "12x4x4"}),
        *layers("units", "Sec. 3.3", {"H1": "768", "H2": "192", "H3": "30"}),
        *layers("params", "Sec. 3.3", {"H1": "1068", "H2": "2592"}),
        *layers("connections", "Sec. 3.3", {"H1": "19,968", "H2": "38,592", "H3": "5790", "output": "310"})),
    "lenet5": (
        *totals("Sec. II-B, last lines", params="60,000", connections="340,908"),
        Claim("layers", "7", "Sec. II-B, not counting the input"),
        *sizes("Sec. II-B", {"C1": "6x28x28", "S2": "6x14x14", "C3": "16x10x10", "S4": "16x5x5", "C5": "120x1x1"}),
        *layers("units", "Sec. II-B", {"F6": "84"}),
        *layers("params", "Sec. II-B", {"C1": "156", "S2": "12", "C3": "1,516", "S4": "32", "F6": "10,164"}),
        *layers("connections", "Sec. II-B", {"C1": "122,304", "S2": "5,880", "C3": "151,600", "S4": "2,000",
                                             "C5": "48,120"})),
    **dict.fromkeys(("lenet5_tutorial", "lenet5_tutorial_32"), (
        *sizes("The book's printed outputs, in copies of it for 3x32x32 too", {
            "conv1.conv": "6x28x28", "conv1.sigmoid": "6x28x28", "pool1": "6x14x14", "conv2.conv": "16x10x10",
            "conv2.sigmoid": "16x10x10", "pool2": "16x5x5"}),
        *units("The book's printed outputs", {"pool2": "400", "fc1": "120", "fc2": "84", "fc3": "10"}))),
}
