"""What tutorials call AlexNet: the widths of 2012, without its two GPUs and its normalisation.

                 alexnet_tutorial    alexnet_tutorial_padding1
    input        3x224x224           1x224x224
    conv1        96x55x55            96x54x54        11x11, stride 4, padding 2 or 1
    pool1        96x27x27            96x26x26        3x3 max, stride 2, as the other pools
    conv2        256x27x27           256x26x26       5x5, padding 2
    pool2        256x13x13           256x12x12
    conv3        384x13x13           384x12x12       3x3, padding 1
    conv4        384x13x13           384x12x12       3x3, padding 1
    conv5        256x13x13           256x12x12       3x3, padding 1
    pool5        256x6x6             256x5x5
    fc6          9216 to 4096        6400 to 4096    with dropout of one half, as fc7
    fc7          4096
    fc8          1000                10
"""
from functools import partial

import torch.nn as nn
from torch import Tensor

from convatlas.layers import Network, fully_connected
from convatlas.nets.alexnet import conv
from convatlas.paper import Paper

PAPER = Paper(
    title="Dive into Deep Learning, AlexNet", authors="Zhang, Lipton, Li, Smola",
    year=2019, code="github.com/d2l-ai/d2l-en",
    silent="There is no paper. The book pads conv1 by 1, reads one channel and has ten classes: "
           "alexnet_tutorial_padding1. In alexnet_tutorial conv1 is padded by 2, as many copies "
           "do, which leaves 55, 27, 13 and 6 pixels of 224 as the paper has them. Weights are "
           "Xavier-uniform, dropout 0.5 after fc6 and fc7, as in the book.",
    page="alexnet_tutorial", bare="alexnet_tutorial")


class AlexNetTutorial(Network):
    """`padding` of conv1, which leaves `last` x `last` pixels behind pool5.

    (N, 3, 224, 224) -> (N, num_classes)
    """
    side = 224
    stages = ("conv1", "conv2", "conv3", "conv4", "conv5", "pool5")
    cam_path = "conv5"
    classifier_path = "fc8"

    def __init__(self, padding: int, last: int, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.smallest = 32 * last + 35 - 2 * padding    # pool5 must come out as last x last
        self.largest = self.smallest + 31
        self.conv1 = conv(in_channels, 96, 11, stride=4, padding=padding)
        self.conv2 = conv(96, 256, 5, padding=2)
        self.conv3 = conv(256, 384, 3, padding=1)
        self.conv4 = conv(384, 384, 3, padding=1)
        self.conv5 = conv(384, 256, 3, padding=1)
        self.pool1 = nn.MaxPool2d(3, stride=2)
        self.pool2 = nn.MaxPool2d(3, stride=2)
        self.pool5 = nn.MaxPool2d(3, stride=2)
        self.fc6 = fully_connected(256 * last * last, 4096)
        self.fc7 = fully_connected(4096, 4096)
        self.fc8 = nn.Linear(4096, num_classes)
        self.apply(self.initialise)

    def initialise(self, layer: nn.Module) -> None:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)

    def forward(self, x: Tensor) -> Tensor:     # (N, 3, 224, 224)
        x = self.pool1(self.conv1(x))           # (N, 96, 55, 55), (N, 96, 27, 27)
        x = self.pool2(self.conv2(x))           # (N, 256, 27, 27), (N, 256, 13, 13)
        x = self.conv4(self.conv3(x))           # (N, 384, 13, 13) twice
        x = self.pool5(self.conv5(x))           # (N, 256, 13, 13), (N, 256, 6, 6)
        x = self.fc7(self.fc6(x.flatten(1)))    # (N, 9216), (N, 4096) twice
        return self.fc8(x)                      # (N, num_classes)


VARIANTS = {
    "alexnet_tutorial": partial(AlexNetTutorial, padding=2, last=6),
    "alexnet_tutorial_padding1": partial(AlexNetTutorial, padding=1, last=5, num_classes=10,
                                         in_channels=1),
}
