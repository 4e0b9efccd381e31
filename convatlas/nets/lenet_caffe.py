"""The LeNet that came with Caffe: 20 and 50 maps, max pooling, a single ReLU."""
import math

import torch.nn as nn
from torch import Tensor

from convatlas.layers import Network, seq
from convatlas.paper import Paper

PAPER = Paper(
    title="Training LeNet on MNIST with Caffe", authors="Jia, Shelhamer",
    year=2014, code="github.com/BVLC/caffe",
    silent="There is no paper; layers and their names are those of examples/mnist/lenet.prototxt. "
           "Where it says nothing, Caffe's defaults hold: pools round up. Its filler 'xavier' is "
           "uniform within the root of 3 / inputs; biases are 0.",
    page="lenet_caffe")


def xavier(layer: nn.Module) -> None:
    """Caffe's filler of that name: the variance is one over the inputs, outputs do not count."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        bound = math.sqrt(3 / layer.weight[0].numel())
        nn.init.uniform_(layer.weight, -bound, bound)
        nn.init.zeros_(layer.bias)


class LeNetCaffe(Network):
    """(N, 1, 28, 28) -> (N, num_classes)"""
    side = 28
    smallest = 25
    largest = 28  # pool2 must come out as 4x4
    stages = ("conv1", "pool1", "conv2", "pool2")
    cam_path = "conv2"
    classifier_path = "ip2"
    initialise = staticmethod(xavier)

    def __init__(self, num_classes: int = 10, in_channels: int = 1):
        super().__init__(in_channels)
        self.conv1 = nn.Conv2d(in_channels, 20, 5)
        self.pool1 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.pool2 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        self.ip1 = seq(ip=nn.Linear(50 * 4 * 4, 500), relu=nn.ReLU())
        self.ip2 = nn.Linear(500, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:     # (N, 1, 28, 28)
        x = self.pool1(self.conv1(x))           # (N, 20, 24, 24), (N, 20, 12, 12)
        x = self.pool2(self.conv2(x))           # (N, 50, 8, 8), (N, 50, 4, 4)
        x = self.ip1(x.flatten(1))              # (N, 500)
        return self.ip2(x)                      # (N, num_classes)


VARIANTS = {"lenet_caffe": LeNetCaffe}
