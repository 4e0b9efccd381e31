"""ResNet-18 for images of 32x32 as tutorials copy it: the widths of resnet_32.py, but the stride of
a block stands in its second convolution.

    conv1     3x3, 64, BN, ReLU              64x32x32
    conv2_x   [3,64][3,64] x2                64x32x32
    conv3_x   [3,128][3,128] x2              128x16x16    the first block of each strides:
    conv4_x   [3,256][3,256] x2              256x8x8      its first 3x3 keeps the size of its
    conv5_x   [3,512][3,512] x2              512x4x4      input, its second halves it
    fc        after a 4x4 average

A block is conv, BN, ReLU, conv, BN, plus its input (through a 1x1 convolution of the block's
stride, and BN, where the shape changes), then ReLU. Parameters are those of resnet18_32,
11,173,962; its first convolutions see larger maps, 725,292,032 multiply-adds for 555,422,720.
"""
from functools import partial

import torch.nn as nn

from convatlas.layers import ConvBN, Residual, seq
from convatlas.nets.resnet import projection
from convatlas.nets.resnet_32 import ResNet32
from convatlas.paper import Paper

PAPER = Paper(
    title="ResNet-18 with late strides (SpeechAlgorithms)", authors="Ryuk17", year=2020,
    code="github.com/Ryuk17/SpeechAlgorithms AudioPatternReognition/CommandRecognition/model.py",
    silent="There is no paper. The code's own use has one channel and six classes; tutorials that "
           "copy its blocks have three and ten, as here. Its 4x4 average pool is a global one "
           "here, which is the same at 32. Initial weights are PyTorch's own. Its bottleneck, for "
           "152 layers, cannot run: its 3x3 is not padded, and strides once more. Batch norm has "
           "PyTorch's epsilon and momentum, 1e-5 and 0.1.",
    page="resnet_32_tutorial")


def basic_late(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """(N, c_in, H, W) -> (N, width, H/stride, W/stride); returns the unit and its channels."""
    branch = seq(
        conv1=ConvBN(c_in, width, 3), relu1=nn.ReLU(),
        conv2=ConvBN(width, width, 3, stride))
    return Residual(branch, projection(c_in, width, stride)), width


class ResNet32Tutorial(ResNet32):
    """(N, 3, 32, 32) -> (N, num_classes)"""

    def initialise(self, layer: nn.Module) -> None:
        """PyTorch's own first weights stay."""


VARIANTS = {"resnet18_32_tutorial": partial(ResNet32Tutorial, basic_late)}
