"""SENet18 of tutorials: pytorch-cifar's ResNet-18 of pre-activation blocks with gates, and its copy
for images of 224x224.

                senet18_32_tutorial    senet18_tutorial
    conv1       32x32                  224x224               3x3, 64, BN, ReLU
    conv2_x     32x32                  224x224               [3,64][3,64] x2
    conv3_x     16x16                  112x112               [3,128][3,128] x2, the first strides
    conv4_x     8x8                    56x56                 [3,256][3,256] x2, the first strides
    conv5_x     4x4                    28x28                 [3,512][3,512] x2, the first strides
    pool        1x1                    7x7                   4x4 average, stride 4
    fc          512 to 10              25088 to 1000

A block is BN, ReLU, conv, BN, ReLU, conv, a gate of ratio 16 with biases, then the sum. Where the
shape changes the shortcut is a 1x1 convolution of the activated input, else the input itself. The
copy keeps the first layers for small images: nothing halves 224 before conv3_x. Neither has the
last BN and ReLU that a pre-activation network needs.
"""
from functools import partial

import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Network, seq
from convatlas.nets.preresnet import Stage
from convatlas.nets.se_preresnet import se_basic
from convatlas.paper import Paper

PAPER = Paper(
    title="SENet18 (pytorch-cifar)", authors="kuangliu", year=2017,
    code="github.com/kuangliu/pytorch-cifar models/senet.py",
    silent="There is no paper. That code is senet18_32_tutorial; senet18_tutorial is it with "
           "Linear(25088, ...) behind the same 4x4 pool, which circulates without an address that "
           "could be found (copies for ten classes and for Paddle are stored in public "
           "repositories). Its gate pools squares only, as long as the map is high; here any map "
           "is pooled whole, which is the same for squares. Initial weights are PyTorch's own.",
    page="senet_tutorial", bare="senet18_32_tutorial")


class SENet18Tutorial(Network):
    """`pooled` is the side of the map that the 4x4 pool leaves: 1 of 32x32, 7 of 224x224.

    (N, 3, 32 * pooled, 32 * pooled) -> (N, num_classes)
    """

    stages = ("conv1", "conv2_x", "conv3_x", "conv4_x", "conv5_x")

    def __init__(self, pooled: int, num_classes: int, in_channels: int = 3):
        super().__init__(in_channels)
        self.side = 32 * pooled
        self.smallest = self.side - 7           # three strides round up, the pool drops the rest
        self.largest = self.side + 24
        self.conv1 = seq(conv=ConvBN(in_channels, 64, 3), relu=nn.ReLU())
        self.conv2_x = Stage(se_basic, 2, 64, width=64, stride=1)
        self.conv3_x = Stage(se_basic, 2, 64, width=128, stride=2)
        self.conv4_x = Stage(se_basic, 2, 128, width=256, stride=2)
        self.conv5_x = Stage(se_basic, 2, 256, width=512, stride=2)
        self.pool = nn.AvgPool2d(4)
        self.fc = nn.Linear(512 * pooled * pooled, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:           # (N, 3, 32, 32)
        x = self.conv1(x)                             # (N, 64, 32, 32)
        x = self.conv2_x(x)                           # (N, 64, 32, 32)
        x = self.conv3_x(x)                           # (N, 128, 16, 16)
        x = self.conv4_x(x)                           # (N, 256, 8, 8)
        x = self.conv5_x(x)                           # (N, 512, 4, 4)
        return self.fc(self.pool(x).flatten(1))       # (N, num_classes)


VARIANTS = {
    "senet18_32_tutorial": partial(SENet18Tutorial, 1, num_classes=10),
    "senet18_tutorial": partial(SENet18Tutorial, 7, num_classes=1000),
}
