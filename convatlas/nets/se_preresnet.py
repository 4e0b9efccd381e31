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

from convatlas.layers import ConvBN, Network, SqueezeExcite, ZeroPadding, he_init, seq
from convatlas.nets.preresnet import (
    DEPTHS,
    STAGES,
    IdentityUnit,
    ShortcutUnit,
    Unit,
    activation,
    conv,
    stage_of,
)
from convatlas.nets.preresnet import bottleneck as plain_bottleneck
from convatlas.paper import Claim, Paper

CIFAR = Paper(
    title="Squeeze-and-Excitation Networks", authors="Hu, Shen, Albanie, Sun, "
                                                     "Wu", year=2020, venue="TPAMI",
    arxiv="1709.01507v4", silent="All of the networks but their gates: those of preresnet110_cifar "
                                 "and preresnet164_cifar, whose errors Table 4 prints as the "
                                 "originals'. The gates' layers have biases and a ratio of 16, as "
                                 "in the release for ImageNet; that leaves a single channel in "
                                 "stage1 of 110 layers. Initial weights of the full layers: "
                                 "PyTorch's.",
    page="senet", bare="se_preresnet164_cifar")
IMAGENET = Paper(
    title="SE-PreResNet (pytorchcv)", authors="Semery", year=2018, code="github.com/osmr/imgclsmob",
    silent="There is no paper. The first 1x1 of a bottleneck strides; BN and ReLU come before the "
           "max pool and once more in the first unit, where the paper's appendix, and so "
           "preresnet50, has the first pair only; a last pair precedes the average, which the "
           "widely copied SENet18 forgets.",
    page="se_preresnet", bare="se_preresnet50")


def basic_branch(c_in: int, width: int, stride: int) -> nn.Sequential:
    return seq(conv1=conv(c_in, width, 3, stride), activation2=activation(width), conv2=conv(width, width, 3),
               se=SqueezeExcite(width))


def basic(before: nn.Module, c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    branch = basic_branch(c_in, width, stride)
    if (c_in, stride) == (width, 1):
        return IdentityUnit(before, branch), width
    return ShortcutUnit(before, branch, conv(c_in, width, 1, stride)), width


def basic_option_a(before: nn.Module, c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    branch = basic_branch(c_in, width, stride)
    return (IdentityUnit(before, branch) if stride == 1 else ShortcutUnit(before, branch, ZeroPadding(c_in, width, stride))), width


def bottleneck(before: nn.Module, c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    unit, c = plain_bottleneck(before, c_in, width, stride)
    unit.branch.add_module("se", SqueezeExcite(c))
    return unit, c


class SEPreResNet(Network):
    stages, cam_path = ("conv1", *(s.name for s in STAGES)), "activation"
    initialise = staticmethod(he_init)

    def __init__(self, unit: Unit, depths: tuple[int, ...], num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = seq(conv=ConvBN(in_channels, 64, 7, stride=2), relu=nn.ReLU())
        self.pool1 = nn.MaxPool2d(3, stride=2, padding=1)
        c = 64
        for stage, depth in zip(STAGES, depths, strict=True):
            units, c = stage_of(unit, activation(c), c, stage.width, stage.stride, depth)
            self.add_module(stage.name, units)
        self.activation = activation(c)
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)

    def forward(self, x):                                   # (N, 3, 224, 224)
        x = self.pool1(self.conv1(x))                       # (N, 64, 56, 56)
        for stage in STAGES:
            x = self.get_submodule(stage.name)(x)           # (N, c, stage.output)
        return self.fc(self.activation(x).mean((2, 3)))     # (N, num_classes)


class SEPreResNetCIFAR(Network):
    side = 32
    stages, cam_path = ("conv1", "stage1", "stage2", "stage3"), "activation"
    initialise = staticmethod(he_init)

    def __init__(self, unit: Unit, num_classes: int = 10, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = conv(in_channels, 16, 3)
        self.activation1 = activation(16)                   # the first unit's, before the two paths
        self.stage1, c = stage_of(unit, nn.Identity(), 16, 16, stride=1, depth=18)
        self.stage2, c = stage_of(unit, activation(c), c, 32, stride=2, depth=18)
        self.stage3, c = stage_of(unit, activation(c), c, 64, stride=2, depth=18)
        self.activation = activation(c)                     # the extra one, after the last unit
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)

    def forward(self, x):                                   # (N, 3, 32, 32)
        x = self.activation1(self.conv1(x))                 # (N, 16, 32, 32)
        x = self.stage3(self.stage2(self.stage1(x)))        # (N, 64 or 256, 8, 8)
        return self.fc(self.activation(x).mean((2, 3)))     # (N, num_classes)


VARIANTS = {
    "se_preresnet18": partial(SEPreResNet, basic, (2, 2, 2, 2)),
    "se_preresnet34": partial(SEPreResNet, basic, (3, 4, 6, 3)),
    **{f"se_preresnet{n}": partial(SEPreResNet, bottleneck, DEPTHS[n]) for n in (50, 101, 152)},
    "se_preresnet110_cifar": partial(SEPreResNetCIFAR, basic_option_a),
    "se_preresnet164_cifar": partial(SEPreResNetCIFAR, bottleneck),
}
PAPER = {name: CIFAR if name.endswith("_cifar") else IMAGENET for name in VARIANTS}
PYTORCHCV = {18: "11,776,928", 34: "21,957,204", 50: "28,080,472", 101: "49,319,320", 152: "66,814,296"}
CLAIMS = {f"se_preresnet{n}": (Claim("params", params, "pytorchcv, the tests of its models"),)
          for n, params in PYTORCHCV.items()}
