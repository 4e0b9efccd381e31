"""Deep Residual Learning for Image Recognition, Secs. 3.3 and 4.2: the plain networks, which are
ResNets without shortcuts, and in which the deeper one learns worse.

[k, c] is a k x k convolution to c channels; batch norm and a ReLU follow each. Figure 3, middle, is
plain-34 for ImageNet, 224x224 input:

    layer    output   18-layer             34-layer
    conv1    112x112  [7, 64], stride 2
    conv2_x  56x56    3x3 max pool, stride 2, then
                      [3,64] x4            [3,64] x6
    conv3_x  28x28    [3,128] x4           [3,128] x8
    conv4_x  14x14    [3,256] x4           [3,256] x12
    conv5_x  7x7      [3,512] x4           [3,512] x6
             1x1      global average pool, 1000-d fc

Those for CIFAR-10 have 6n + 2 layers, n = 3, 5, 7, 9 and 18:

    output map size   32x32    16x16   8x8
    # layers          1 + 2n   2n      2n
    # filters         16       32      64       then global average pool, 10-d fc

The first convolution of a smaller map has stride 2.
"""
from functools import partial

import torch.nn as nn

from convatlas.layers import ConvBN, seq
from convatlas.nets.resnet import DEPTHS, ResNet
from convatlas.nets.resnet_cifar import ResNetCIFAR
from convatlas.paper import Paper

PAPER = Paper(
    title="Deep Residual Learning for Image Recognition",
    authors="He, Zhang, Ren, Sun", year=2016, venue="CVPR", arxiv="1512.03385v1",
    silent="Padding of conv1 and of the pool for ImageNet: 3 and 1, as for the ResNets. Modules "
           "are pairs of convolutions, those that a shortcut joins in the ResNet of the same "
           "depth. Initial weights: He's, the ones of all networks of the paper (Sec. 3.4). Batch "
           "norm has PyTorch's epsilon and momentum, 1e-5 and 0.1.",
    page="resnet", bare="plain34")


def pair(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Two layers; the second has its ReLU at once, where a ResNet first adds the shortcut."""
    layers = seq(
        conv1=ConvBN(c_in, width, 3, stride), relu1=nn.ReLU(),
        conv2=ConvBN(width, width, 3), relu2=nn.ReLU())
    return layers, width


VARIANTS = {
    "plain18": partial(ResNet, pair, DEPTHS[18]),
    "plain34": partial(ResNet, pair, DEPTHS[34]),
    "plain20_cifar": partial(ResNetCIFAR, pair, n=3),
    "plain32_cifar": partial(ResNetCIFAR, pair, n=5),
    "plain44_cifar": partial(ResNetCIFAR, pair, n=7),
    "plain56_cifar": partial(ResNetCIFAR, pair, n=9),
    "plain110_cifar": partial(ResNetCIFAR, pair, n=18),
}
