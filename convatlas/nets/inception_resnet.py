"""Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning (Szegedy,
Ioffe, Vanhoucke, Alemi; AAAI 2017): the Inception-ResNets.

Figure 15, the plan of both: stem, 5 x Inception-resnet-A, Reduction-A, 10 x Inception-resnet-B,
Reduction-B, 5 x Inception-resnet-C, average pooling, dropout (keep 0.8), softmax. What fills it:

                          stem  A   Reduction-A: Fig. 7 with k, l, m, n of Table 1   B   Reduction-B   C
    Inception-ResNet-v1   14    10  192, 192, 256, 384                               11  12            13
    Inception-ResNet-v2   3     16  256, 256, 384, 384                               17  18            19

One function below is one figure. The authors' release of "Inception-ResNet-v2" is another network:
other stem, 10, 20 and 10 units, one more layer before the pool; it stands at the end.
"""
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch.nn as nn

from convatlas.layers import FilterConcat, Network, he_init, seq
from convatlas.nets.inception_v4 import (
    STEM_SIZES,
    avg_pool,
    boxes,
    filter_concat,
    max_pool,
    reduction_a,
    stem,
)
from convatlas.paper import Claim, Paper, counts, sizes

AS_PRINTED = Paper(
    title="Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
    authors="Szegedy, Ioffe, Vanhoucke, Alemi", year=2017, venue="AAAI", arxiv="1602.07261v2",
    silent="The scale of the branches is between 0.1 and 0.3: here 0.17, 0.10 and 0.20 for A, B "
           "and C, the release's. The 1x1 that the figures call linear has a bias and no batch "
           "norm, as in the release, whose order of branches is kept too. Figures 17 and 19 print "
           "1154 and 2048 channels where the sum needs the 1152 and 2144 that Figures 7 and 18 "
           "give out. Initial weights: He's.",
    page="inception_v4", bare="inception_resnet_v2")
RELEASE = Paper(
    title="Inception-ResNet-v2 (TF-slim)", authors="Alemi", year=2016, arxiv="1602.07261v2",
    code="github.com/tensorflow/models research/slim/nets/inception_resnet_v2.py",
    silent="The paper does not describe it. Against the paper's: Inception-v3's stem and a module "
           "after it, Mixed_5b; 10, 20 and 10 units on 320, 1088 and 2080 channels, the last "
           "without scale and ReLU; a 1x1 to 1536 before the pool. The release's auxiliary head is "
           "left out. Initial weights: He's.",
    page="inception_resnet_v2_released")
PAPER = {"inception_resnet_v1": AS_PRINTED, "inception_resnet_v2": AS_PRINTED, "inception_resnet_v2_released": RELEASE}


class Residual(nn.Module):
    """relu(x + scale * linear(branches(x))), Figure 20.  (N, c, H, W) -> the same"""

    def __init__(self, c: int, scale: float, branches: FilterConcat, width: int):
        super().__init__()
        self.scale, self.branches = scale, branches
        self.linear, self.relu = nn.Conv2d(width, c, 1), nn.ReLU()

    def forward(self, x):
        return self.relu(x + self.scale * self.linear(self.branches(x)))


class LastResidual(nn.Module):
    """The release's last unit: neither scaled nor cut by a ReLU."""

    def __init__(self, c: int, branches: FilterConcat, width: int):
        super().__init__()
        self.branches, self.linear = branches, nn.Conv2d(width, c, 1)

    def forward(self, x):
        return x + self.linear(self.branches(x))


def figure_10(c: int) -> Residual:
    """Inception-ResNet-A of v1."""
    return Residual(c, 0.17, filter_concat(boxes(c, "1x1 32"), boxes(c, "1x1 32", "3x3 32"),
                                           boxes(c, "1x1 32", "3x3 32", "3x3 32")), 96)


def figure_11(c: int) -> Residual:
    """Inception-ResNet-B of v1."""
    return Residual(c, 0.10, filter_concat(boxes(c, "1x1 128"), boxes(c, "1x1 128", ("1x7 "
                                                                                    "128"), ("7x1 "
                                                                                             "128"))), 256)


def figure_12(c: int) -> FilterConcat:
    """Reduction-B of v1.  (N, c, 17, 17) -> (N, c + 896, 8, 8)"""
    return filter_concat(boxes(c, "1x1 256", "3x3 384 /2 V"), boxes(c, "1x1 256", "3x3 256 /2 V"),
                         boxes(c, "1x1 256", "3x3 256", "3x3 256 /2 V"), max_pool())


