"""What tutorials call LeNet-5: the form of Dive into Deep Learning, for 28x28 or, without padding,
32x32 pixels.
"""
from functools import partial

import torch.nn as nn

from convatlas.layers import Network, seq
from convatlas.paper import Paper, sizes, units

PAPER = Paper(
    title="Dive into Deep Learning, LeNet", authors="Zhang, Lipton, Li, Smola", year=2019,
    code="github.com/d2l-ai/d2l-en",
    silent="There is no paper. Weights are Xavier-uniform, the book's; from PyTorch's own the "
           "sigmoids hardly learn.",
    page="lenet5_tutorial")


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
    "lenet5_tutorial": partial(LeNet5Tutorial, padding=2),
    "lenet5_tutorial_32": partial(LeNet5Tutorial, padding=0, in_channels=3),
}
CLAIMS = dict.fromkeys(VARIANTS, (
    *sizes("The book's printed outputs, in copies of it for 3x32x32 too", {
        "conv1.conv": "6x28x28", "conv1.sigmoid": "6x28x28", "pool1": "6x14x14", "conv2.conv": "16x10x10",
        "conv2.sigmoid": "16x10x10", "pool2": "16x5x5"}),
    *units("The book's printed outputs", {"pool2": "400", "fc1": "120", "fc2": "84", "fc3": "10"})))
