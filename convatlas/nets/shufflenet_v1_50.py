"""ShuffleNet V2 (Ma, Zhang, Zheng, Sun; ECCV 2018), appendix: ShuffleNet v1-50 (group = 3), units
of the first ShuffleNet in ResNet-50's stages.

    layer    output   kernel, stride, repeat                      channels
    conv1_x  112x112  3x3, 2                                            64
             56x56    3x3 max pool, 2
    conv2_x  56x56    [1x1, 3x3, 1x1] x3                               360
    conv3_x  28x28    [1x1, 3x3, 1x1] x4, the first of stride 2        720
    conv4_x  14x14    [1x1, 3x3, 1x1] x6, the first of stride 2       1440
    conv5_x  7x7      [1x1, 3x3, 1x1] x3, the first of stride 2       2880
    fc                after a global pool                             1000
    FLOPs                                                             2.3G
"""
import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Network, seq, shufflenet_init
from convatlas.nets.shufflenet_v1 import Unit, UnitStride2, branch
from convatlas.paper import Paper

PAPER = Paper(
    title="ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design",
    authors="Ma, Zhang, Zheng, Sun",
    year=2018, venue="ECCV", arxiv="1807.11164v1",
    silent="How wide units are inside: half of the printed channels, which alone gives the "
           "printed 2.3G (a quarter, as in the first ShuffleNet, 1.2G, all of them, 4.6G). How "
           "conv2_x gets from 64 channels to 360 at stride 1: by a unit without a shortcut, whose "
           "first layer is not grouped, for 3 does not divide 64; with a 1x1 projection or the 64 "
           "channels concatenated it would be 2.4G. Strides: in the first unit of conv3_x, "
           "conv4_x and conv5_x, as in ResNet-50 beside it. There is no code of this network: fc "
           "has a bias, and initial weights are those of the authors' smaller networks. Batch "
           "norm has PyTorch's epsilon and momentum, 1e-5 and 0.1.",
    page="shufflenet_v2", bare="shufflenet_v1_50")

G = 3


def half_as_wide(c_in: int, middle: int, c_out: int, g_first: int, g: int,
                 stride: int) -> nn.Sequential:
    """The way through a unit; `middle` is a quarter of the unit's channels."""
    return branch(c_in, 2 * middle, c_out, g_first, g, stride)


def units(c: int, n: int) -> list[nn.Module]:
    """n units of stride 1.  (N, c, H, W) -> the same shape"""
    return [Unit(half_as_wide, c, G) for _ in range(n)]


def stage(c_in: int, c_out: int, n: int) -> nn.Sequential:
    """n units, the first of stride 2.  (N, c_in, H, W) -> (N, c_out, H/2, W/2)"""
    first = UnitStride2(half_as_wide, c_in, c_out, G, G)
    return nn.Sequential(first, *units(c_out, n - 1))


class ShuffleNetV1Large(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""

    stages = ("conv1_x", "conv2_x", "conv3_x", "conv4_x", "conv5_x")

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1_x = seq(conv=ConvBN(in_channels, 64, 3, stride=2), relu=nn.ReLU())
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        first = seq(branch=half_as_wide(64, 90, 360, 1, G, 1), relu=nn.ReLU())
        self.conv2_x = nn.Sequential(first, *units(360, 2))
        self.conv3_x = stage(360, 720, 4)
        self.conv4_x = stage(720, 1440, 6)
        self.conv5_x = stage(1440, 2880, 3)
        self.fc = nn.Linear(2880, num_classes)
        self.apply(self.initialise)

    def initialise(self, layer: nn.Module) -> None:
        shufflenet_init(layer, first=self.conv1_x.conv.conv)

    def forward(self, x: Tensor) -> Tensor:     # (N, 3, 224, 224)
        x = self.pool(self.conv1_x(x))          # (N, 64, 112, 112), (N, 64, 56, 56)
        x = self.conv2_x(x)                     # (N, 360, 56, 56)
        x = self.conv3_x(x)                     # (N, 720, 28, 28)
        x = self.conv4_x(x)                     # (N, 1440, 14, 14)
        x = self.conv5_x(x)                     # (N, 2880, 7, 7)
        return self.fc(x.mean((2, 3)))          # (N, num_classes)


VARIANTS = {"shufflenet_v1_50": ShuffleNetV1Large}
