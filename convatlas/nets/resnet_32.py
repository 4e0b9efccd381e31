"""ResNet-18 for images of 32x32: no paper. Table 1's widths after a 3x3 convolution of stride 1, no
pool.
"""
from functools import partial

import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Network, he_init, seq
from convatlas.nets.resnet import Stage, Unit, basic
from convatlas.paper import Paper

PAPER = Paper(
    title="ResNet for CIFAR-10 (pytorch-cifar)",
    authors="kuangliu", year=2017, code="github.com/kuangliu/pytorch-cifar",
    silent="There is no paper; ResNet's has its own networks for CIFAR-10 (resnet20_cifar and on). "
           "Initial weights are He's, as for those. Batch norm has PyTorch's epsilon and momentum, "
           "1e-5 and 0.1. Fully connected layers start as PyTorch's.",
    page="resnet_32")


class ResNet32(Network):
    """(N, 3, 32, 32) -> (N, num_classes)"""

    side = 32
    stages = ("conv1", "conv2_x", "conv3_x", "conv4_x", "conv5_x")
    initialise = staticmethod(he_init)

    def __init__(self, unit: Unit, num_classes: int = 10, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = seq(conv=ConvBN(in_channels, 64, 3), relu=nn.ReLU())
        self.conv2_x = Stage(unit, 2, 64, width=64, stride=1)
        self.conv3_x = Stage(unit, 2, 64, width=128, stride=2)
        self.conv4_x = Stage(unit, 2, 128, width=256, stride=2)
        self.conv5_x = Stage(unit, 2, 256, width=512, stride=2)
        self.fc = nn.Linear(512, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:           # (N, 3, 32, 32)
        x = self.conv1(x)                             # (N, 64, 32, 32)
        x = self.conv2_x(x)                           # (N, 64, 32, 32)
        x = self.conv3_x(x)                           # (N, 128, 16, 16)
        x = self.conv4_x(x)                           # (N, 256, 8, 8)
        x = self.conv5_x(x)                           # (N, 512, 4, 4)
        return self.fc(x.mean((2, 3)))                # (N, num_classes)


VARIANTS = {"resnet18_32": partial(ResNet32, basic)}
