"""Aggregated Residual Transformations for Deep Neural Networks, Sec. 5.3 and Appendix A: the CIFAR
networks.

A 3x3 convolution with 64 filters, three stages of three blocks on maps of 32, 16 and 8 pixels, a
global average pool and a fully connected layer: 29 layers. The template is [1x1, 64] [3x3, 64]
[1x1, 256], of C transformations, 64 channels each.

    Table 7     # params
    8x64d       34.4M
    16x64d      68.1M
"""
from functools import partial

import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Network, Residual, he_init, seq
from convatlas.nets.resnet import Stage, projection
from convatlas.paper import Paper

PAPER = Paper(
    title="Aggregated Residual Transformations for Deep Neural Networks",
    authors="Xie, Girshick, Dollár, Tu, He", year=2017, venue="CVPR", arxiv="1611.05431v2",
    code="github.com/facebookresearch/ResNeXt",
    silent="Order in a block: the authors' README says that arXiv's first numbers came from "
           "pre-activated blocks, the better later ones from the original order, which is built "
           "here and in their code. The first block of stage 1 has a projection too (64 to 256 "
           "channels). Stride is in the 3x3, as in Sec. 4.",
    page="resnext", bare="resnext29_8x64d_cifar")


def block(cardinality: int, c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Figure 3(c), with `cardinality` transformations of `width` channels."""
    grouped = cardinality * width
    branch = seq(
        conv1=ConvBN(c_in, grouped, 1), relu1=nn.ReLU(),
        conv2=ConvBN(grouped, grouped, 3, stride, groups=cardinality), relu2=nn.ReLU(),
        conv3=ConvBN(grouped, 4 * width, 1))
    return Residual(branch, projection(c_in, 4 * width, stride)), 4 * width


class ResNeXtCIFAR(Network):
    """(N, 3, 32, 32) -> (N, num_classes)"""

    side = 32
    stages = ("conv1", "stage1", "stage2", "stage3")
    initialise = staticmethod(he_init)                # Sec. 4, "as in [13]"

    def __init__(self, cardinality: int, num_classes: int = 10, in_channels: int = 3):
        super().__init__(in_channels)
        unit = partial(block, cardinality)
        self.conv1 = seq(conv=ConvBN(in_channels, 64, 3), relu=nn.ReLU())
        self.stage1 = Stage(unit, 3, 64, width=64, stride=1)
        self.stage2 = Stage(unit, 3, 256, width=128, stride=2)
        self.stage3 = Stage(unit, 3, 512, width=256, stride=2)
        self.fc = nn.Linear(1024, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:           # (N, 3, 32, 32)
        x = self.conv1(x)                             # (N, 64, 32, 32)
        x = self.stage1(x)                            # (N, 256, 32, 32)
        x = self.stage2(x)                            # (N, 512, 16, 16)
        x = self.stage3(x)                            # (N, 1024, 8, 8)
        return self.fc(x.mean((2, 3)))                # (N, num_classes)


VARIANTS = {
    "resnext29_8x64d_cifar": partial(ResNeXtCIFAR, cardinality=8),
    "resnext29_16x64d_cifar": partial(ResNeXtCIFAR, cardinality=16),
}
