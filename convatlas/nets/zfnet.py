"""Visualizing and Understanding Convolutional Networks (Zeiler, Fergus; arXiv 2013, ECCV 2014):
AlexNet after a look at its filters, with smaller ones in the first layer and shorter strides.

    Figure 3   filters  size   stride  then                                       gives
    conv1      96       7x7    2       ReLU, 3x3/2 max pool, contrast norm.       110, 55
    conv2      256      5x5    2       ReLU, 3x3/2 max pool, contrast norm.       26, 13
    conv3      384      3x3    1       ReLU                                       13
    conv4      384      3x3    1       ReLU                                       13
    conv5      256      3x3    1       ReLU, 3x3/2 max pool                       13, 6
    fc6, fc7   4096 units each, then a C-way softmax

MAPS and UNITS below are Table 3's lines under "Our Model", each changing one thing or two.
"""
from functools import partial

import torch.nn as nn
from torch import Tensor

from convatlas.layers import LocalResponseNorm, Network, fully_connected
from convatlas.nets.alexnet import conv, rounded_up
from convatlas.paper import Paper

PAPER = Paper(
    title="Visualizing and Understanding Convolutional Networks",
    authors="Zeiler, Fergus",
    year=2013, venue="ECCV 2014", arxiv="1311.2901v3",
    silent="Padding, and how sizes are rounded: up, as in cuda-convnet, on which the authors' own "
           "code was built. So 7x7 filters at stride 2 make 110x110 of 224x224, the last windows "
           "reaching over the border, where zeros stand, and 3x3 pools at stride 2 make 55 of 110 "
           "and 13 of 26; conv2 is not padded, conv3 to conv5 by 1, or the printed sizes would be "
           "others. Copies that pad conv1 by 1 and its pool by 1 have the same sizes and other "
           "values. The contrast normalisation, for which the paper refers to AlexNet's, has its "
           "constants and follows the pool, as the caption says; it stands in the layers in which "
           "AlexNet has it. The paper says that layers 3, 4 and 5, sparse in AlexNet, are dense "
           "here; AlexNet's layer 2 is sparse and its layer 3 is not, and all of them are dense "
           "here, on one GPU. Weights \"initialized to 10^-2\" are drawn with that deviation, for "
           "with equal ones all filters of a layer would stay equal.",
    page="zfnet")

MAPS = (384, 384, 256)      # of layers 3, 4, 5
WIDE_MAPS = (512, 1024, 512)


class ZFNet(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""
    side = 224
    smallest = 204
    largest = 235  # pool5 must come out as 6x6
    stages = ("conv1", "conv2", "conv3", "conv4", "conv5", "pool5")
    cam_path = "conv5"
    classifier_path = "fc8"

    def __init__(self, maps: tuple[int, int, int] = MAPS, units: int = 4096,
                 num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = rounded_up(in_channels, 96, 7, stride=2)
        self.conv2 = rounded_up(96, 256, 5, stride=2)
        self.conv3 = conv(256, maps[0], 3, padding=1)
        self.conv4 = conv(maps[0], maps[1], 3, padding=1)
        self.conv5 = conv(maps[1], maps[2], 3, padding=1)
        self.pool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.pool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.pool5 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.norm1 = LocalResponseNorm()
        self.norm2 = LocalResponseNorm()
        self.fc6 = fully_connected(maps[2] * 6 * 6, units)  # with dropout 0.5, Sec. 3
        self.fc7 = fully_connected(units, units)
        self.fc8 = nn.Linear(units, num_classes)
        self.apply(self.initialise)

    def initialise(self, layer: nn.Module) -> None:
        """Sec. 3: 10^-2, and biases 0."""
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:         # (N, 3, 224, 224)
        x = self.norm1(self.pool1(self.conv1(x)))   # (N, 96, 110, 110), (N, 96, 55, 55)
        x = self.norm2(self.pool2(self.conv2(x)))   # (N, 256, 26, 26), (N, 256, 13, 13)
        x = self.conv3(x)                           # (N, 384, 13, 13)
        x = self.conv4(x)                           # (N, 384, 13, 13)
        x = self.pool5(self.conv5(x))               # (N, 256, 13, 13), (N, 256, 6, 6)
        x = self.fc7(self.fc6(x.flatten(1)))        # (N, 9216), (N, 4096) twice
        return self.fc8(x)                          # (N, num_classes)


VARIANTS = {
    "zfnet": ZFNet,
    "zfnet_fc2048": partial(ZFNet, units=2048),
    "zfnet_fc8192": partial(ZFNet, units=8192),
    "zfnet_512_1024_512": partial(ZFNet, WIDE_MAPS),
    "zfnet_512_1024_512_fc8192": partial(ZFNet, WIDE_MAPS, 8192),
}
