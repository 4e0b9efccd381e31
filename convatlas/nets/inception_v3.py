"""Rethinking the Inception Architecture for Computer Vision (Szegedy, Vanhoucke, Ioffe, Shlens,
Wojna; CVPR 2016).

Table 1, whose sizes are those of the inputs; after it the layers here, under the names of the
authors' release.

    conv 3x3/2           299x299x3      conv_1a
    conv 3x3/1           149x149x32     conv_2a
    conv padded 3x3/1    147x147x32     conv_2b
    pool 3x3/2           147x147x64     pool_3a
    conv 3x3/1           73x73x64       conv_3b, a 1x1
    conv 3x3/2           71x71x80       conv_4a, stride 1, and pool_5a
    conv 3x3/1           35x35x192      not there
    3x Inception, Fig. 5 35x35x288      mixed_5b, 5c, 5d, then mixed_6a to 17x17
    5x Inception, Fig. 6 17x17x768      mixed_6b, 6c, 6d, 6e, then mixed_7a to 8x8
    2x Inception, Fig. 7 8x8x1280       mixed_7b, 7c
    pool 8x8, linear, softmax           8x8x2048, 1x1x2048, 1x1x1000
"""
from typing import NamedTuple

import torch.nn as nn
import torch.nn.functional as F

from convatlas.layers import FilterConcat, Network, seq
from convatlas.paper import Claim, Paper, counts, sizes

PAPER = Paper(
    title="Rethinking the Inception Architecture for Computer Vision",
    authors="Szegedy, Vanhoucke, Ioffe, Shlens, Wojna", year=2016, venue="CVPR", arxiv="1512.00567v3",
    code="github.com/tensorflow/models research/slim/nets/inception_v3.py",
    silent="The widths inside the modules are in a file beside the paper (model.txt, Sec. 6): here "
           "those of the release. Pools inside the modules count their padding, as in "
           "torchvision's copy; TensorFlow's do not. The loss of the auxiliary head weighs 0.4, "
           "dropout is 0.2, weights are truncated normal with deviation 0.1, all as in the "
           "release. The head's 5x5 windows need maps of 17x17; smaller maps are brought to size.",
    departs="The graph is the authors' release, which is what Inception-v3 means; Table 1 cannot "
            "be built as printed, for an unpadded 3x3 does not leave 35x35 at 35x35. The release "
            "has another stem, 3 + 4 + 2 modules and two more that halve the map, and a 5x5 where "
            "Figure 5 has two 3x3.",
    page="inception_v3")


