"""GoogLeNet for images of 32x32: no paper. Table 1's modules with batch norm, after a single 3x3
convolution.
"""
import torch.nn as nn
from torch import Tensor

from convatlas.layers import FilterConcat, Network, seq
from convatlas.layers import biased_conv as conv
from convatlas.nets.googlenet import MODULES, Row
from convatlas.paper import Paper

PAPER = Paper(
    title="GoogLeNet for CIFAR-10 (pytorch-cifar)", authors="kuangliu",
    year=2017, code="github.com/kuangliu/pytorch-cifar",
    silent="There is no paper. Each 5x5 is two 3x3, and convolutions keep biases that batch norm "
           "makes idle, as in the code. Its 8x8 average pool is a global one here, which is the "
           "same at 32. Initial weights are PyTorch's own; no dropout.",
    page="googlenet_32")


def inception(c: int, row: Row) -> FilterConcat:
    """(N, c, H, W) -> (N, n1x1 + n3x3 + n5x5 + pool_proj, H, W)"""
    return FilterConcat(**{
        "1x1": conv(c, row.n1x1, 1),
        "3x3": seq(reduce=conv(c, row.n3x3_reduce, 1), conv=conv(row.n3x3_reduce, row.n3x3, 3)),
        "5x5": seq(reduce=conv(c, row.n5x5_reduce, 1), conv1=conv(row.n5x5_reduce, row.n5x5, 3),
                   conv2=conv(row.n5x5, row.n5x5, 3)),
        "pool": seq(pool=nn.MaxPool2d(3, stride=1, padding=1), proj=conv(c, row.pool_proj, 1))})


class GoogLeNet32(Network):
    """(N, 3, 32, 32) -> (N, num_classes)"""
    side = 32
    stages = ("conv1", "inception_3b", "inception_4e", "inception_5b")

    def __init__(self, num_classes: int = 10, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = conv(in_channels, 192, 3)
        self.pool3 = nn.MaxPool2d(3, stride=2, padding=1)
        self.pool4 = nn.MaxPool2d(3, stride=2, padding=1)
        c = 192
        for row in MODULES:
            self.add_module(row.part, inception(c, row))
            c = row.n1x1 + row.n3x3 + row.n5x5 + row.pool_proj
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:                     # (N, 3, 32, 32)
        x = self.inception_3a(self.conv1(x))                    # (N, 192, 32, 32), (N, 256, 32, 32)
        x = self.pool3(self.inception_3b(x))                    # (N, 480, 32, 32), (N, 480, 16, 16)
        x = self.inception_4b(self.inception_4a(x))             # (N, 512, 16, 16)
        x = self.inception_4d(self.inception_4c(x))             # (N, 528, 16, 16)
        x = self.pool4(self.inception_4e(x))                    # (N, 832, 16, 16), (N, 832, 8, 8)
        x = self.inception_5b(self.inception_5a(x))             # (N, 1024, 8, 8)
        return self.fc(x.mean((2, 3)))                          # (N, num_classes)


VARIANTS = {"googlenet_bn_32": GoogLeNet32}
