"""Res2Net: A New Multi-scale Backbone Architecture, Sec. 4.3: Res2NeXt-29 for images of 32x32
pixels.

ResNeXt-29 (resnext_cifar.py) with Res2Net's module for its blocks. A 3x3 convolution with 64
filters, three stages of three blocks on maps of 32, 16 and 8 pixels, a global average pool and a
fully connected layer.

    Table 4, CIFAR-100     params    top-1 error (%)
    6c x 24w x 4s          24.3M     16.98
    8c x 25w x 4s          33.8M     16.93
    6c x 24w x 6s          36.7M     16.79

c groups, w channels of each in a subset of the first stage, doubled in each further one; s subsets.
"""
from functools import partial

import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Network, he_init, seq
from convatlas.nets.res2net import Setting, Stage, strided_projection
from convatlas.paper import Paper

PAPER = Paper(
    title="Res2Net: A New Multi-scale Backbone Architecture",
    authors="Gao, Cheng, Zhao, Zhang, Yang, Torr", year=2021, venue="TPAMI", arxiv="1904.01169v3",
    code="github.com/Res2Net/Res2Net-PretrainedModels",
    silent="The release has no such network. The first block of a stage, stage1's too, does not "
           "add its subsets to each other and pools x1, and x1 are the last channels, as in the "
           "released networks for ImageNet. Ten classes, as for the atlas's other networks of "
           "this size; Table 4 is of CIFAR-100. Batch norm has PyTorch's epsilon and momentum, "
           "1e-5 and 0.1.",
    page="res2net", bare="res2next29_6c24w4s_cifar")


class Res2NetCIFAR(Network):
    """(N, 3, 32, 32) -> (N, num_classes)"""

    side = 32
    stages = ("conv1", "stage1", "stage2", "stage3")
    initialise = staticmethod(he_init)

    def __init__(self, setting: Setting, num_classes: int = 10, in_channels: int = 3):
        super().__init__(in_channels)
        stage = partial(Stage, setting, strided_projection, 3)
        self.conv1 = seq(conv=ConvBN(in_channels, 64, 3), relu=nn.ReLU())
        self.stage1 = stage(64, width=64, stride=1)
        self.stage2 = stage(256, width=128, stride=2)
        self.stage3 = stage(512, width=256, stride=2)
        self.fc = nn.Linear(1024, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:             # (N, 3, 32, 32)
        x = self.conv1(x)                               # (N, 64, 32, 32)
        x = self.stage1(x)                              # (N, 256, 32, 32)
        x = self.stage2(x)                              # (N, 512, 16, 16)
        x = self.stage3(x)                              # (N, 1024, 8, 8)
        return self.fc(x.mean((2, 3)))                  # (N, num_classes)


VARIANTS = {
    "res2next29_6c24w4s_cifar": partial(Res2NetCIFAR, Setting(24, 4, 6)),
    "res2next29_8c25w4s_cifar": partial(Res2NetCIFAR, Setting(25, 4, 8)),
    "res2next29_6c24w6s_cifar": partial(Res2NetCIFAR, Setting(24, 6, 6)),
}
