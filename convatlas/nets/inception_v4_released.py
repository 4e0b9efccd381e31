"""Inception-v4 as its authors released it (TF-slim): inception_v4 with an auxiliary head and
without scales in its batch norms.
"""
import torch.nn as nn
from torch import Tensor

from convatlas.layers import AuxiliaryHead, variance_scaling, without_scales
from convatlas.nets.inception_v4 import InceptionV4
from convatlas.paper import Paper

PAPER = Paper(
    title="Inception-v4 (TensorFlow-Slim)",
    authors="Szegedy, Ioffe, Vanhoucke, Alemi",
    year=2016, arxiv="1602.07261v2",
    code="github.com/tensorflow/models research/slim/nets/inception_v4.py",
    silent="The paper leaves all of this to the code: an auxiliary head, Inception-v3's, reads the "
           "last Inception-B, and its loss weighs 0.4; batch norms shift without a scale, with "
           "epsilon 0.001 and decay 0.9997; average pools leave their padding out; initial weights "
           "of convolutions are He's for the inputs, truncated at two deviations, those of the "
           "classifiers Glorot's, uniform. The head's windows need maps of 17x17; smaller maps are "
           "brought to size.",
    departs="Published weights tell 1001 classes apart, the first of which is the background.",
    page="inception_v4_released")


class InceptionV4Released(InceptionV4):
    """(N, 3, 299, 299) -> (N, num_classes)"""

    auxiliary_paths = ("aux.fc",)

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(num_classes, in_channels)
        self.aux = AuxiliaryHead(1024, num_classes)
        self.aux.apply(self.initialise)
        without_scales(self, momentum=0.0003)

    def initialise(self, layer: nn.Module) -> None:
        if isinstance(layer, nn.Conv2d):
            variance_scaling(layer.weight)
        elif isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def training_outputs(self, x: Tensor) -> list[tuple[Tensor, float]]:
        """All logits with the weights of their losses."""
        x = self.inception_a(self.stem(x))                      # (N, 384, 35, 35)
        out_b = self.inception_b(self.reduction_a(x))           # (N, 1024, 17, 17)
        out_c = self.inception_c(self.reduction_b(out_b))       # (N, 1536, 8, 8)
        logits = self.fc(self.dropout(self.avg_pool(out_c)).flatten(1))
        return [(logits, 1.0), (self.aux(out_b), 0.4)]


VARIANTS = {"inception_v4_released": InceptionV4Released}
