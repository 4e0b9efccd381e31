"""Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning (Szegedy,
Ioffe, Vanhoucke, Alemi; AAAI 2017): Inception-v4. Its residual sisters are in
inception_resnet.py.

    Figure 9   stem       4 x Inception-A  Reduction-A  7 x Inception-B  Reduction-B  3 x Inception-C
               35x35x384  35x35x384        17x17x1024   17x17x1024       8x8x1536     8x8x1536
               then average pooling 1536, dropout (keep 0.8) 1536, softmax 1000

One function below is one figure. "3x3 96 /2 V" is one box of it: a 3x3 convolution with 96 filters,
stride 2, "V" where the paper marks it as unpadded.
"""
import re

import torch.nn as nn

from convatlas.layers import FilterConcat, Network, he_init, seq
from convatlas.paper import Claim, Paper, counts, sizes

PAPER = Paper(
    title="Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
    authors="Szegedy, Ioffe, Vanhoucke, Alemi", year=2017, venue="AAAI", arxiv="1602.07261v2",
    code="github.com/tensorflow/models research/slim/nets/inception_v4.py",
    silent="Figure 5 prints 1x7 twice in one branch; the second is a 7x1. The order of the "
           "branches and that of the one-sided kernels are the release's, so that its weights fit. "
           "Average pools do not count their padding and batch norm adds 0.001 to the variance, "
           "both as in the release. Initial weights: He's.",
    page="inception_v4")

BOX = re.compile(r"(?P<h>\d+)x(?P<w>\d+) (?P<c>\d+)(?: /(?P<stride>\d))?(?P<valid> V)?")


def filter_concat(*branches: nn.Module) -> FilterConcat:
    return FilterConcat(**{f"branch{i}": branch for i, branch in enumerate(branches, start=1)})


def boxes(c: int, *printed: str) -> nn.Sequential:
    """Convolutions one after the other, c channels coming in; each with a batch norm and a ReLU."""
    layers = {}
    for i, text in enumerate(printed, start=1):
        box = BOX.fullmatch(text)
        k, c_out = (int(box["h"]), int(box["w"])), int(box["c"])
        padding = 0 if box["valid"] else (k[0] // 2, k[1] // 2)
        layers[f"conv{i}"] = seq(conv=nn.Conv2d(c, c_out, k, int(box["stride"] or 1), padding, bias=False),
                                 bn=nn.BatchNorm2d(c_out, eps=1e-3), relu=nn.ReLU())
        c = c_out
    return seq(**layers)


def max_pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2)                    # "3x3 MaxPool (stride 2 V)"


def avg_pool(c: int, c_out: int) -> nn.Sequential:
    return seq(pool=nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False), convs=boxes(c, ("1x1 "
                                                                                                   f"{c_out}")))


def stem(in_channels: int) -> nn.Sequential:
    """Figure 3, of Inception-v4 and of Inception-ResNet-v2.  (N, in_channels, 299, 299) -> (N, 384,
    35, 35)
    """
    return seq(
        convs=boxes(in_channels, "3x3 32 /2 V", "3x3 32 V", "3x3 64"),  # 149, 147, 147
        concat1=filter_concat(max_pool(), boxes(64, "3x3 96 /2 V")),  # (N, 160, 73, 73)
        concat2=filter_concat(boxes(160, "1x1 64", "3x3 96 V"),
                              # (N, 192, 71, 71)
                              boxes(160, "1x1 64", "1x7 64", "7x1 64", "3x3 96 V")),
        concat3=filter_concat(boxes(192, "3x3 192 /2 V"), max_pool()))


def inception_a() -> FilterConcat:
    """Figure 4.  (N, 384, 35, 35) -> the same"""
    return filter_concat(boxes(384, "1x1 96"), boxes(384, "1x1 64", "3x3 96"),
                         boxes(384, "1x1 64", "3x3 96", "3x3 96"), avg_pool(384, 96))


