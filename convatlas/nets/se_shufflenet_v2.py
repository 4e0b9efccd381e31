"""ShuffleNet V2 (Ma, Zhang, Zheng, Sun; ECCV 2018), Table 8 and appendix: ShuffleNet V2's units
(shufflenet_v2.py) with SENet's gates.

ShuffleNet v2 2x with SE is Table 5's column 2x, a gate in each unit: 597M. SE-ShuffleNet v2-164,
12.7G, whose units have a residual path too:

    layer    output   kernel, stride, repeat                      channels
    conv1_x  112x112  3x3, 2; 3x3; 3x3                         64, 64, 128
             56x56    3x3 max pool, 2
    conv2_x  56x56    10 units                                         340
    conv3_x  28x28    units: 1 of stride 2, 9 of stride 1              680
    conv4_x  14x14    units: 1 of stride 2, 22 of stride 1            1360
    conv5_x  7x7      units: 1 of stride 2, 9 of stride 1             2720
    conv6    7x7      1x1, 1                                          2048
    fc                after a global pool                             1000
"""
from functools import partial

import torch.nn as nn
from torch import Tensor

from convatlas.layers import (
    ConvBN,
    Network,
    Residual,
    SqueezeExcite,
    deep_stem,
    seq,
    shufflenet_init,
)
from convatlas.nets.shufflenet_v2 import TABLE, ShuffleNetV2, stage
from convatlas.paper import Paper

PAPER = Paper(
    title="ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design",
    authors="Ma, Zhang, Zheng, Sun",
    year=2018, venue="ECCV", arxiv="1807.11164v1",
    code="github.com/megvii-model/ShuffleNet-Series ShuffleNetV2.Large",
    silent="The gate's place and ratio: on the right branch, after the last batch norm and before "
           "the ReLU and the residual path, with two layers as wide as the branch (a ratio of 1) "
           "and biases, as in ShuffleNetV2.Large, the authors' only code with gates. That one has "
           "the printed 12.7G and 18.56 % of v2-164, but other layers than the appendix prints "
           "(widths of 128 to 1024, eight groups, a 3x3 to 1280), which are built here. In v2-164, "
           "where stages stride and how conv2_x gets from 128 channels to 340: as in "
           "shufflenet_v2_50; the first unit of a stage has no residual path, for its shape "
           "changes. Dropout of 0.2 before the classifier and initial weights: the authors' code "
           "(its first three convolutions all start as the first does, here one); fc has a bias in "
           "v2-164. Batch norm has PyTorch's epsilon and momentum, 1e-5 and 0.1, as in the other "
           "networks of the paper; ShuffleNetV2.Large has an epsilon of 1e-9.",
    page="shufflenet_v2", bare="se_shufflenet_v2_164")


def gated(c_in: int, middle: int, c_out: int, stride: int) -> nn.Sequential:
    """The right branch up to its gate."""
    return seq(
        conv1=ConvBN(c_in, middle, 1), relu1=nn.ReLU(),
        dwconv=ConvBN(middle, middle, 3, stride, groups=middle),
        conv2=ConvBN(middle, c_out, 1),
        se=SqueezeExcite(c_out, r=1))


def gated_main(c_in: int, middle: int, c_out: int, stride: int) -> nn.Sequential:
    """Appendix, Figure 2(b)."""
    return gated(c_in, middle, c_out, stride).append(nn.ReLU())


def residual_main(c_in: int, middle: int, c_out: int, stride: int) -> nn.Module:
    """Appendix, Figure 2(c): added to what it reads, where the shapes agree."""
    branch = gated(c_in, middle, c_out, stride)
    if c_in == c_out and stride == 1:
        return Residual(branch, nn.Identity())
    return branch.append(nn.ReLU())


class ShuffleNetV2Deep(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""

    stages = ("conv1_x", "conv2_x", "conv3_x", "conv4_x", "conv5_x", "conv6")

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1_x = deep_stem(in_channels, 64)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.conv2_x = stage(128, 340, units=10, stride=1, main=residual_main)
        self.conv3_x = stage(340, 680, units=10, main=residual_main)
        self.conv4_x = stage(680, 1360, units=23, main=residual_main)
        self.conv5_x = stage(1360, 2720, units=10, main=residual_main)
        self.conv6 = seq(conv=ConvBN(2720, 2048, 1), relu=nn.ReLU())
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(2048, num_classes)
        self.apply(self.initialise)

    def initialise(self, layer: nn.Module) -> None:
        shufflenet_init(layer, first=self.conv1_x.conv1.conv)

    def forward(self, x: Tensor) -> Tensor:     # (N, 3, 224, 224)
        x = self.pool(self.conv1_x(x))          # (N, 128, 112, 112), (N, 128, 56, 56)
        x = self.conv2_x(x)                     # (N, 340, 56, 56)
        x = self.conv3_x(x)                     # (N, 680, 28, 28)
        x = self.conv4_x(x)                     # (N, 1360, 14, 14)
        x = self.conv5_x(x)                     # (N, 2720, 7, 7)
        x = self.conv6(x).mean((2, 3))          # (N, 2048, 7, 7), (N, 2048)
        return self.fc(self.dropout(x))         # (N, num_classes)


VARIANTS = {
    "se_shufflenet_v2_x2_0": partial(ShuffleNetV2, TABLE["_x2_0"], gated_main),
    "se_shufflenet_v2_164": ShuffleNetV2Deep,
}