def figure_13(c: int) -> Residual:
    """Inception-ResNet-C of v1."""
    return Residual(c, 0.20, filter_concat(boxes(c, "1x1 192"), boxes(c, "1x1 192", ("1x3 "
                                                                                    "192"), ("3x1 "
                                                                                             "192"))), 384)


def figure_14(in_channels: int) -> nn.Sequential:
    """The stem of v1.  (N, in_channels, 299, 299) -> (N, 256, 35, 35)"""
    return seq(convs=boxes(in_channels, "3x3 32 /2 V", "3x3 32 V", "3x3 64"), pool=max_pool(),
               more=boxes(64, "1x1 80", "3x3 192 V", "3x3 256 /2 V"))


def figure_16(c: int) -> Residual:
    """Inception-ResNet-A of v2."""
    return Residual(c, 0.17, filter_concat(boxes(c, "1x1 32"), boxes(c, "1x1 32", "3x3 32"),
                                           boxes(c, "1x1 32", "3x3 48", "3x3 64")), 128)


def figure_17(c: int) -> Residual:
    """Inception-ResNet-B of v2."""
    return Residual(c, 0.10, filter_concat(boxes(c, "1x1 192"), boxes(c, "1x1 128", ("1x7 "
                                                                                    "160"), ("7x1 "
                                                                                             "192"))), 384)


def figure_18(c: int) -> FilterConcat:
    """Reduction-B of v2.  (N, c, 17, 17) -> (N, c + 992, 8, 8)"""
    return filter_concat(boxes(c, "1x1 256", "3x3 384 /2 V"), boxes(c, "1x1 256", "3x3 288 /2 V"),
                         boxes(c, "1x1 256", "3x3 288", "3x3 320 /2 V"), max_pool())


def branches_19(c: int) -> FilterConcat:
    return filter_concat(boxes(c, "1x1 192"), boxes(c, "1x1 192", "1x3 224", "3x1 256"))


def figure_19(c: int) -> Residual:
    """Inception-ResNet-C of v2."""
    return Residual(c, 0.20, branches_19(c), 448)


def repeat(unit: Callable[[int], nn.Module], n: int, c: int) -> nn.Sequential:
    return nn.Sequential(*(unit(c) for _ in range(n)))


class Plan(NamedTuple):     # what fills Figure 15, and the channels at 35x35, 17x17 and 8x8
    stem: Callable[[int], nn.Module]
    a: Callable[[int], nn.Module]
    reduction_a: Callable[[int], nn.Module]
    b: Callable[[int], nn.Module]
    reduction_b: Callable[[int], nn.Module]
    c: Callable[[int], nn.Module]
    channels: tuple[int, int, int]


V1 = Plan(figure_14, figure_10, partial(reduction_a, k=192, l=192, m=256, n=384), figure_11, figure_12, figure_13,
          (256, 896, 1792))
V2 = Plan(stem, figure_16, partial(reduction_a, k=256, l=256, m=384, n=384), figure_17, figure_18, figure_19,
          (384, 1152, 2144))


