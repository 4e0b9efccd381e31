"""Identity Mappings in Deep Residual Networks, Sec. 4 and appendix: the CIFAR networks of 6n + 2
and 9n + 2 layers.

    output map size            32x32                        16x16       8x8
    ResNet-110                 [3x3, 16][3x3, 16] x18       32 filters  64 filters
    ResNet-110 (1 layer skip)  [3x3, 16] x36
    ResNet-164                 [1x1, 16][3x3, 16][1x1, 64]  x18
    ResNet-1001                                             x111

A 3x3 convolution to 16 channels comes first; BN, ReLU, a global average pool and a fully connected
layer last.
"""
from functools import partial

import torch.nn as nn
from torch import Tensor

from convatlas.layers import Network, ZeroPadding, he_init, seq
from convatlas.nets.preresnet import (
    IdentityUnit,
    ShortcutUnit,
    Stage,
    Unit,
    activation,
    bottleneck,
    conv,
)
from convatlas.paper import Paper

PAPER = Paper(
    title="Identity Mappings in Deep Residual Networks",
    authors="He, Zhang, Ren, Sun", year=2016, venue="ECCV", arxiv="1603.05027v3",
    code="github.com/KaimingHe/resnet-1k-layers",
    silent="Stride is in the first 1x1, as in the authors' code. ResNet-110 keeps ResNet's option "
           "(A) where dimensions increase; the paper says of projections alone that they read the "
           "activated maps, and here the zero-padded shortcuts do too, as in fb.resnet.torch.",
    page="preresnet", bare="preresnet164_cifar")


def basic_option_a(before: nn.Module, c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Two 3x3 layers; `before` is the activation of the first."""
    branch = seq(
        conv1=conv(c_in, width, 3, stride),
        activation2=activation(width), conv2=conv(width, width, 3))
    if c_in == width and stride == 1:
        return IdentityUnit(before, branch), width
    return ShortcutUnit(before, branch, ZeroPadding(c_in, width, stride)), width


def one_layer(before: nn.Module, c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Sec. 4.1: "each shortcut skips only 1 layer"."""
    branch = seq(conv1=conv(c_in, width, 3, stride))
    if c_in == width and stride == 1:
        return IdentityUnit(before, branch), width
    return ShortcutUnit(before, branch, ZeroPadding(c_in, width, stride)), width


class PreResNetCIFAR(Network):
    """(N, 3, 32, 32) -> (N, num_classes)"""

    side = 32
    stages = ("conv1", "stage1", "stage2", "stage3")
    cam_path = "activation"
    initialise = staticmethod(he_init)

    def __init__(self, unit: Unit, n: int, num_classes: int = 10, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = conv(in_channels, 16, 3)
        self.activation1 = activation(16)                   # the first unit's, before the two paths
        self.stage1 = Stage(unit, n, 16, width=16, stride=1, before=nn.Identity())
        self.stage2 = Stage(unit, n, self.stage1.c_out, width=32, stride=2)
        self.stage3 = Stage(unit, n, self.stage2.c_out, width=64, stride=2)
        self.activation = activation(self.stage3.c_out)     # the extra one, after the last unit
        self.fc = nn.Linear(self.stage3.c_out, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:           # (N, 3, 32, 32)
        x = self.activation1(self.conv1(x))           # (N, 16, 32, 32)
        x = self.stage1(x)                            # (N, 16 or 64, 32, 32)
        x = self.stage2(x)                            # (N, 32 or 128, 16, 16)
        x = self.stage3(x)                            # (N, 64 or 256, 8, 8)
        x = self.activation(x)                        # (N, 64 or 256, 8, 8)
        return self.fc(x.mean((2, 3)))                # (N, num_classes)


VARIANTS = {
    "preresnet110_cifar": partial(PreResNetCIFAR, basic_option_a, n=18),
    "preresnet110_cifar_one_layer": partial(PreResNetCIFAR, one_layer, n=36),
    "preresnet164_cifar": partial(PreResNetCIFAR, bottleneck, n=18),
    "preresnet1001_cifar": partial(PreResNetCIFAR, bottleneck, n=111),
}
