"""Bag of Tricks for Image Classification with Convolutional Neural Networks (He, Zhang, Zhang,
Zhang, Xie, Li; CVPR 2019), Sec. 4: three tweaks of ResNet, each on top of those before it.

    Figure 2       input stem              path A of a            path B of a
                                           downsampling block     downsampling block
    ResNet         7x7, 64, /2             1x1 /2, 3x3, 1x1       1x1 /2
    ResNet-B       7x7, 64, /2             1x1, 3x3 /2, 1x1       1x1 /2
    ResNet-C       3x3, 32, /2             as ResNet-B            1x1 /2
                   3x3, 32; 3x3, 64
    ResNet-D       as ResNet-C             as ResNet-B            2x2 average pool /2, 1x1

ResNet-50-B is resnet50_v15.
"""
from functools import partial

import torch.nn as nn

from convatlas.layers import averaged_projection, deep_stem
from convatlas.nets.resnet import DEPTHS, ResNet, Unit
from convatlas.nets.resnet_v15 import bottleneck_v15
from convatlas.paper import Paper

PAPER = Paper(
    title="Bag of Tricks for Image Classification with Convolutional Neural Networks",
    authors="He, Zhang, Zhang, Zhang, Xie, Li", year=2019, venue="CVPR", arxiv="1812.01187",
    code="github.com/dmlc/gluon-cv",
    silent="Which of the three first convolutions strides: the first one alone, which gives "
           "ResNet's 112x112, where Sec. 4.2 could be read to mean the second too; batch norm and "
           "a ReLU follow each. Where a map has an odd side, the average pool of the shortcut "
           "reads what there is, as in timm, so that both paths agree; at the printed size "
           "nothing is rounded. In the first stage, whose stride is 1, that pool is one of 1x1. "
           "Depths of 101 and 152: the units in ResNet's stages. Initial weights: ResNet's, "
           "without the zeros for the last scales of Sec. 3.1, which belong to the recipe. Batch "
           "norm has PyTorch's epsilon and momentum, 1e-5 and 0.1.",
    page="resnet_d", bare="resnet50_d")


def bottleneck_d(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Figure 2(c)."""
    unit, c_out = bottleneck_v15(c_in, width, stride)
    if not isinstance(unit.shortcut, nn.Identity):
        unit.shortcut = averaged_projection(c_in, c_out, stride)
    return unit, c_out


class ResNetDeep(ResNet):
    """Figure 2(b): three 3x3 convolutions of 32, 32 and 64 channels in place of the 7x7.

    (N, 3, 224, 224) -> (N, num_classes)
    """

    def __init__(self, unit: Unit, depths: tuple[int, int, int, int], num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(unit, depths, num_classes, in_channels)
        self.conv1 = deep_stem(in_channels, 32)
        self.conv1.apply(self.initialise)


VARIANTS = {
    "resnet50_c": partial(ResNetDeep, bottleneck_v15, DEPTHS[50]),
    "resnet50_d": partial(ResNetDeep, bottleneck_d, DEPTHS[50]),
    "resnet101_d": partial(ResNetDeep, bottleneck_d, DEPTHS[101]),
    "resnet152_d": partial(ResNetDeep, bottleneck_d, DEPTHS[152]),
}
