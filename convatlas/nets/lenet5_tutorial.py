"""What tutorials call LeNet-5: the form of Dive into Deep Learning, for 28x28 pixels, or 32x32
without padding.
"""
from functools import partial

import torch.nn as nn
from torch import Tensor

from convatlas.layers import Network, seq
from convatlas.paper import Paper

PAPER = Paper(
    title="Dive into Deep Learning, LeNet", authors="Zhang, Lipton, Li, Smola",
    year=2019, code="github.com/d2l-ai/d2l-en",
    silent="There is no paper. Initial weights are Xavier-uniform, as in the book; from PyTorch's "
           "own the sigmoids hardly learn.",
    page="lenet5_tutorial")


def xavier(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(layer.weight)


class LeNet5Tutorial(Network):
    """(N, 1, 28, 28) with padding 2, (N, 3, 32, 32) with none -> (N, num_classes)"""
    stages = ("conv1", "pool1", "conv2", "pool2")
    cam_path = "conv2"
    classifier_path = "fc3"
    initialise = staticmethod(xavier)

    def __init__(self, padding: int, num_classes: int = 10, in_channels: int = 1):
        super().__init__(in_channels)
        self.side = 32 - 2 * padding
        self.smallest = self.side
        self.largest = self.side + 3  # the pools drop odd rows and columns
        self.conv1 = seq(conv=nn.Conv2d(in_channels, 6, 5, padding=padding), sigmoid=nn.Sigmoid())
        self.pool1 = nn.AvgPool2d(2, stride=2)
        self.conv2 = seq(conv=nn.Conv2d(6, 16, 5), sigmoid=nn.Sigmoid())
        self.pool2 = nn.AvgPool2d(2, stride=2)
        self.fc1 = seq(fc=nn.Linear(16 * 5 * 5, 120), sigmoid=nn.Sigmoid())
        self.fc2 = seq(fc=nn.Linear(120, 84), sigmoid=nn.Sigmoid())
        self.fc3 = nn.Linear(84, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:                 # (N, 1, 28, 28)
        x = self.pool1(self.conv1(x))                       # (N, 6, 28, 28), (N, 6, 14, 14)
        x = self.pool2(self.conv2(x))                       # (N, 16, 10, 10), (N, 16, 5, 5)
        return self.fc3(self.fc2(self.fc1(x.flatten(1))))   # (N, num_classes)


VARIANTS = {
    "lenet5_tutorial": partial(LeNet5Tutorial, padding=2),
    "lenet5_tutorial_32": partial(LeNet5Tutorial, padding=0, in_channels=3),
}