class Conv(NamedTuple):     # one box of the figures
    kernel: str             # "1x7": 1 high, 7 wide
    c: int
    stride: int = 1
    padded: bool = True

    def build(self, c_in: int) -> nn.Sequential:
        k = tuple(map(int, self.kernel.split("x")))
        padding = tuple(side // 2 for side in k) if self.padded else 0
        return seq(conv=nn.Conv2d(c_in, self.c, k, self.stride, padding, bias=False),
                   bn=nn.BatchNorm2d(self.c, eps=1e-3), relu=nn.ReLU())


def halving(c: int) -> Conv:
    return Conv("3x3", c, stride=2, padded=False)


def branch(c: int, *boxes: Conv) -> nn.Sequential:
    """Boxes one above the other: conv1, conv2 and so on."""
    widths = [c, *(box.c for box in boxes)]
    return seq(**{f"conv{i}": box.build(width)
                  for i, (box, width) in enumerate(zip(boxes, widths[:-1], strict=True), start=1)})


def pool_branch(c: int, proj: int) -> nn.Sequential:
    return seq(pool=nn.AvgPool2d(3, stride=1, padding=1), conv1=Conv("1x1", proj).build(c))


def split(c: int, width: int) -> FilterConcat:
    """The top of Figure 7's inner branches: a 1x3 and a 3x1 side by side."""
    return FilterConcat(**{"1x3": Conv("1x3", width).build(c), "3x1": Conv("3x1", width).build(c)})


def figure_5(c: int, proj: int) -> FilterConcat:
    """35x35.  (N, c, H, W) -> (N, 224 + proj, H, W)"""
    return FilterConcat(**{
        "1x1": branch(c, Conv("1x1", 64)), "5x5": branch(c, Conv("1x1", 48), Conv("5x5", 64)),
        "double_3x3": branch(c, Conv("1x1", 64), Conv("3x3", 96), Conv("3x3", 96)), "pool": pool_branch(c, proj)})


def to_17x17(c: int) -> FilterConcat:
    """Figure 10, the first time.  (N, c, 35, 35) -> (N, c + 480, 17, 17)"""
    return FilterConcat(**{
        "3x3": branch(c, halving(384)), "double_3x3": branch(c, Conv("1x1", 64), Conv("3x3", 96), halving(96)),
        "pool": nn.MaxPool2d(3, stride=2)})


def figure_6(c: int, width: int) -> FilterConcat:
    """17x17, n = 7.  (N, c, H, W) -> (N, 768, H, W)"""
    return FilterConcat(**{
        "1x1": branch(c, Conv("1x1", 192)),
        "7x7": branch(c, Conv("1x1", width), Conv("1x7", width), Conv("7x1", 192)),
        "double_7x7": branch(c, Conv("1x1", width), Conv("7x1", width), Conv("1x7", width), Conv("7x1", width),
                             Conv("1x7", 192)),
        "pool": pool_branch(c, 192)})


def to_8x8(c: int) -> FilterConcat:
    """Figure 10, the second time.  (N, c, 17, 17) -> (N, c + 512, 8, 8)"""
    return FilterConcat(**{
        "3x3": branch(c, Conv("1x1", 192), halving(320)),
        "7x7": branch(c, Conv("1x1", 192), Conv("1x7", 192), Conv("7x1", 192), halving(192)),
        "pool": nn.MaxPool2d(3, stride=2)})


def figure_7(c: int) -> FilterConcat:
    """8x8.  (N, c, H, W) -> (N, 2048, H, W)"""
    return FilterConcat(**{
        "1x1": branch(c, Conv("1x1", 320)),
        "3x3": seq(stack=branch(c, Conv("1x1", 384)), split=split(384, 384)),
        "double_3x3": seq(stack=branch(c, Conv("1x1", 448), Conv("3x3", 384)), split=split(384, 384)),
        "pool": pool_branch(c, 192)})


class Auxiliary(nn.Module):
    """Figure 8, batch-normalised (Sec. 4).  (N, c, 17, 17) -> (N, num_classes)"""

    def __init__(self, c: int, num_classes: int):
        super().__init__()
        self.convs = branch(c, Conv("1x1", 128), Conv("5x5", 768, padded=False))
        self.fc = nn.Linear(768, num_classes)

    def forward(self, x):
        x = F.avg_pool2d(x, 5, stride=3) if min(x.shape[2:]) >= 5 else x  # (N, c, 5, 5) of 17x17
        x = x if min(x.shape[2:]) >= 5 else F.adaptive_avg_pool2d(x, 5)  # images smaller than 299
        return self.fc(self.convs(x).mean((2, 3)))  # (N, 768, 1, 1), (N, num_classes)


class InceptionV3(Network):
    side, smallest = 299, 75
    stages = ("conv_2b", "conv_4a", "mixed_5d", "mixed_6e", "mixed_7c")
    auxiliary_paths = ("aux.fc",)

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv_1a = halving(32).build(in_channels)
        self.conv_2a, self.conv_2b = Conv("3x3", 32, padded=False).build(32), Conv("3x3", 64).build(32)
        self.pool_3a = nn.MaxPool2d(3, stride=2)
        self.conv_3b, self.conv_4a = Conv("1x1", 80).build(64), Conv("3x3", 192, padded=False).build(80)
        self.pool_5a = nn.MaxPool2d(3, stride=2)
        self.mixed_5b, self.mixed_5c, self.mixed_5d = figure_5(192, 32), figure_5(256, 64), figure_5(288, 64)
        self.mixed_6a = to_17x17(288)
        self.mixed_6b, self.mixed_6c = figure_6(768, 128), figure_6(768, 160)
        self.mixed_6d, self.mixed_6e = figure_6(768, 160), figure_6(768, 192)
        self.mixed_7a = to_8x8(768)
        self.mixed_7b, self.mixed_7c = figure_7(1280), figure_7(2048)
        self.avg_pool, self.dropout = nn.AdaptiveAvgPool2d(1), nn.Dropout(0.2)
        self.fc = nn.Linear(2048, num_classes)
        self.aux = Auxiliary(768, num_classes)
        self.apply(self.initialise)

    def initialise(self, layer):
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.trunc_normal_(layer.weight, std=0.1, a=-0.2, b=0.2)  # cut at two deviations
        if isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.bias)

    def maps(self, x):
        """What the heads read: the outputs of 6e and 7c."""
        # (N, 32, 149, 149), (N, 32, 147, 147), (N, 64, 147, 147)
        x = self.conv_2b(self.conv_2a(self.conv_1a(x)))
        # (N, 64, 73, 73), (N, 80, 73, 73), (N, 192, 71, 71)
        x = self.conv_4a(self.conv_3b(self.pool_3a(x)))
        x = self.mixed_5b(self.pool_5a(x))                  # (N, 192, 35, 35), (N, 256, 35, 35)
        x = self.mixed_5d(self.mixed_5c(x))                 # (N, 288, 35, 35)
        x = self.mixed_6c(self.mixed_6b(self.mixed_6a(x)))  # (N, 768, 17, 17)
        out_6e = self.mixed_6e(self.mixed_6d(x))            # (N, 768, 17, 17)
        # the last: (N, 2048, 8, 8)
        return out_6e, self.mixed_7c(self.mixed_7b(self.mixed_7a(out_6e)))

    def head(self, x):
        return self.fc(self.dropout(self.avg_pool(x)).flatten(1))       # (N, num_classes)

    def forward(self, x):                                               # (N, 3, 299, 299)
        return self.head(self.maps(x)[-1])

    def training_outputs(self, x):
        """All logits with the weights of their losses."""
        out_6e, last = self.maps(x)
        return [(self.head(last), 1.0), (self.aux(out_6e), 0.4)]


