"""ShuffleNet V2, appendix: ShuffleNet v2-50, units of ShuffleNet V2 in ResNet-50's stages.

    layer    output   kernel, stride, repeat                      channels
    conv1_x  112x112  3x3, 2                                            64
             56x56    3x3 max pool, 2
    conv2_x  56x56    3 units                                          244
    conv3_x  28x28    units: 1 of stride 2, 3 of stride 1              488
    conv4_x  14x14    units: 1 of stride 2, 5 of stride 1              976
    conv5_x  7x7      units: 1 of stride 2, 2 of stride 1             1952
    conv6    7x7      1x1, 1                                          2048
    fc                after a global pool                             1000
"""
import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Network, seq, shufflenet_init
from convatlas.nets.shufflenet_v2 import stage
from convatlas.paper import Paper

PAPER = Paper(
    title="ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design",
    authors="Ma, Zhang, Zheng, Sun",
    year=2018, venue="ECCV", arxiv="1807.11164v1",
    code="github.com/megvii-model/ShuffleNet-Series ShuffleNetV2",
    silent="Where the 50 layers stride: in the first unit of conv3_x, conv4_x and conv5_x, as in "
           "ResNet-50 beside it. How conv2_x gets from 64 channels to 244 at stride 1: by a unit "
           "of stride 2 without the stride, which gives the printed 2.3G. There is no code of this "
           "network: fc has a bias, nothing is dropped out, and initial weights are those of the "
           "authors' smaller networks.",
    page="shufflenet_v2", bare="shufflenet_v2_50")


class ShuffleNetV2Large(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""

    stages = ("conv1_x", "conv2_x", "conv3_x", "conv4_x", "conv5_x", "conv6")

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1_x = seq(conv=ConvBN(in_channels, 64, 3, stride=2), relu=nn.ReLU())
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.conv2_x = stage(64, 244, units=3, stride=1)
        self.conv3_x = stage(244, 488, units=4)
        self.conv4_x = stage(488, 976, units=6)
        self.conv5_x = stage(976, 1952, units=3)
        self.conv6 = seq(conv=ConvBN(1952, 2048, 1), relu=nn.ReLU())
        self.fc = nn.Linear(2048, num_classes)
        self.apply(self.initialise)

    def initialise(self, layer: nn.Module) -> None:
        shufflenet_init(layer, first=self.conv1_x.conv.conv)

    def forward(self, x: Tensor) -> Tensor:     # (N, 3, 224, 224)
        x = self.pool(self.conv1_x(x))          # (N, 64, 112, 112), (N, 64, 56, 56)
        x = self.conv2_x(x)                     # (N, 244, 56, 56)
        x = self.conv3_x(x)                     # (N, 488, 28, 28)
        x = self.conv4_x(x)                     # (N, 976, 14, 14)
        x = self.conv5_x(x)                     # (N, 1952, 7, 7)
        x = self.conv6(x).mean((2, 3))          # (N, 2048, 7, 7), (N, 2048)
        return self.fc(x)                       # (N, num_classes)


VARIANTS = {"shufflenet_v2_50": ShuffleNetV2Large}
