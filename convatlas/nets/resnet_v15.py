"""ResNet "v1.5": no paper. The bottleneck strides in its 3x3, as in fb.resnet.torch and
torchvision.
"""
from functools import partial

import torch.nn as nn

from convatlas.layers import ConvBN, Residual, seq
from convatlas.nets.resnet import DEPTHS, ResNet, projection
from convatlas.paper import Paper

PAPER = Paper(
    title="Training and investigating Residual Nets (fb.resnet.torch)",
    authors="Gross, Wilber", year=2016, venue="Torch blog",
    code="github.com/facebook/fb.resnet.torch",
    silent="There is no paper. ResNeXt's Table 1 (arXiv:1611.05431) prints the costs of this form "
           "as ResNet-50's.",
    page="resnet_v15", bare="resnet50_v15")


def bottleneck_v15(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """ResNet's Figure 5, right, but for the place of the stride."""
    branch = seq(
        conv1=ConvBN(c_in, width, 1), relu1=nn.ReLU(),
        conv2=ConvBN(width, width, 3, stride), relu2=nn.ReLU(),
        conv3=ConvBN(width, 4 * width, 1))
    return Residual(branch, projection(c_in, 4 * width, stride)), 4 * width


VARIANTS = {
    "resnet50_v15": partial(ResNet, bottleneck_v15, DEPTHS[50]),
    "resnet101_v15": partial(ResNet, bottleneck_v15, DEPTHS[101]),
    "resnet152_v15": partial(ResNet, bottleneck_v15, DEPTHS[152]),
}
