"""Aggregated Residual Transformations for Deep Neural Networks (Xie, Girshick, Dollár, Tu, He; CVPR
2017).

Table 1, right: ResNeXt-50 (32x4d), 224x224 input; [k, c] is a k x k convolution to c channels,
C = 32 its groups.

    stage   output    ResNeXt-50 (32x4d)
    conv1   112x112   7x7, 64, stride 2
    conv2   56x56     3x3 max pool, stride 2, then [1,128] [3,128, C=32] [1,256]    x3
    conv3   28x28     [1,256] [3,256, C=32] [1,512]      x4
    conv4   14x14     [1,512] [3,512, C=32] [1,1024]     x6
    conv5   7x7       [1,1024] [3,1024, C=32] [1,2048]   x3
                      # params 25.0e6, FLOPs 4.2e9

Table 2, the template of conv2: at one cost, the more groups, the thinner each. All widths double
from stage to stage.

    cardinality C            2     4     8     32
    width of bottleneck d    40    24    14    4
    width of group conv.     80    96    112   128

Table 3 has them in 50 and in 101 layers, Table 4 two at twice the cost.
"""
from functools import partial

import torch.nn as nn

from convatlas.layers import ConvBN, Residual, seq
from convatlas.nets.resnet import DEPTHS, ResNet, projection
from convatlas.paper import Paper

CVPR = Paper(
    title="Aggregated Residual Transformations for Deep Neural Networks",
    authors="Xie, Girshick, Dollár, Tu, He", year=2017, venue="CVPR", arxiv="1611.05431v2",
    code="github.com/facebookresearch/ResNeXt",
    silent="Padding of conv1 and of the pool: 3 and 1, as in the release, which gives the printed "
           "112 and 56. The form is Figure 3(c), a grouped convolution, the one that the authors "
           "trained; stride is in the 3x3 (Sec. 4).",
    page="resnext", bare="resnext50_32x4d")
WSL = Paper(
    title="Exploring the Limits of Weakly Supervised Pretraining",
    authors="Mahajan, Girshick, Ramanathan, He, Paluri, Li, Bharambe, van der Maaten", year=2018,
    venue="ECCV", arxiv="1805.00932v1", code="github.com/facebookresearch/WSL-Images",
    silent="The paper uses ResNeXt-101 with another width; all else is ResNeXt's.",
    page="resnext101_32x8d")


def block(cardinality: int, d: int, c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Figure 3(c): ResNet's bottleneck, with d channels a group in conv2, where `width` is 64, and
    so in proportion.
    """
    grouped = cardinality * (d * width // 64)
    branch = seq(
        conv1=ConvBN(c_in, grouped, 1), relu1=nn.ReLU(),
        conv2=ConvBN(grouped, grouped, 3, stride, groups=cardinality), relu2=nn.ReLU(),
        conv3=ConvBN(grouped, 4 * width, 1))
    return Residual(branch, projection(c_in, 4 * width, stride)), 4 * width


VARIANTS = {
    "resnext50_2x40d": partial(ResNet, partial(block, 2, 40), DEPTHS[50]),
    "resnext50_4x24d": partial(ResNet, partial(block, 4, 24), DEPTHS[50]),
    "resnext50_8x14d": partial(ResNet, partial(block, 8, 14), DEPTHS[50]),
    "resnext50_32x4d": partial(ResNet, partial(block, 32, 4), DEPTHS[50]),
    "resnext101_2x40d": partial(ResNet, partial(block, 2, 40), DEPTHS[101]),
    "resnext101_4x24d": partial(ResNet, partial(block, 4, 24), DEPTHS[101]),
    "resnext101_8x14d": partial(ResNet, partial(block, 8, 14), DEPTHS[101]),
    "resnext101_32x4d": partial(ResNet, partial(block, 32, 4), DEPTHS[101]),
    "resnext101_2x64d": partial(ResNet, partial(block, 2, 64), DEPTHS[101]),
    "resnext101_64x4d": partial(ResNet, partial(block, 64, 4), DEPTHS[101]),
    "resnext101_32x8d": partial(ResNet, partial(block, 32, 8), DEPTHS[101]),
}
PAPER = dict.fromkeys(VARIANTS, CVPR) | {"resnext101_32x8d": WSL}
