"""Xception: Deep Learning with Depthwise Separable Convolutions (Chollet; CVPR 2017).

Figure 5. "SeparableConv" is a depthwise 3x3 with a 1x1 after it; a batch norm follows every
convolution and every SeparableConv; +1x1/2 is a 1x1 convolution of stride 2 on the shortcut.

    entry flow   299x299x3  Conv 32, 3x3/2; ReLU; Conv 64, 3x3; ReLU
                            SeparableConv 128; ReLU, SeparableConv 128; MaxPool 3x3/2        +1x1/2
                            ReLU, SeparableConv 256; ReLU, SeparableConv 256; MaxPool 3x3/2  +1x1/2
                            ReLU, SeparableConv 728; ReLU, SeparableConv 728; MaxPool 3x3/2  +1x1/2
    middle flow  19x19x728  ReLU, SeparableConv 728, three times; plus its input: eight of these
    exit flow    19x19x728  ReLU, SeparableConv 728; ReLU, SeparableConv 1024; MaxPool 3x3/2 +1x1/2
                            SeparableConv 1536, ReLU; SeparableConv 2048, ReLU
                            global average pool: 2048
"""
from itertools import pairwise

import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Network, Sum, he_init, seq
from convatlas.paper import Paper

PAPER = Paper(
    title="Xception: Deep Learning with Depthwise Separable Convolutions", authors="Chollet",
    year=2017, venue="CVPR", arxiv="1610.02357v3",
    code="github.com/keras-team/keras-applications keras_applications/xception.py",
    silent="Padding: none in the first two convolutions and 1 for every other 3x3, as in the "
           "author's code, whose strided pools however begin one pixel later on even maps "
           "(TensorFlow). No ReLU between the two halves of a SeparableConv (Sec. 4.7 finds that "
           "better) and no bias in any convolution. Batch norm has PyTorch's epsilon and momentum, "
           "1e-5 and 0.1, as in timm, for the weights of the ports; the author's epsilon is 1e-3. "
           "Initial weights: He's, in the fully connected layer PyTorch's. His: xception_released.",
    page="xception")


def unpadded(c_in: int, c_out: int, stride: int) -> nn.Sequential:
    return seq(conv=nn.Conv2d(c_in, c_out, 3, stride, bias=False),
               bn=nn.BatchNorm2d(c_out), relu=nn.ReLU())


def separable(c_in: int, c_out: int) -> nn.Sequential:
    return seq(depthwise=nn.Conv2d(c_in, c_in, 3, padding=1, groups=c_in, bias=False),
               pointwise=ConvBN(c_in, c_out, 1))


def relu_separable(*channels: int) -> nn.Sequential:
    """ReLU, SeparableConv, for each step from one width to the next."""
    layers: dict[str, nn.Module] = {}
    for i, (c_in, c_out) in enumerate(pairwise(channels), start=1):
        layers[f"relu{i}"] = nn.ReLU()
        layers[f"sepconv{i}"] = separable(c_in, c_out)
    return seq(**layers)


def halving(c: int, convs: nn.Module, c_out: int) -> Sum:
    """(N, c, H, W) -> (N, c_out, H/2, W/2)"""
    branch = seq(convs=convs, pool=nn.MaxPool2d(3, stride=2, padding=1))
    return Sum(branch, shortcut=ConvBN(c, c_out, 1, stride=2))


def middle_block() -> Sum:
    return Sum(relu_separable(728, 728, 728, 728), shortcut=nn.Identity())


class Xception(Network):
    """(N, 3, 299, 299) -> (N, num_classes)"""
    side = 299
    smallest = 7
    stages = ("entry_flow.conv2", "entry_flow.block1", "entry_flow.block2", "middle_flow",
              "exit_flow")
    initialise = staticmethod(he_init)

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        first = seq(sepconv1=separable(64, 128), relu2=nn.ReLU(), sepconv2=separable(128, 128))
        self.entry_flow = seq(
            conv1=unpadded(in_channels, 32, stride=2),
            conv2=unpadded(32, 64, stride=1),
            block1=halving(64, first, 128),  # no ReLU before it: conv2 ends with one
            block2=halving(128, relu_separable(128, 256, 256), 256),
            block3=halving(256, relu_separable(256, 728, 728), 728))
        self.middle_flow = nn.Sequential(*(middle_block() for _ in range(8)))
        self.exit_flow = seq(
            block=halving(728, relu_separable(728, 728, 1024), 1024),
            sepconv1=separable(1024, 1536),
            relu1=nn.ReLU(),
            sepconv2=separable(1536, 2048),
            relu2=nn.ReLU())
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.5)  # Sec. 4.3
        self.fc = nn.Linear(2048, num_classes)  # "logistic regression"
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:             # (N, 3, 299, 299)
        x = self.entry_flow(x)                          # (N, 728, 19, 19)
        x = self.middle_flow(x)                         # (N, 728, 19, 19)
        x = self.exit_flow(x)                           # (N, 2048, 10, 10)
        x = self.dropout(self.avg_pool(x)).flatten(1)   # (N, 2048)
        return self.fc(x)                               # (N, num_classes)


VARIANTS = {"xception": Xception}
