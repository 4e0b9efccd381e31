"""Identity Mappings in Deep Residual Networks (He, Zhang, Ren, Sun; ECCV 2016), Sec. 3: what
ResNet-110 for CIFAR-10 loses when its shortcuts are no identities any more.

Table 1; every one of the 54 units is relu(F(x) + h(x)), with F two 3x3 layers as in ResNet:

    case                  Fig. 2   on shortcut   on F     error (%)   remark
    original              (a)      1             1        6.61
    constant scaling      (b)      0             1        fail        a plain net
                                   0.5           1        fail
                                   0.5           0.5      12.35       frozen gating
    exclusive gating      (c)      1 - g(x)      g(x)     8.70        initial b_g = -6
    shortcut-only gating  (d)      1 - g(x)      1        6.91        initial b_g = -6
    1x1 conv shortcut     (e)      1x1 conv      1        12.22
    dropout shortcut      (f)      dropout 0.5   1        fail

g(x) = sigmoid(W_g x + b_g), a 1x1 convolution. The first case of constant scaling is
plain110_cifar.
"""
from collections.abc import Callable
from functools import partial

import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from convatlas.layers import Residual, seq
from convatlas.nets.resnet import basic_branch, basic_option_c, zero_padding
from convatlas.nets.resnet_cifar import ResNetCIFAR
from convatlas.paper import Paper

PAPER = Paper(
    title="Identity Mappings in Deep Residual Networks",
    authors="He, Zhang, Ren, Sun", year=2016, venue="ECCV", arxiv="1603.05027v3",
    silent="What lies on the two shortcuts that increase dimensions, since the cases apply to all "
           "units: ResNet's option (A) first, which the scale, the gate or the dropout then acts "
           "on; the gate's 1x1 convolution has the stride and the channels of F there. The 1x1 "
           "convolution of (e) takes the place of (A) and has a batch norm (Figure 2: right after "
           "the weight layers), the gate's has none, but its bias. Table 1 has the gates started "
           "at other biases too, from 0 to -10; these start at the best, -6. Weights of the "
           "gates' convolutions: He's, as all others.",
    page="preresnet", bare="resnet110_cifar_exclusive_gating")


class Scaled(nn.Module):
    """Figure 2(b): relu(on_branch * F(x) + 0.5 * shortcut(x))."""

    def __init__(self, on_branch: float, branch: nn.Module, shortcut: nn.Module):
        super().__init__()
        self.on_branch = on_branch
        self.branch = branch
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.on_branch * self.branch(x) + 0.5 * self.shortcut(x))


class Gate(nn.Conv2d):
    """W_g x + b_g of g; its bias starts at -6, so that the shortcut starts open.

    (N, c_in, H, W) -> (N, c_out, H/stride, W/stride)
    """

    def __init__(self, c_in: int, c_out: int, stride: int):
        super().__init__(c_in, c_out, 1, stride)
        nn.init.constant_(self.bias, -6)


class Gated(nn.Module):
    """Figure 2(d): relu(F(x) + (1 - g(x)) * shortcut(x))."""

    def __init__(self, gate: Gate, branch: nn.Module, shortcut: nn.Module):
        super().__init__()
        self.gate = gate
        self.branch = branch
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        g = self.gate(x).sigmoid()
        return F.relu(self.branch(x) + (1 - g) * self.shortcut(x))


class ExclusivelyGated(Gated):
    """Figure 2(c): relu(g(x) * F(x) + (1 - g(x)) * shortcut(x))."""

    def forward(self, x: Tensor) -> Tensor:
        g = self.gate(x).sigmoid()
        return F.relu(g * self.branch(x) + (1 - g) * self.shortcut(x))


def scaled(on_branch: float, c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    branch = basic_branch(c_in, width, stride)
    return Scaled(on_branch, branch, zero_padding(c_in, width, stride)), width


def gated(unit: Callable[..., Gated], c_in: int, width: int,
          stride: int) -> tuple[nn.Module, int]:
    gate = Gate(c_in, width, stride)
    branch = basic_branch(c_in, width, stride)
    return unit(gate, branch, zero_padding(c_in, width, stride)), width


def dropout_shortcut(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Dropout is "on the output of the identity shortcut"."""
    branch = basic_branch(c_in, width, stride)
    shortcut = seq(identity=zero_padding(c_in, width, stride), dropout=nn.Dropout(0.5))
    return Residual(branch, shortcut), width


VARIANTS = {
    "resnet110_cifar_constant_scaling": partial(ResNetCIFAR, partial(scaled, 1.0), n=18),
    "resnet110_cifar_frozen_gating": partial(ResNetCIFAR, partial(scaled, 0.5), n=18),
    "resnet110_cifar_exclusive_gating": partial(
        ResNetCIFAR, partial(gated, ExclusivelyGated), n=18),
    "resnet110_cifar_shortcut_gating": partial(ResNetCIFAR, partial(gated, Gated), n=18),
    "resnet110_cifar_conv_shortcut": partial(ResNetCIFAR, basic_option_c, n=18),
    "resnet110_cifar_dropout_shortcut": partial(ResNetCIFAR, dropout_shortcut, n=18),
}