class InceptionResNet(Network):
    side, smallest = 299, 75
    stages = ("stem", "inception_resnet_a", "reduction_a", "inception_resnet_b", "reduction_b", "inception_resnet_c")
    initialise = staticmethod(he_init)

    def __init__(self, plan: Plan, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        c35, c17, c8 = plan.channels
        self.stem = plan.stem(in_channels)
        self.inception_resnet_a, self.reduction_a = repeat(plan.a, 5, c35), plan.reduction_a(c35)
        self.inception_resnet_b, self.reduction_b = repeat(plan.b, 10, c17), plan.reduction_b(c17)
        self.inception_resnet_c = repeat(plan.c, 5, c8)
        self.avg_pool, self.dropout = nn.AdaptiveAvgPool2d(1), nn.Dropout(0.2)      # keep 0.8
        self.fc = nn.Linear(c8, num_classes)
        self.apply(self.initialise)

    def forward(self, x):  # (N, 3, 299, 299)
        x = self.inception_resnet_a(self.stem(x))                                   # (N, c, 35, 35)
        x = self.inception_resnet_b(self.reduction_a(x))                            # (N, c, 17, 17)
        x = self.inception_resnet_c(self.reduction_b(x))                            # (N, c, 8, 8)
        return self.fc(self.dropout(self.avg_pool(x)).flatten(1))  # (N, num_classes)


class InceptionResNetV2Released(Network):
    side, smallest = 299, 75
    # the release's names, lower case
    stages = ("conv_2b", "conv_4a", "repeat", "repeat_1", "conv_7b")
    initialise = staticmethod(he_init)

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv_2b = boxes(in_channels, "3x3 32 /2 V", "3x3 32 V", "3x3 64")
        self.pool_3a = max_pool()
        self.conv_4a = boxes(64, "1x1 80", "3x3 192 V")
        self.pool_5a = max_pool()
        self.mixed_5b = filter_concat(boxes(192, "1x1 96"), boxes(192, "1x1 48", "5x5 64"),
                                      boxes(192, "1x1 64", "3x3 96", "3x3 96"), avg_pool(192, 64))
        self.repeat = repeat(figure_16, 10, 320)
        self.mixed_6a = reduction_a(320, k=256, l=256, m=384, n=384)
        self.repeat_1 = repeat(figure_17, 20, 1088)
        self.mixed_7a = figure_18(1088)
        self.repeat_2, self.block8 = repeat(figure_19, 9, 2080), LastResidual(2080, branches_19(2080), 448)
        self.conv_7b = boxes(2080, "1x1 1536")
        self.avg_pool, self.dropout = nn.AdaptiveAvgPool2d(1), nn.Dropout(0.2)
        self.fc = nn.Linear(1536, num_classes)
        self.apply(self.initialise)

    def forward(self, x):                                               # (N, 3, 299, 299)
        x = self.conv_4a(self.pool_3a(self.conv_2b(x)))  # (N, 64, 147, 147), (N, 192, 71, 71)
        x = self.repeat(self.mixed_5b(self.pool_5a(x)))                 # (N, 320, 35, 35)
        x = self.repeat_1(self.mixed_6a(x))                             # (N, 1088, 17, 17)
        x = self.block8(self.repeat_2(self.mixed_7a(x)))                # (N, 2080, 8, 8)
        x = self.avg_pool(self.conv_7b(x))  # (N, 1536, 8, 8), (N, 1536, 1, 1)
        return self.fc(self.dropout(x).flatten(1))                      # (N, num_classes)


VARIANTS = {
    "inception_resnet_v1": partial(InceptionResNet, V1),
    "inception_resnet_v2": partial(InceptionResNet, V2),
    "inception_resnet_v2_released": InceptionResNetV2Released,
}


def linear(figure: str, unit: str, printed: str, erratum: str = "") -> Claim:
    """The figure's "1x1 Conv (256 Linear)" with the grid of its caption."""
    return Claim("size", printed, f"{figure}: linear", f"inception_resnet_{unit}.0.linear", erratum)


CLAIMS = {
    "inception_resnet_v1": (
        *sizes("Figure 14", {
            "input": "3x299x299", "stem.convs.conv1": "32x149x149", "stem.convs.conv2": "32x147x147",
            "stem.convs.conv3": "64x147x147", "stem.pool": "64x73x73", "stem.more.conv1": "80x73x73",
            "stem.more.conv2": "192x71x71", "stem": "256x35x35"}),
        *sizes("Figure 15", {
            "input": "3x299x299", "stem": "256x35x35", "inception_resnet_a": "256x35x35", "reduction_a": "896x17x17",
            "inception_resnet_b": "896x17x17", "reduction_b": "1792x8x8", "inception_resnet_c": "1792x8x8"}),
        Claim("units", "1792", "Figure 15", "avg_pool"), Claim("units", "1792", ("Figure "
                                                                                "15"), "dropout"),
        Claim("units", "1000", "Figure 15", "fc"),
        linear("Figure 10", "a", "256x35x35"), linear("Figure 11", "b", "896x17x17"),
        linear("Figure 13", "c", "1792x8x8")),
    "inception_resnet_v2": (
        *STEM_SIZES, linear("Figure 16", "a", "384x35x35"),
        linear("Figure 17", "b", "1154x17x17", ("It is added to Reduction-A's 384 + 384 + 384 = "
                                               "1152 channels.")),
        linear("Figure 19", "c", "2048x8x8", ("It is added to Reduction-B's 1152 + 384 + 288 + 320 "
                                             "= 2144 channels."))),
    "inception_resnet_v2_released": (
        *counts("NASNet (arXiv:1707.07012), Table 2", "55.8M", "13.2B"),
        *counts("EfficientNet (arXiv:1905.11946), Table 2", "56M", "13B")),
}
