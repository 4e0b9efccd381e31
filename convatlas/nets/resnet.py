"""Deep Residual Learning for Image Recognition (He, Zhang, Ren, Sun; CVPR 2016).

Table 1, ImageNet, 224x224 input; [k, c] is a k x k convolution to c channels.

    layer    output   18-layer            34-layer  50-layer                         101      152
    conv1    112x112  [7, 64], stride 2 for all
    conv2_x  56x56    3x3 max pool, stride 2 for all, then
                      [3,64][3,64] x2        x3     [1,64][3,64][1,256] x3           x3       x3
    conv3_x  28x28    [3,128][3,128] x2      x4     [1,128][3,128][1,512] x4         x4       x8
    conv4_x  14x14    [3,256][3,256] x2      x6     [1,256][3,256][1,1024] x6        x23      x36
    conv5_x  7x7      [3,512][3,512] x2      x3     [1,512][3,512][1,2048] x3        x3       x3
    FLOPs             1.8e9                  3.6e9  3.8e9                            7.6e9    11.3e9
"""
from collections.abc import Callable
from functools import partial

import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Network, Residual, ZeroPadding, he_init, seq
from convatlas.paper import Paper

PAPER = Paper(
    title="Deep Residual Learning for Image Recognition",
    authors="He, Zhang, Ren, Sun", year=2016, venue="CVPR", arxiv="1512.03385v1",
    code="github.com/KaimingHe/deep-residual-networks",
    silent="Which layer of a bottleneck strides: the first 1x1, as in the authors' release; only "
           "that gives Table 1's 3.8e9 for 50 layers (resnet50_v15 strides in the 3x3). "
           "Padding of conv1 and of the pool: 3 and 1, which give the printed 112 and 56 (the "
           "release leaves the pool unpadded and rounds its size up).",
    page="resnet", bare="resnet50")


def projection(c_in: int, c_out: int, stride: int) -> nn.Module:
    """Option (B) of Sec. 3.3: the identity where shapes agree, else a 1x1 convolution."""
    if c_in == c_out and stride == 1:
        return nn.Identity()
    return ConvBN(c_in, c_out, 1, stride)


def zero_padding(c_in: int, c_out: int, stride: int) -> nn.Module:
    """Option (A): the identity where shapes agree, else zeros for the new channels."""
    if c_in == c_out and stride == 1:
        return nn.Identity()
    return ZeroPadding(c_in, c_out, stride)


def basic_branch(c_in: int, width: int, stride: int) -> nn.Sequential:
    return seq(
        conv1=ConvBN(c_in, width, 3, stride), relu1=nn.ReLU(),
        conv2=ConvBN(width, width, 3))


def basic(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Figure 5, left.  Every such function returns a unit and its output channels."""
    branch = basic_branch(c_in, width, stride)
    return Residual(branch, projection(c_in, width, stride)), width


def basic_option_a(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    branch = basic_branch(c_in, width, stride)
    return Residual(branch, zero_padding(c_in, width, stride)), width


def basic_option_c(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Sec. 4.1: "all shortcuts are projections"."""
    branch = basic_branch(c_in, width, stride)
    return Residual(branch, ConvBN(c_in, width, 1, stride)), width


def bottleneck_branch(c_in: int, width: int, stride: int) -> nn.Sequential:
    return seq(
        conv1=ConvBN(c_in, width, 1, stride), relu1=nn.ReLU(),
        conv2=ConvBN(width, width, 3), relu2=nn.ReLU(),
        conv3=ConvBN(width, 4 * width, 1))


def bottleneck(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Figure 5, right."""
    branch = bottleneck_branch(c_in, width, stride)
    return Residual(branch, projection(c_in, 4 * width, stride)), 4 * width


Unit = Callable[[int, int, int], tuple[nn.Module, int]]     # (c_in, width, stride) -> (unit, c_out)


class Stage(nn.Sequential):
    """`depth` units, the first of which strides.

    (N, c_in, H, W) -> (N, c_out, H/stride, W/stride)
    """

    def __init__(self, unit: Unit, depth: int, c_in: int, width: int, stride: int):
        super().__init__()
        first, c = unit(c_in, width, stride)
        self.append(first)
        for _ in range(depth - 1):
            self.append(unit(c, width, stride=1)[0])
        self.c_out = c


class ResNet(Network):
    """Table 1, a column.  (N, 3, 224, 224) -> (N, num_classes)"""

    stages = ("conv1", "conv2_x", "conv3_x", "conv4_x", "conv5_x")
    initialise = staticmethod(he_init)                # Sec. 3.4, "as in [13]"

    def __init__(self, unit: Unit, depths: tuple[int, int, int, int], num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = seq(conv=ConvBN(in_channels, 64, 7, stride=2), relu=nn.ReLU())
        self.pool1 = nn.MaxPool2d(3, stride=2, padding=1)
        self.conv2_x = Stage(unit, depths[0], 64, width=64, stride=1)   # pool1 has halved the map
        self.conv3_x = Stage(unit, depths[1], self.conv2_x.c_out, width=128, stride=2)
        self.conv4_x = Stage(unit, depths[2], self.conv3_x.c_out, width=256, stride=2)
        self.conv5_x = Stage(unit, depths[3], self.conv4_x.c_out, width=512, stride=2)
        self.fc = nn.Linear(self.conv5_x.c_out, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:           # (N, 3, 224, 224)
        x = self.conv1(x)                             # (N, 64, 112, 112)
        x = self.pool1(x)                             # (N, 64, 56, 56)
        x = self.conv2_x(x)                           # (N, 64 or 256, 56, 56)
        x = self.conv3_x(x)                           # (N, 128 or 512, 28, 28)
        x = self.conv4_x(x)                           # (N, 256 or 1024, 14, 14)
        x = self.conv5_x(x)                           # (N, 512 or 2048, 7, 7)
        return self.fc(x.mean((2, 3)))                # (N, num_classes)


DEPTHS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
VARIANTS = {
    "resnet18": partial(ResNet, basic, DEPTHS[18]),
    "resnet34": partial(ResNet, basic, DEPTHS[34]),
    "resnet50": partial(ResNet, bottleneck, DEPTHS[50]),
    "resnet101": partial(ResNet, bottleneck, DEPTHS[101]),
    "resnet152": partial(ResNet, bottleneck, DEPTHS[152]),
    "resnet18_option_a": partial(ResNet, basic_option_a, DEPTHS[18]),
    "resnet34_option_a": partial(ResNet, basic_option_a, DEPTHS[34]),
    "resnet34_option_c": partial(ResNet, basic_option_c, DEPTHS[34]),
}
