"""ResNet as its authors released it, for Caffe: the printed networks of 50, 101 and 152 layers, but
for the first pool.
"""
from functools import partial

import torch.nn as nn

from convatlas.nets.resnet import DEPTHS, ResNet, Unit, bottleneck
from convatlas.paper import Paper

PAPER = Paper(
    title="Deep Residual Networks (Caffe)",
    authors="He, Zhang, Ren, Sun",
    year=2016, arxiv="1512.03385v1",
    code="github.com/KaimingHe/deep-residual-networks",
    silent="The paper leaves this to the code: the first pool is not padded and rounds its size "
           "up, as Caffe's pools do, so that its windows lie elsewhere than those of resnet50, "
           "which every PyTorch weight follows. Batch norm's epsilon is Caffe's, 1e-5, its "
           "momentum PyTorch's, 0.1; its statistics in the published weights are exact means over "
           "many images.",
    page="resnet_released", bare="resnet50_released")


class ResNetReleased(ResNet):
    """(N, 3, 224, 224) -> (N, num_classes)"""

    smallest = 3

    def __init__(self, unit: Unit, depths: tuple[int, int, int, int], num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(unit, depths, num_classes, in_channels)
        self.pool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)


VARIANTS = {
    "resnet50_released": partial(ResNetReleased, bottleneck, DEPTHS[50]),
    "resnet101_released": partial(ResNetReleased, bottleneck, DEPTHS[101]),
    "resnet152_released": partial(ResNetReleased, bottleneck, DEPTHS[152]),
}
