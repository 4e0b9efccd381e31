"""SE-ResNet-110 for CIFAR-10 as pytorchcv has it: the first ResNet's units, projections, a gate on
each branch.

    output map size    32x32               16x16               8x8
    units              [3,16][3,16] x18    [3,32][3,32] x18    [3,64][3,64] x18
    fc of the gate     [1, 16]             [2, 32]             [4, 64]
"""
import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Network, Residual, SqueezeExcite, he_init, seq
from convatlas.nets.resnet import Stage, basic_branch, projection
from convatlas.paper import Paper

PAPER = Paper(
    title="SE-ResNet for CIFAR (pytorchcv)",
    authors="Semery", year=2019, code="github.com/osmr/imgclsmob",
    silent="There is no paper. SENet's Tables 4 and 5 add gates to the pre-activation network, "
           "whose 6.37 % they print: se_preresnet110_cifar. Gates have biases and a ratio of 16, "
           "which leaves a single channel in stage1.",
    page="se_resnet_cifar")


def se_basic(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """ResNet's unit of two 3x3 convolutions, its branch gated."""
    branch = basic_branch(c_in, width, stride)
    branch.add_module("se", SqueezeExcite(width))
    return Residual(branch, projection(c_in, width, stride)), width


class SEResNetCIFAR(Network):
    """(N, 3, 32, 32) -> (N, num_classes)"""

    side = 32
    stages = ("conv1", "stage1", "stage2", "stage3")
    initialise = staticmethod(he_init)

    def __init__(self, num_classes: int = 10, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = seq(conv=ConvBN(in_channels, 16, 3), relu=nn.ReLU())
        self.stage1 = Stage(se_basic, 18, 16, width=16, stride=1)
        self.stage2 = Stage(se_basic, 18, 16, width=32, stride=2)
        self.stage3 = Stage(se_basic, 18, 32, width=64, stride=2)
        self.fc = nn.Linear(64, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:           # (N, 3, 32, 32)
        x = self.conv1(x)                             # (N, 16, 32, 32)
        x = self.stage1(x)                            # (N, 16, 32, 32)
        x = self.stage2(x)                            # (N, 32, 16, 16)
        x = self.stage3(x)                            # (N, 64, 8, 8)
        return self.fc(x.mean((2, 3)))                # (N, num_classes)


VARIANTS = {"se_resnet110_cifar": SEResNetCIFAR}
