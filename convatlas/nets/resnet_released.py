"""ResNet as its authors released it, for Caffe: the printed networks of 50, 101 and 152 layers, but
for the first pool.
"""
from functools import partial

import torch.nn as nn

from convatlas.nets.resnet import DEPTHS, ResNet, bottleneck
from convatlas.paper import Paper

PAPER = Paper(
    title="Deep Residual Networks (Caffe)",
    authors="He, Zhang, Ren, Sun",
    year=2016, arxiv="1512.03385v1",
    code="github.com/KaimingHe/deep-residual-networks",
    silent="The paper leaves this to the code: the first pool is not padded and rounds its size "
           "up, as Caffe's pools do, so that its windows lie elsewhere than those of resnet50, "
           "which every PyTorch weight follows. Batch norm's epsilon is Caffe's, 1e-5; its "
           "statistics in the published weights are exact means over many images.",
    page="resnet_released", bare="resnet50_released")


def released(depths: tuple[int, int, int, int], **sizes: int) -> ResNet:
    """Caffe's pool.  (N, 3, 224, 224) -> (N, num_classes)"""
    net = ResNet(bottleneck, depths, **sizes)
    net.pool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
    net.smallest = 3                                  # two pixels must reach the pool
    return net


VARIANTS = {
    "resnet50_released": partial(released, DEPTHS[50]),
    "resnet101_released": partial(released, DEPTHS[101]),
    "resnet152_released": partial(released, DEPTHS[152]),
}
