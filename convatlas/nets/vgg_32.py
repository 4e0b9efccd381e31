"""VGG for images of 32x32: no paper. The convolutions of Table 1's D and E with batch norm, then
one full layer.
"""
from functools import partial

import torch.nn as nn

from convatlas.layers import Network
from convatlas.nets.vgg import BLOCKS, TABLE, block, conv_bn
from convatlas.paper import Paper

PAPER = Paper(
    title="VGG for CIFAR-10 (pytorch-cifar)", authors="kuangliu", year=2017, code="github.com/kuangliu/pytorch-cifar",
    silent="There is no paper. Initial weights are PyTorch's own, as in the code; no dropout.",
    page="vgg_32")


class VGG32(Network):
    side, smallest, largest = 32, 32, 63                # pool5 must come out as 1x1
    stages, classifier_path = BLOCKS, "fc"

    def __init__(self, column: str, num_classes: int = 10, in_channels: int = 3):
        super().__init__(in_channels)
        c = in_channels
        for i, name in enumerate(BLOCKS, start=1):
            layers, c = block(name, getattr(TABLE[column], name), conv_bn, c)
            self.add_module(name, layers)
            self.add_module(f"pool{i}", nn.MaxPool2d(2, stride=2))
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)

    def forward(self, x):                               # (N, 3, 32, 32)
        x = self.pool1(self.conv1(x))                   # (N, 64, 32, 32), (N, 64, 16, 16)
        x = self.pool2(self.conv2(x))                   # (N, 128, 16, 16), (N, 128, 8, 8)
        x = self.pool3(self.conv3(x))                   # (N, 256, 8, 8), (N, 256, 4, 4)
        x = self.pool4(self.conv4(x))                   # (N, 512, 4, 4), (N, 512, 2, 2)
        x = self.pool5(self.conv5(x))                   # (N, 512, 2, 2), (N, 512, 1, 1)
        return self.fc(x.flatten(1))                    # (N, num_classes)


VARIANTS = {"vgg16_bn_32": partial(VGG32, "D"), "vgg19_bn_32": partial(VGG32, "E")}
CLAIMS = {}