VARIANTS = {"inception_v3": InceptionV3}

STEM = ("The release reduces by a 1x1 there, so the map stays 73x73. As printed, a 3x3 of stride 2 "
        "on 71x71 gives 35x35, and the unpadded 3x3 after it cannot give the 35x35 of the next "
        "row.")
TABLE_1 = {"input": "3x299x299", "conv_1a": "32x149x149", "conv_2a": "32x147x147", "conv_2b": "64x147x147",
           "pool_3a": "64x73x73", "pool_5a": "192x35x35", "mixed_5d": "288x35x35", "mixed_6a": "768x17x17",
           "mixed_7a": "1280x8x8", "mixed_7c": "2048x8x8", "avg_pool": "2048x1x1"}
CLAIMS = {
    "inception_v3": (
        *sizes("Table 1, the input of what follows", TABLE_1),
        Claim("size", "80x71x71", "Table 1, the input of what follows", "conv_3b", erratum=STEM),
        Claim("units", "1000", "Table 1, softmax", "fc"),
        Claim("macs", "5 billion", "Abstract"),
        Claim("macs", "4.8 billion", "Table 3, last row, cost", erratum=(
            "The release, whose errors these are, takes 5,713,216,096; Sec. 6 has a third figure, "
            "2.5 times GoogLeNet, whose cost the same table gives as 1.5 billion.")),
        Claim("layers", "42", "Sec. 6", erratum=(
            "The longest way through the release is 5 layers before the modules, 3 x 3 + 3 at "
            "35x35, 4 x 5 + 4 at 17x17, 2 x 3 at 8x8 and the classifier: 48. Table 1 has 6 layers "
            "before its modules, of which three are 3 deep, five 5 deep and two 3 deep, and the "
            "classifier: 47.")),
        Claim("params", "23,626,728", "Xception (arXiv:1610.02357), Table 3", erratum=(
            "The convolutions and the classifier have 23,800,136 without any batch norm; no count "
            "of this graph is smaller than that.")),
        *counts("NASNet (arXiv:1707.07012), Table 2", "23.8M", "5.72B"),
        *counts("EfficientNet (arXiv:1905.11946), Table 2", "24M", "5.7B"),
        *counts("torchvision, Inception_V3_Weights", "", "5.713G"),
        Claim("params with heads", "27,161,264", "torchvision, Inception_V3_Weights"),
    )}
