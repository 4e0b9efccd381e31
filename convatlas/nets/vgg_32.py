"""VGG for images of 32x32: no paper. The convolutions of Table 1's D and E with batch norm, then a
single fully connected layer.
"""
from functools import partial

import torch.nn as nn
from torch import Tensor

from convatlas.layers import Network, biased_conv
from convatlas.nets.vgg import add_blocks
from convatlas.paper import Paper

PAPER = Paper(
    title="VGG for CIFAR-10 (pytorch-cifar)", authors="kuangliu",
    year=2017, code="github.com/kuangliu/pytorch-cifar",
    silent="There is no paper. Initial weights are PyTorch's own, as in the code; no dropout.",
    page="vgg_32")


class VGG32(Network):
    """(N, 3, 32, 32) -> (N, num_classes)"""
    side = 32
    smallest = 32
    largest = 63  # pool5 must come out as 1x1
    stages = ("conv1", "conv2", "conv3", "conv4", "conv5")

    def __init__(self, column: str, num_classes: int = 10, in_channels: int = 3):
        super().__init__(in_channels)
        c = add_blocks(self, column, biased_conv)
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:     # (N, 3, 32, 32)
        x = self.pool1(self.conv1(x))           # (N, 64, 32, 32), (N, 64, 16, 16)
        x = self.pool2(self.conv2(x))           # (N, 128, 16, 16), (N, 128, 8, 8)
        x = self.pool3(self.conv3(x))           # (N, 256, 8, 8), (N, 256, 4, 4)
        x = self.pool4(self.conv4(x))           # (N, 512, 4, 4), (N, 512, 2, 2)
        x = self.pool5(self.conv5(x))           # (N, 512, 2, 2), (N, 512, 1, 1)
        return self.fc(x.flatten(1))            # (N, num_classes)


VARIANTS = {"vgg16_bn_32": partial(VGG32, "D"), "vgg19_bn_32": partial(VGG32, "E")}
