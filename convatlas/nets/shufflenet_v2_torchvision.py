"""ShuffleNet V2 as torchvision has it, and with it most libraries: each branch of a unit of
stride 2 gives half of its output.
"""
from functools import partial

import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Network, seq
from convatlas.nets.shufflenet_v2 import TABLE, Column, FirstUnit, Unit
from convatlas.paper import Paper

PAPER = Paper(
    title="ShuffleNet V2 (torchvision)",
    authors="torchvision contributors",
    year=2019, code="github.com/pytorch/vision",
    silent="There is no paper: this is what most libraries call ShuffleNet V2. Initial weights are "
           "PyTorch's own, as there.",
    page="shufflenet_v2_torchvision")


def stage_of_halves(c_in: int, c_out: int, units: int) -> nn.Sequential:
    """(N, c_in, H, W) -> (N, c_out, H/2, W/2)"""
    first = FirstUnit(c_in, c_out, kept=c_out // 2, stride=2)
    return nn.Sequential(first, *(Unit(c_out) for _ in range(units - 1)))


class ShuffleNetV2Torchvision(Network):
    """Table 5, a column.  (N, 3, 224, 224) -> (N, num_classes)"""

    stages = ("Conv1", "MaxPool", "Stage2", "Stage3", "Stage4", "Conv5")
    classifier_path = "FC"

    def __init__(self, column: Column, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.Conv1 = seq(conv=ConvBN(in_channels, 24, 3, stride=2), relu=nn.ReLU())
        self.MaxPool = nn.MaxPool2d(3, stride=2, padding=1)
        self.Stage2 = stage_of_halves(24, column.Stage2, units=4)
        self.Stage3 = stage_of_halves(column.Stage2, column.Stage3, units=8)
        self.Stage4 = stage_of_halves(column.Stage3, column.Stage4, units=4)
        self.Conv5 = seq(conv=ConvBN(column.Stage4, column.Conv5, 1), relu=nn.ReLU())
        self.FC = nn.Linear(column.Conv5, num_classes)

    def forward(self, x: Tensor) -> Tensor:     # (N, 3, 224, 224); at 1x:
        x = self.MaxPool(self.Conv1(x))         # (N, 24, 112, 112), (N, 24, 56, 56)
        x = self.Stage2(x)                      # (N, 116, 28, 28)
        x = self.Stage3(x)                      # (N, 232, 14, 14)
        x = self.Stage4(x)                      # (N, 464, 7, 7)
        x = self.Conv5(x).mean((2, 3))          # (N, 1024, 7, 7), (N, 1024)
        return self.FC(x)                       # (N, num_classes)


VARIANTS = {f"shufflenet_v2_torchvision{suffix}": partial(ShuffleNetV2Torchvision, column)
            for suffix, column in TABLE.items()}
