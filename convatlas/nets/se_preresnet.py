"""Squeeze-and-Excitation Networks on pre-activation ResNets (He et al. 2016, arXiv:1603.05027: see
preresnet.py).

Tables 4 and 5 gate that paper's ResNet-110 and ResNet-164 for CIFAR; [k, c] is a k x k convolution
to c channels:

    output map size    32x32                     16x16                      8x8
    ResNet-110         [3,16][3,16] x18          [3,32][3,32] x18           [3,64][3,64] x18
    ResNet-164         [1,16][3,16][1,64] x18    [1,32][3,32][1,128] x18    [1,64][3,64][1,256] x18

The ImageNet networks have the stages of ResNet's Table 1; no paper prints them.
"""
from functools import partial

import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Network, SqueezeExcite, ZeroPadding, he_init, seq
from convatlas.nets import preresnet
from convatlas.nets.preresnet import IdentityUnit, ShortcutUnit, Stage, Unit, activation, conv
from convatlas.paper import Paper

CIFAR = Paper(
    title="Squeeze-and-Excitation Networks",
    authors="Hu, Shen, Albanie, Sun, Wu", year=2020, venue="TPAMI", arxiv="1709.01507v4",
    silent="All of the networks but their gates: those of preresnet110_cifar and "
           "preresnet164_cifar, whose errors Table 4 prints as the originals'. The gates' layers "
           "have biases and a ratio of 16, as in the release for ImageNet; that leaves a single "
           "channel in stage1 of 110 layers. Initial weights of fully connected layers: PyTorch's.",
    page="senet", bare="se_preresnet164_cifar")
IMAGENET = Paper(
    title="SE-PreResNet (pytorchcv)",
    authors="Semery", year=2018, code="github.com/osmr/imgclsmob",
    silent="There is no paper. The first 1x1 of a bottleneck strides; BN and ReLU come before the "
           "max pool and once more in the first unit, where the paper's appendix, and so "
           "preresnet50, has the first pair only; a last pair precedes the average.",
    page="se_preresnet", bare="se_preresnet50")


def basic_branch(c_in: int, width: int, stride: int) -> nn.Sequential:
    return seq(
        conv1=conv(c_in, width, 3, stride),
        activation2=activation(width), conv2=conv(width, width, 3),
        se=SqueezeExcite(width))


def se_basic(before: nn.Module, c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    branch = basic_branch(c_in, width, stride)
    if c_in == width and stride == 1:
        return IdentityUnit(before, branch), width
    return ShortcutUnit(before, branch, conv(c_in, width, 1, stride)), width


def se_basic_option_a(before: nn.Module, c_in: int, width: int,
                      stride: int) -> tuple[nn.Module, int]:
    branch = basic_branch(c_in, width, stride)
    if c_in == width and stride == 1:
        return IdentityUnit(before, branch), width
    return ShortcutUnit(before, branch, ZeroPadding(c_in, width, stride)), width


def se_bottleneck(before: nn.Module, c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """The gate acts on the branch, before the addition."""
    unit, c_out = preresnet.bottleneck(before, c_in, width, stride)
    unit.branch.add_module("se", SqueezeExcite(c_out))
    return unit, c_out


class SEPreResNet(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""

    stages = ("conv1", "conv2_x", "conv3_x", "conv4_x", "conv5_x")
    cam_path = "activation"
    initialise = staticmethod(he_init)

    def __init__(self, unit: Unit, depths: tuple[int, int, int, int], num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = seq(conv=ConvBN(in_channels, 64, 7, stride=2), relu=nn.ReLU())
        self.pool1 = nn.MaxPool2d(3, stride=2, padding=1)
        self.conv2_x = Stage(unit, depths[0], 64, width=64, stride=1)
        self.conv3_x = Stage(unit, depths[1], self.conv2_x.c_out, width=128, stride=2)
        self.conv4_x = Stage(unit, depths[2], self.conv3_x.c_out, width=256, stride=2)
        self.conv5_x = Stage(unit, depths[3], self.conv4_x.c_out, width=512, stride=2)
        self.activation = activation(self.conv5_x.c_out)
        self.fc = nn.Linear(self.conv5_x.c_out, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:           # (N, 3, 224, 224)
        x = self.conv1(x)                             # (N, 64, 112, 112)
        x = self.pool1(x)                             # (N, 64, 56, 56)
        x = self.conv2_x(x)                           # (N, 64 or 256, 56, 56)
        x = self.conv3_x(x)                           # (N, 128 or 512, 28, 28)
        x = self.conv4_x(x)                           # (N, 256 or 1024, 14, 14)
        x = self.conv5_x(x)                           # (N, 512 or 2048, 7, 7)
        x = self.activation(x)                        # (N, 512 or 2048, 7, 7)
        return self.fc(x.mean((2, 3)))                # (N, num_classes)


class SEPreResNetCIFAR(Network):
    """(N, 3, 32, 32) -> (N, num_classes)"""

    side = 32
    stages = ("conv1", "stage1", "stage2", "stage3")
    cam_path = "activation"
    initialise = staticmethod(he_init)

    def __init__(self, unit: Unit, num_classes: int = 10, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = conv(in_channels, 16, 3)
        self.activation1 = activation(16)                   # the first unit's, before the two paths
        self.stage1 = Stage(unit, 18, 16, width=16, stride=1, before=nn.Identity())
        self.stage2 = Stage(unit, 18, self.stage1.c_out, width=32, stride=2)
        self.stage3 = Stage(unit, 18, self.stage2.c_out, width=64, stride=2)
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
    "se_preresnet18": partial(SEPreResNet, se_basic, (2, 2, 2, 2)),
    "se_preresnet34": partial(SEPreResNet, se_basic, (3, 4, 6, 3)),
    "se_preresnet50": partial(SEPreResNet, se_bottleneck, (3, 4, 6, 3)),
    "se_preresnet101": partial(SEPreResNet, se_bottleneck, (3, 4, 23, 3)),
    "se_preresnet152": partial(SEPreResNet, se_bottleneck, (3, 8, 36, 3)),
    "se_preresnet110_cifar": partial(SEPreResNetCIFAR, se_basic_option_a),
    "se_preresnet164_cifar": partial(SEPreResNetCIFAR, se_bottleneck),
}
PAPER = {name: CIFAR if name.endswith("_cifar") else IMAGENET for name in VARIANTS}
