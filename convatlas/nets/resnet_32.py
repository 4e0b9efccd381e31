"""ResNet-18 for images of 32x32: no paper. Table 1's widths after a 3x3 convolution of stride 1, no
pool.
"""
import torch.nn as nn

from convatlas.layers import ConvBN, Network, he_init, seq
from convatlas.nets.resnet import DEPTHS, STAGES, basic, stage_of
from convatlas.paper import Paper

PAPER = Paper(
    title="ResNet for CIFAR-10 (pytorch-cifar)", authors="kuangliu", year=2017,
    code="github.com/kuangliu/pytorch-cifar",
    silent="There is no paper; the one of ResNet has its own networks for CIFAR-10 (resnet20_cifar "
           "and on). Initial weights are He's, as for the others.",
    page="resnet_32")


class ResNet32(Network):
    side = 32
    stages = ("conv1", *(s.name for s in STAGES))
    initialise = staticmethod(he_init)

    def __init__(self, num_classes: int = 10, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = seq(conv=ConvBN(in_channels, 64, 3), relu=nn.ReLU())
        c = 64
        for stage, depth in zip(STAGES, DEPTHS[18], strict=True):
            units, c = stage_of(basic, c, stage.width, stage.stride, depth)
            self.add_module(stage.name, units)
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)

    def forward(self, x):                             # (N, 3, 32, 32)
        x = self.conv1(x)                             # (N, 64, 32, 32)
        for stage in STAGES:
            x = self.get_submodule(stage.name)(x)     # (N, stage.width, H, H): H = 32, 16, 8, 4
        return self.fc(x.mean((2, 3)))                # (N, num_classes)


VARIANTS = {"resnet18_32": ResNet32}
CLAIMS = {}
