"""ResNet-50 as EfficientNet's Table 3 scales it up.

    row of Table 3                          network                 d     w     pixels
    by depth (d=4)                          resnet50_d4             4     1     224
    by width (w=2)                          resnet50_x2_0           1     2     224
    by resolution (r=2)                     resnet50_v15 itself     1     1     448
    compound scale                          resnet50_compound       1.4   1.2   299

d times as many bottlenecks in every stage, rounded up; w times as many channels in every layer, the
first included, rounded to multiples of 8.
"""
from functools import partial
from math import ceil

import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Network, he_init, make_divisible, seq
from convatlas.nets.resnet import DEPTHS, ResNet, Stage
from convatlas.nets.resnet_v15 import bottleneck_v15
from convatlas.paper import Paper

PAPER = Paper(
    title="EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    authors="Tan, Le",
    year=2019, venue="ICML", arxiv="1905.11946v5",
    silent="Which ResNet-50 Table 3 scales: with the stride in the 3x3, for its baseline takes "
           "4.1B. How it is rounded: as the authors' code does for EfficientNet. The coefficients "
           "of the compound scale: those printed for MobileNetV1, d = 1.4, w = 1.2, r = 1.3, the "
           "last of them 299 pixels, as Figure 4's caption has it.",
    page="efficientnet", bare="resnet50_compound")


class ResNet50Scaled(Network):
    """(N, 3, side, side) -> (N, num_classes)"""

    stages = ResNet.stages
    initialise = staticmethod(he_init)

    def __init__(self, d: float, w: float, side: int = 224, num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(in_channels)
        self.side = side
        c = make_divisible(64 * w)
        self.conv1 = seq(conv=ConvBN(in_channels, c, 7, stride=2), relu=nn.ReLU())
        self.pool1 = nn.MaxPool2d(3, stride=2, padding=1)
        for name, depth, width in zip(self.stages[1:], DEPTHS[50], (64, 128, 256, 512),
                                      strict=True):
            stride = 1 if width == 64 else 2        # pool1 has halved the map
            stage = Stage(bottleneck_v15, ceil(depth * d), c, make_divisible(width * w), stride)
            self.add_module(name, stage)
            c = stage.c_out
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:           # (N, 3, 224, 224), d = w = 1:
        x = self.pool1(self.conv1(x))                 # (N, 64, 56, 56)
        for name in self.stages[1:]:
            x = self.get_submodule(name)(x)           # (N, 256, 56, 56) to (N, 2048, 7, 7)
        return self.fc(x.mean((2, 3)))                # (N, num_classes)


VARIANTS = {
    "resnet50_d4": partial(ResNet50Scaled, d=4, w=1),
    "resnet50_x2_0": partial(ResNet50Scaled, d=1, w=2),
    "resnet50_compound": partial(ResNet50Scaled, d=1.4, w=1.2, side=299),
}
