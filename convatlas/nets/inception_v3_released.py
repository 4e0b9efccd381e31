"""Inception-v3 as its authors released it (TF-slim): inception_v3 but for what the class below
changes, where that follows torchvision.
"""
import torch.nn as nn

from convatlas.layers import truncated_normal, variance_scaling, without_scales
from convatlas.nets.inception_v3 import InceptionV3, auxiliary_deviation
from convatlas.paper import Paper

PAPER = Paper(
    title="Inception-v3 (TensorFlow-Slim)",
    authors="Szegedy, Vanhoucke, Ioffe, Shlens, Wojna",
    year=2016, arxiv="1512.00567v3",
    code="github.com/tensorflow/models research/slim/nets/inception_v3.py",
    silent="The paper leaves all of this to the code: batch norms shift without a scale, with "
           "epsilon 0.001 and decay 0.9997; average pools leave their padding out; initial weights "
           "are He's for the inputs, truncated at two deviations, and in the last two layers of "
           "the auxiliary head truncated normal with deviations 0.01 and 0.001.",
    departs="As inception_v3 does. Published weights tell 1001 classes apart, the first of which "
            "is the background.",
    page="inception_v3_released")


class InceptionV3Released(InceptionV3):
    """(N, 3, 299, 299) -> (N, num_classes)"""

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(num_classes, in_channels)
        without_scales(self, momentum=0.0003)
        for layer in self.modules():
            if isinstance(layer, nn.AvgPool2d):
                layer.count_include_pad = False

    def initialise(self, layer: nn.Module) -> None:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            deviation = auxiliary_deviation(self.aux, layer)
            if deviation:
                truncated_normal(layer.weight, deviation)
            else:
                variance_scaling(layer.weight)
        if isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.bias)


VARIANTS = {"inception_v3_released": InceptionV3Released}
