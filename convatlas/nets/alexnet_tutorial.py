"""What tutorials call AlexNet: the widths of 2012, without its two GPUs and its normalisation."""
import torch.nn as nn
from torch import Tensor

from convatlas.layers import Network, fully_connected
from convatlas.nets.alexnet import conv
from convatlas.paper import Paper

PAPER = Paper(
    title="Dive into Deep Learning, AlexNet", authors="Zhang, Lipton, Li, Smola",
    year=2019, code="github.com/d2l-ai/d2l-en",
    silent="There is no paper. conv1 is padded by 2, which leaves 55, 27, 13 and 6 pixels of 224; "
           "the book pads it by 1. Weights are Xavier-uniform, dropout 0.5 after fc6 and fc7, as "
           "in the book.",
    page="alexnet_tutorial")


class AlexNetTutorial(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""
    side = 224
    smallest = 223
    largest = 254  # pool5 must come out as 6x6
    stages = ("conv1", "conv2", "conv3", "conv4", "conv5", "pool5")
    cam_path = "conv5"
    classifier_path = "fc8"

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = conv(in_channels, 96, 11, stride=4, padding=2)
        self.conv2 = conv(96, 256, 5, padding=2)
        self.conv3 = conv(256, 384, 3, padding=1)
        self.conv4 = conv(384, 384, 3, padding=1)
        self.conv5 = conv(384, 256, 3, padding=1)
        self.pool1 = nn.MaxPool2d(3, stride=2)
        self.pool2 = nn.MaxPool2d(3, stride=2)
        self.pool5 = nn.MaxPool2d(3, stride=2)
        self.fc6 = fully_connected(256 * 6 * 6, 4096)
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


VARIANTS = {"alexnet_tutorial": AlexNetTutorial}
