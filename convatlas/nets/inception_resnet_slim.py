"""Inception-ResNet-v2 as TF-slim has it to the last detail: inception_resnet_v2_released, which is
its ports to PyTorch, with an auxiliary head and without scales in its batch norms.
"""
import torch.nn as nn
from torch import Tensor

from convatlas.layers import AuxiliaryHead, without_scales
from convatlas.nets.inception_resnet import InceptionResNetV2Released
from convatlas.paper import Paper

PAPER = Paper(
    title="Inception-ResNet-v2 (TF-slim), as it is there", authors="Alemi",
    year=2016, arxiv="1602.07261v2",
    code="github.com/tensorflow/models research/slim/nets/inception_resnet_v2.py",
    silent="The paper does not describe it. Against inception_resnet_v2_released: an auxiliary "
           "head, Inception-v3's, reads the last of the 20 units, and its loss weighs 0.4; batch "
           "norms shift without a scale, with decay 0.9997; initial weights are Glorot's, uniform. "
           "The head's windows need maps of 17x17; smaller maps are brought to size.",
    departs="Published weights tell 1001 classes apart, the first of which is the background.",
    page="inception_resnet_v2_slim")


class InceptionResNetV2Slim(InceptionResNetV2Released):
    """(N, 3, 299, 299) -> (N, num_classes)"""

    auxiliary_paths = ("aux.fc",)

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(num_classes, in_channels)
        self.aux = AuxiliaryHead(1088, num_classes)
        self.aux.apply(self.initialise)
        without_scales(self, momentum=0.0003)

    def initialise(self, layer: nn.Module) -> None:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def training_outputs(self, x: Tensor) -> list[tuple[Tensor, float]]:
        """All logits with the weights of their losses."""
        x = self.pool_5a(self.conv_4a(self.pool_3a(self.conv_2b(x))))   # (N, 192, 35, 35)
        x = self.repeat(self.mixed_5b(x))                               # (N, 320, 35, 35)
        out_b = self.repeat_1(self.mixed_6a(x))                         # (N, 1088, 17, 17)
        x = self.repeat_2(self.mixed_7a(out_b))                         # (N, 2080, 8, 8)
        x = self.avg_pool(self.conv_7b(self.block8(x))).flatten(1)      # (N, 1536)
        return [(self.fc(self.dropout(x)), 1.0), (self.aux(out_b), 0.4)]


VARIANTS = {"inception_resnet_v2_slim": InceptionResNetV2Slim}