def reduction_a(c: int, k: int, l: int, m: int, n: int) -> FilterConcat:        # noqa: E741
    """Figure 7, of all three networks; k, l, m and n are in Table 1.  (N, c, 35, 35) -> (N, n + m +
    c, 17, 17)
    """
    return filter_concat(boxes(c, f"3x3 {n} /2 V"), boxes(c, f"1x1 {k}", f"3x3 {l}", (f"3x3 {m} /2 "
                                                                                      "V")), max_pool())


def inception_b() -> FilterConcat:
    """Figure 5.  (N, 1024, 17, 17) -> the same"""
    return filter_concat(boxes(1024, "1x1 384"), boxes(1024, "1x1 192", "1x7 224", "7x1 256"),
                         boxes(1024, "1x1 192", "7x1 192", "1x7 224", "7x1 224", ("1x7 "
                                                                                  "256")), avg_pool(1024, 128))


def reduction_b() -> FilterConcat:
    """Figure 8.  (N, 1024, 17, 17) -> (N, 1536, 8, 8)"""
    return filter_concat(boxes(1024, "1x1 192", "3x3 192 /2 V"),
                         boxes(1024, "1x1 256", "1x7 256", "7x1 320", "3x3 320 /2 V"), max_pool())


def fork(c: int) -> FilterConcat:
    """The tops of Figure 6's inner branches."""
    return filter_concat(boxes(c, "1x3 256"), boxes(c, "3x1 256"))


def inception_c() -> FilterConcat:
    """Figure 6.  (N, 1536, 8, 8) -> the same"""
    return filter_concat(boxes(1536, "1x1 256"), seq(convs=boxes(1536, "1x1 384"), fork=fork(384)),
                         seq(convs=boxes(1536, "1x1 384", "3x1 448", "1x3 512"), fork=fork(512)), avg_pool(1536, 256))


class InceptionV4(Network):
    side, smallest = 299, 75
    stages = ("stem", "inception_a", "reduction_a", "inception_b", "reduction_b", "inception_c")
    initialise = staticmethod(he_init)

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.stem = stem(in_channels)
        self.inception_a = nn.Sequential(*(inception_a() for _ in range(4)))
        self.reduction_a = reduction_a(384, k=192, l=224, m=256, n=384)         # Table 1
        self.inception_b = nn.Sequential(*(inception_b() for _ in range(7)))
        self.reduction_b = reduction_b()
        self.inception_c = nn.Sequential(*(inception_c() for _ in range(3)))
        self.avg_pool, self.dropout = nn.AdaptiveAvgPool2d(1), nn.Dropout(0.2)  # keep 0.8
        self.fc = nn.Linear(1536, num_classes)
        self.apply(self.initialise)

    def forward(self, x):                                       # (N, 3, 299, 299)
        x = self.inception_a(self.stem(x))                      # (N, 384, 35, 35)
        x = self.inception_b(self.reduction_a(x))               # (N, 1024, 17, 17)
        x = self.inception_c(self.reduction_b(x))               # (N, 1536, 8, 8)
        return self.fc(self.dropout(self.avg_pool(x)).flatten(1))       # (N, num_classes)


VARIANTS = {"inception_v4": InceptionV4}
STEM_SIZES = sizes("Figure 3", {
    "input": "3x299x299", "stem.convs.conv1": "32x149x149", "stem.convs.conv2": "32x147x147",
    "stem.convs.conv3": "64x147x147", "stem.concat1": "160x73x73", "stem.concat2": "192x71x71", "stem": "384x35x35"})
CLAIMS = {
    "inception_v4": (
        *STEM_SIZES,
        *sizes("Figure 9", {"input": "3x299x299", "stem": "384x35x35", "inception_a": "384x35x35",
                            "reduction_a": "1024x17x17", "inception_b": "1024x17x17", "reduction_b": "1536x8x8",
                            "inception_c": "1536x8x8"}),
        Claim("units", "1536", "Figure 9", "avg_pool"), Claim("units", "1536", ("Figure "
                                                                               "9"), "dropout"),
        Claim("units", "1000", "Figure 9", "fc"),
        *counts("EfficientNet (arXiv:1905.11946), Table 2", "48M", "13B", errata=(
            ("Figures 3 to 9 and the release agree on the graph, and timm's build of it has "
            "42,679,816 too."), ""))),
}
