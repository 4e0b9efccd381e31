"""Deep Residual Learning for Image Recognition, Sec. 4.2: the CIFAR-10 networks of 6n + 2 layers.

    output map size   32x32    16x16   8x8
    # layers          1 + 2n   2n      2n
    # filters         16       32      64

then a global average pool, a 10-way fully-connected layer, and softmax. All shortcuts are option
(A).
"""
from functools import partial

import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Network, he_init, seq
from convatlas.nets.resnet import Stage, Unit, basic_option_a
from convatlas.paper import Paper

PAPER = Paper(
    title="Deep Residual Learning for Image Recognition",
    authors="He, Zhang, Ren, Sun", year=2016, venue="CVPR", arxiv="1512.03385v1",
    silent="Where the zeros of option (A) go: after the old channels, as in fb.resnet.torch. Zeros "
           "on both sides would only permute channels.",
    page="resnet", bare="resnet20_cifar")


class ResNetCIFAR(Network):
    """(N, 3, 32, 32) -> (N, num_classes)"""

    side = 32
    stages = ("conv1", "stage1", "stage2", "stage3")
    initialise = staticmethod(he_init)

    def __init__(self, unit: Unit, n: int, num_classes: int = 10, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = seq(conv=ConvBN(in_channels, 16, 3), relu=nn.ReLU())
        self.stage1 = Stage(unit, n, 16, width=16, stride=1)
        self.stage2 = Stage(unit, n, self.stage1.c_out, width=32, stride=2)
        self.stage3 = Stage(unit, n, self.stage2.c_out, width=64, stride=2)
        self.fc = nn.Linear(self.stage3.c_out, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:           # (N, 3, 32, 32)
        x = self.conv1(x)                             # (N, 16, 32, 32)
        x = self.stage1(x)                            # (N, 16, 32, 32)
        x = self.stage2(x)                            # (N, 32, 16, 16)
        x = self.stage3(x)                            # (N, 64, 8, 8)
        return self.fc(x.mean((2, 3)))                # (N, num_classes)


VARIANTS = {
    "resnet20_cifar": partial(ResNetCIFAR, basic_option_a, n=3),
    "resnet32_cifar": partial(ResNetCIFAR, basic_option_a, n=5),
    "resnet44_cifar": partial(ResNetCIFAR, basic_option_a, n=7),
    "resnet56_cifar": partial(ResNetCIFAR, basic_option_a, n=9),
    "resnet110_cifar": partial(ResNetCIFAR, basic_option_a, n=18),
    "resnet1202_cifar": partial(ResNetCIFAR, basic_option_a, n=200),
}
