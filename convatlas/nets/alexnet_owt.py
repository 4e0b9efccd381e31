"""One Weird Trick for Parallelizing Convolutional Neural Networks (Krizhevsky, 2014): AlexNet as
one tower, the network that torchvision calls alexnet.

    conv1 64, 11x11/4   conv2 192, 5x5   conv3 384, 3x3   conv4 256, 3x3   conv5 256, 3x3
    3x3/2 max pools after conv1, conv2 and conv5; then 4096, 4096 and 1000 neurons
"""
import torch.nn as nn
from torch import Tensor

from convatlas.layers import Network, seq
from convatlas.nets.alexnet import conv
from convatlas.paper import Paper

PAPER = Paper(
    title="One weird trick for parallelizing convolutional neural networks",
    authors="Krizhevsky", year=2014, arxiv="1404.5997v2",
    code="code.google.com/p/cuda-convnet2 layers-imagenet-1gpu.cfg",
    silent="The paper gives no table; the widths are those of the author's configuration file and "
           "of torchvision's alexnet. Initial weights are PyTorch's own.",
    departs="The graph is torchvision's alexnet. The author's configuration keeps the "
            "normalisation after conv1 and conv2, pads its first layer by rounding up, and drops "
            "out after fc6 and fc7; here there is no normalisation, conv1 is padded by 2, and "
            "dropout comes before fc6 and fc7.",
    page="alexnet_owt")


class AlexNetOWT(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""
    side = 224
    smallest = 223
    largest = 254  # pool5 must come out as 6x6
    stages = ("conv1", "conv2", "conv3", "conv4", "conv5", "pool5")
    cam_path = "conv5"
    classifier_path = "fc8"

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = conv(in_channels, 64, 11, stride=4, padding=2)
        self.conv2 = conv(64, 192, 5, padding=2)
        self.conv3 = conv(192, 384, 3, padding=1)
        self.conv4 = conv(384, 256, 3, padding=1)
        self.conv5 = conv(256, 256, 3, padding=1)
        self.pool1 = nn.MaxPool2d(3, stride=2)
        self.pool2 = nn.MaxPool2d(3, stride=2)
        self.pool5 = nn.MaxPool2d(3, stride=2)
        self.fc6 = seq(dropout=nn.Dropout(0.5), fc=nn.Linear(256 * 6 * 6, 4096), relu=nn.ReLU())
        self.fc7 = seq(dropout=nn.Dropout(0.5), fc=nn.Linear(4096, 4096), relu=nn.ReLU())
        self.fc8 = nn.Linear(4096, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:     # (N, 3, 224, 224)
        x = self.pool1(self.conv1(x))           # (N, 64, 55, 55), (N, 64, 27, 27)
        x = self.pool2(self.conv2(x))           # (N, 192, 27, 27), (N, 192, 13, 13)
        x = self.conv4(self.conv3(x))           # (N, 384, 13, 13), (N, 256, 13, 13)
        x = self.pool5(self.conv5(x))           # (N, 256, 13, 13), (N, 256, 6, 6)
        x = self.fc7(self.fc6(x.flatten(1)))    # (N, 9216), (N, 4096) twice
        return self.fc8(x)                      # (N, num_classes)


VARIANTS = {"alexnet_owt": AlexNetOWT}
