"""Wide Residual Networks (Zagoruyko, Komodakis; BMVC 2016): the networks for ImageNet, whose units
are the first ResNet's.

    Table 7     width     1.0      1.5      2.0      3.0
    WRN-18      params    11.7M    25.9M    45.6M    101.8M
    WRN-34      params    21.8M    48.6M    86.0M

The basic units of ResNet-18 and -34, as many times as wide. WRN-50-2-bottleneck (Table 8, 68.9M)
has ResNet-50's, whose inner 3x3 is twice as wide:

    conv1      112x112    7x7, 64, stride 2
    conv2_x    56x56      3x3 max pool, stride 2, then
                          [1x1, 128][3x3, 128][1x1, 256] x3
    conv3_x    28x28      [1x1, 256][3x3, 256][1x1, 512] x4
    conv4_x    14x14      [1x1, 512][3x3, 512][1x1, 1024] x6
    conv5_x    7x7        [1x1, 1024][3x3, 1024][1x1, 2048] x3
"""
from functools import partial

import torch.nn as nn

from convatlas.layers import ConvBN, Residual, seq
from convatlas.nets.resnet import DEPTHS, ResNet, basic, projection
from convatlas.paper import Paper

BMVC = Paper(
    title="Wide Residual Networks",
    authors="Zagoruyko, Komodakis", year=2016, venue="BMVC", arxiv="1605.07146v4",
    code="github.com/szagoruyko/wide-residual-networks",
    silent="Which layer of a bottleneck strides: the 3x3, as in fb.resnet.torch, in which the "
           "paper's networks for ImageNet were made. Whether conv1 widens: no, which gives the "
           "printed parameters. Border of the max pool, shortcuts and initial weights: ResNet's. "
           "WRN-18 and WRN-34 of width 1.0 are resnet18 and resnet34.",
    page="wide_resnet", bare="wide_resnet50_2")
TORCHVISION = Paper(
    title="Wide ResNet-101-2 (torchvision)",
    authors="torchvision contributors", year=2019, code="github.com/pytorch/vision",
    silent="There is no paper: the one of wide ResNets stops at 50 layers. All else is "
           "wide_resnet50_2.",
    page="wide_resnet101_2")


def wide_basic(k: float, c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    return basic(c_in, int(k * width), stride)


def wide_bottleneck(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """The inner layers have twice ResNet's width, the last its own."""
    branch = seq(
        conv1=ConvBN(c_in, 2 * width, 1), relu1=nn.ReLU(),
        conv2=ConvBN(2 * width, 2 * width, 3, stride), relu2=nn.ReLU(),
        conv3=ConvBN(2 * width, 4 * width, 1))
    return Residual(branch, projection(c_in, 4 * width, stride)), 4 * width


VARIANTS = {
    "wide_resnet18_1_5": partial(ResNet, partial(wide_basic, 1.5), DEPTHS[18]),
    "wide_resnet18_2": partial(ResNet, partial(wide_basic, 2), DEPTHS[18]),
    "wide_resnet18_3": partial(ResNet, partial(wide_basic, 3), DEPTHS[18]),
    "wide_resnet34_1_5": partial(ResNet, partial(wide_basic, 1.5), DEPTHS[34]),
    "wide_resnet34_2": partial(ResNet, partial(wide_basic, 2), DEPTHS[34]),
    "wide_resnet50_2": partial(ResNet, wide_bottleneck, DEPTHS[50]),
    "wide_resnet101_2": partial(ResNet, wide_bottleneck, DEPTHS[101]),
}
PAPER = dict.fromkeys(VARIANTS, BMVC) | {"wide_resnet101_2": TORCHVISION}
