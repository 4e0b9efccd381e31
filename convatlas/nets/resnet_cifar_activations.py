"""Identity Mappings in Deep Residual Networks (He, Zhang, Ren, Sun; ECCV 2016), Sec. 4: where the
activations of a residual unit may stand, on the way to full pre-activation (preresnet_cifar.py).

Figure 4, the branch of a unit and what follows the addition; the last two rows of Table 2's cases
have two or three weight layers in each unit, ResNet-110 and ResNet-164:

    (a) original                   weight BN ReLU  weight BN          + ReLU
    (b) BN after addition          weight BN ReLU  weight             + BN ReLU
    (c) ReLU before addition       weight BN ReLU  weight BN ReLU     +
    (d) ReLU-only pre-activation   ReLU weight BN  ReLU weight BN     +
    (e) full pre-activation        BN ReLU weight  BN ReLU weight     +

    output map size            32x32                        16x16       8x8
    ResNet-110                 [3x3, 16][3x3, 16] x18       32 filters  64 filters
    ResNet-110 (1 layer skip)  [3x3, 16] x36
    ResNet-164                 [1x1, 16][3x3, 16][1x1, 64]  x18
    ResNet-1001                                             x111

A 3x3 convolution to 16 channels, BN and ReLU come first; a global average pool and a fully
connected layer last. Table 3 has the original units of 164 and 1001 layers, and both kinds in the
network of one layer a unit.
"""
from collections.abc import Callable
from functools import partial

import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from convatlas.layers import ConvBN, Network, Residual, Sum, he_init, seq
from convatlas.nets.resnet import Stage, Unit, basic_option_a, bottleneck, zero_padding
from convatlas.nets.resnet_cifar import ResNetCIFAR
from convatlas.paper import Paper

PAPER = Paper(
    title="Identity Mappings in Deep Residual Networks",
    authors="He, Zhang, Ren, Sun", year=2016, venue="ECCV", arxiv="1603.05027v3",
    silent="Shortcuts that increase dimensions: ResNet's option (A) in 110 layers, a projection "
           "with its own batch norm in 164 and 1001, where stage1's first unit needs one too (16 "
           "to 64 channels). The first 1x1 of a bottleneck strides, as in ResNet. In (d) such a "
           "shortcut reads the activated maps, as the appendix says of full pre-activation, the "
           "first unit's ReLU stands before both of its paths, where the one after conv1 is it "
           "already, and one more ReLU follows the last unit; (c) needs none there.",
    page="preresnet", bare="resnet164_cifar")


class BNAfterAddition(nn.Module):
    """Figure 4(b).  (N, c_in, H, W) -> (N, c_out, H/stride, W/stride), as in all units below"""

    def __init__(self, branch: nn.Module, shortcut: nn.Module, c_out: int):
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut
        self.bn = nn.BatchNorm2d(c_out)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.branch(x) + self.shortcut(x)))


class ReLUFirst(nn.Module):
    """Figure 4(d) where the unit keeps its dimensions: x + F(relu(x))."""

    def __init__(self, branch: nn.Module):
        super().__init__()
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(F.relu(x))


class ReLUFirstShortcut(Sum):
    """Figure 4(d) where it increases them: both ways read the activated maps."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.relu(x))


def bn_after_addition(original: Unit, c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """The last batch norm of the branch moves behind the addition."""
    unit, c_out = original(c_in, width, stride)
    unit.branch[-1] = unit.branch[-1].conv
    return BNAfterAddition(unit.branch, unit.shortcut, c_out), c_out


def relu_before_addition(original: Unit, c_in: int, width: int,
                         stride: int) -> tuple[nn.Module, int]:
    """Figure 4(c): the branch ends with the ReLU."""
    unit, c_out = original(c_in, width, stride)
    unit.branch.append(nn.ReLU())
    return Sum(unit.branch, unit.shortcut), c_out


def relu_preactivation(original: Unit, c_in: int, width: int,
                       stride: int) -> tuple[nn.Module, int]:
    unit, c_out = original(c_in, width, stride)
    if isinstance(unit.shortcut, nn.Identity):
        return ReLUFirst(unit.branch), c_out
    return ReLUFirstShortcut(unit.branch, unit.shortcut), c_out


def one_layer(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Sec. 4.1: "each shortcut skips only 1 layer"."""
    branch = seq(conv1=ConvBN(c_in, width, 3, stride))
    return Residual(branch, zero_padding(c_in, width, stride)), width


class ReLUPreActivated(Network):
    """The units of Figure 4(d), and a ReLU after the last.  (N, 3, 32, 32) -> (N, num_classes)"""

    side = 32
    stages = ("conv1", "stage1", "stage2", "stage3")
    cam_path = "activation"
    initialise = staticmethod(he_init)

    def __init__(self, original: Unit, num_classes: int = 10, in_channels: int = 3):
        super().__init__(in_channels)
        unit = partial(relu_preactivation, original)
        self.conv1 = seq(conv=ConvBN(in_channels, 16, 3), relu=nn.ReLU())
        self.stage1 = Stage(unit, 18, 16, width=16, stride=1)
        self.stage2 = Stage(unit, 18, self.stage1.c_out, width=32, stride=2)
        self.stage3 = Stage(unit, 18, self.stage2.c_out, width=64, stride=2)
        self.activation = nn.ReLU()
        self.fc = nn.Linear(self.stage3.c_out, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:           # (N, 3, 32, 32)
        x = self.conv1(x)                             # (N, 16, 32, 32)
        x = self.stage1(x)                            # (N, 16 or 64, 32, 32)
        x = self.stage2(x)                            # (N, 32 or 128, 16, 16)
        x = self.stage3(x)                            # (N, 64 or 256, 8, 8)
        x = self.activation(x)                        # (N, 64 or 256, 8, 8)
        return self.fc(x.mean((2, 3)))                # (N, num_classes)


def network(form: Callable, original: Unit) -> partial:
    return partial(ResNetCIFAR, partial(form, original), n=18)


VARIANTS = {
    "resnet164_cifar": partial(ResNetCIFAR, bottleneck, n=18),
    "resnet1001_cifar": partial(ResNetCIFAR, bottleneck, n=111),
    "resnet110_cifar_one_layer": partial(ResNetCIFAR, one_layer, n=36),
    "resnet110_cifar_bn_after_addition": network(bn_after_addition, basic_option_a),
    "resnet164_cifar_bn_after_addition": network(bn_after_addition, bottleneck),
    "resnet110_cifar_relu_before_addition": network(relu_before_addition, basic_option_a),
    "resnet164_cifar_relu_before_addition": network(relu_before_addition, bottleneck),
    "resnet110_cifar_relu_preactivation": partial(ReLUPreActivated, basic_option_a),
    "resnet164_cifar_relu_preactivation": partial(ReLUPreActivated, bottleneck),
}
