"""The first LeNet, NIPS 1989: 28x28 pixels, trained subsampling, a table of connections.

    H1 4@24x24, 5x5   H2 4@12x12   H3 12@8x8, Table 1   H4 12@4x4   output 10
"""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from convatlas.layers import Network, seq
from convatlas.paper import Paper

PAPER = Paper(
    title="Handwritten Digit Recognition with a Back-Propagation Network",
    authors="Le Cun, Boser, Denker, Henderson, Howard, Hubbard, Jackel",
    year=1989, venue="NIPS 2",
    silent="Initial weights: U(-2.4/F, 2.4/F), as in the companion paper in Neural Computation. "
           "The squashing function: 1998's. H2 and H4 average, all weights of a map being equal: "
           "the four inputs are added, as in 1998, which differs from their mean only in the scale "
           "of that weight. Whether H2 and H4 squash: they do not.",
    page="lenet1989")

Table = tuple[tuple[int, ...], ...]  # for each map, the maps it reads, counted from 0

H2_TO_H3: Table = ((0,), (0, 1), (0, 1), (1,), (0, 1), (0, 1),  # NIPS 1989, Table 1: 20 kernels
                   (2,), (2, 3), (2, 3), (3,), (2, 3), (2, 3))


class Squash(nn.Module):
    """f(a) = 1.7159 tanh(2a/3), so that f(1) = 1 and f(-1) = -1 (1998, Eq. (6) and Appendix A)."""

    def forward(self, a: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(a * (2 / 3))


class Subsampling(nn.Module):
    """The sum of each 2x2 patch, times a trainable coefficient, plus a bias: one pair for each map
    (1998, Sec. II-B).  (N, c, H, W) -> (N, c, H/2, W/2); an odd last row or column is left out.
    """
    kernel_size = 2
    stride = 2

    def __init__(self, c: int):
        super().__init__()
        self.coefficient = nn.Parameter(torch.ones(c, 1, 1))
        self.bias = nn.Parameter(torch.zeros(c, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 2, divisor_override=1) * self.coefficient + self.bias


class TableConv2d(nn.Module):
    """5x5 convolution, unpadded, in which map m reads only the maps table[m]; `weight` holds one
    kernel for each X of the table.  (N, c, H, W) -> (N, len(table), H', W')

    The bias is shared over a map where bias_side is 1; else every unit of the bias_side x bias_side
    map has its own.
    """

    def __init__(self, table: Table, stride: int = 1, bias_side: int = 1):
        super().__init__()
        self.table = table
        self.stride = stride
        self.weight = nn.Parameter(torch.zeros(sum(map(len, table)), 5, 5))
        self.bias = nn.Parameter(torch.zeros(len(table), bias_side, bias_side))

    def forward(self, x: Tensor) -> Tensor:
        sums = self.over_all_maps(x) if self.training else self.over_table(x)
        return sums + self.bias

    def over_table(self, x: Tensor) -> Tensor:
        """The table's kernels and no others: maps of equal fan-in make one grouped convolution."""
        kernels = self.weight.split([len(sources) for sources in self.table])
        maps: dict[int, Tensor] = {}
        for fan_in in sorted({len(sources) for sources in self.table}):
            group = [m for m, sources in enumerate(self.table) if len(sources) == fan_in]
            sources = [source for m in group for source in self.table[m]]
            weight = torch.stack([kernels[m] for m in group])
            y = F.conv2d(x[:, sources], weight, stride=self.stride, groups=len(group))
            maps.update(zip(group, y.split(1, dim=1), strict=True))
        return torch.cat([maps[m] for m in range(len(self.table))], dim=1)

    def over_all_maps(self, x: Tensor) -> Tensor:
        """The same sums with zeros where the table has no X: more to multiply, but far faster to
        differentiate.
        """
        crosses = [(m, source) for m, sources in enumerate(self.table) for source in sources]
        m, source = torch.tensor(crosses, device=x.device).unbind(1)
        zeros = self.weight.new_zeros(len(self.table), x.shape[1], 5, 5)
        return F.conv2d(x, zeros.index_put((m, source), self.weight), stride=self.stride)


@torch.no_grad()
def uniform_by_fan_in(layer: nn.Module) -> None:
    """U(-2.4/F, 2.4/F), F the inputs of a unit (Neural Computation 1989, Sec. 4; 1998, Appendix A);
    biases too, since those papers count a bias as one more connection.
    """
    if isinstance(layer, TableConv2d):
        of_each_map = layer.weight.split([len(sources) for sources in layer.table])
        for kernels, bias in zip(of_each_map, layer.bias, strict=True):
            bound = 2.4 / kernels.numel()
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
    """(N, 1, 28, 28) -> (N, num_classes)"""
    side = 28
    smallest = 28
    largest = 31  # 29 to 31 lose a row and a column at H2 or H4
    stages = ("H1", "H2", "H3", "H4")
    cam_path = "H3"
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

    def forward(self, x: Tensor) -> Tensor:     # (N, 1, 28, 28)
        x = self.H2(self.H1(x))                 # (N, 4, 24, 24), (N, 4, 12, 12)
        x = self.H4(self.H3(x))                 # (N, 12, 8, 8), (N, 12, 4, 4)
        return self.output(x.flatten(1))        # (N, num_classes)


VARIANTS = {"lenet1989": LeNet1989}
