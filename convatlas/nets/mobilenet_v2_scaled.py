"""MobileNetV2 as EfficientNet's Table 3 scales it up.

    row of Table 3                          network                 d     w     pixels
    by depth (d=4)                          mobilenet_v2_d4         4     1     224
    by width (w=2)                          mobilenet_v2_x2_0       1     2     224
    by resolution (r=2)                     mobilenet_v2 itself     1     1     448
    compound scale                          mobilenet_v2_compound   1.4   1.2   299

d times as many bottlenecks in every row of Table 2 of MobileNetV2, rounded up; w times as many
channels, rounded to multiples of 8.
"""
from functools import partial
from math import ceil

from convatlas.layers import make_divisible
from convatlas.nets.mobilenet_v2 import BOTTLENECKS, TABLE, InvertedResidual, MobileNetV2
from convatlas.paper import Paper

PAPER = Paper(
    title="EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    authors="Tan, Le",
    year=2019, venue="ICML", arxiv="1905.11946v5",
    silent="How the networks of Table 3 are rounded: as the authors' code does for EfficientNet. "
           "The coefficients of MobileNetV2's compound scale: those printed for MobileNetV1, d = "
           "1.4, w = 1.2, r = 1.3, the last of them 299 pixels, as Figure 4's caption has it.",
    page="efficientnet", bare="mobilenet_v2_compound")


class MobileNetV2Scaled(MobileNetV2):
    """(N, 3, side, side) -> (N, num_classes)"""

    def __init__(self, d: float, w: float, side: int = 224, num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(w, num_classes, in_channels)
        self.side = side
        for name, row in zip(BOTTLENECKS, TABLE, strict=True):
            k = make_divisible(row.c * w)
            for _ in range(row.n, ceil(row.n * d)):
                self.get_submodule(name).append(InvertedResidual(k, k, row.t, s=1))
        self.apply(self.initialise)


VARIANTS = {
    "mobilenet_v2_d4": partial(MobileNetV2Scaled, d=4, w=1.0),
    "mobilenet_v2_x2_0": partial(MobileNetV2Scaled, d=1, w=2.0),
    "mobilenet_v2_compound": partial(MobileNetV2Scaled, d=1.4, w=1.2, side=299),
}
