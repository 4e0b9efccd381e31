"""Selective Kernel Networks (Li, Wang, Hu, Yang; CVPR 2019).

Table 1: SKNet-50 is ResNeXt-50 (32x4d) with an SK convolution, SK[M, G, r], in place of each 3x3
one.

    output     SKNet-50
    112x112    7x7, 64, stride 2
    56x56      3x3 max pool, stride 2, then
               [1x1, 128][SK[2,32,16], 128][1x1, 256] x3
    28x28      [1x1, 256][SK[2,32,16], 256][1x1, 512] x4
    14x14      [1x1, 512][SK[2,32,16], 512][1x1, 1024] x6
    7x7        [1x1, 1024][SK[2,32,16], 1024][1x1, 2048] x3
    1x1        global average pool, 1000-d fc, softmax

M kernels to choose from, 3x3 and 3x3 with dilation 2 (which spans 5x5), in G groups; r: of the
fuse. SKNet-26 has {2, 2, 2, 2} units, SKNet-101 {3, 4, 23, 3}.
"""
from functools import partial

import torch
import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Residual, seq
from convatlas.nets.resnet import DEPTHS, ResNet, projection
from convatlas.paper import Paper

PAPER = Paper(
    title="Selective Kernel Networks",
    authors="Li, Wang, Hu, Yang", year=2019, venue="CVPR", arxiv="1903.06586v2",
    code="github.com/implus/SKNet",
    silent="Biases of an SK convolution's fully connected layers: none, and batch norm after the "
           "first only, as in the release. Which layer strides: both kernels of the SK "
           "convolution, as ResNeXt's 3x3. The border of the max pool: padded, as for ResNet; the "
           "release does not pad, and rounds up. Initial weights of fully connected layers: "
           "PyTorch's; the release has N(0, 0.01).",
    page="sknet", bare="sknet50")

G = 32      # groups
R = 16      # the reduction ratio r of Eq. (4)
L = 32      # and the least d


def kernel(c: int, stride: int, dilation: int) -> nn.Sequential:
    """3x3, dilated: it spans 3x3 or 5x5 pixels.  (N, c, H, W) -> (N, c, H/stride, W/stride)"""
    return seq(
        conv=nn.Conv2d(c, c, 3, stride, padding=dilation, dilation=dilation, groups=G, bias=False),
        bn=nn.BatchNorm2d(c),
        relu=nn.ReLU())


class SKConv(nn.Module):
    """Figure 1: split, fuse, select.  (N, c, H, W) -> (N, c, H/stride, W/stride)"""

    def __init__(self, c: int, stride: int):
        super().__init__()
        d = max(c // R, L)                                              # Eq. (4)
        self.k3 = kernel(c, stride, dilation=1)
        self.k5 = kernel(c, stride, dilation=2)
        self.fuse = seq(w=nn.Conv2d(c, d, 1, bias=False), bn=nn.BatchNorm2d(d), relu=nn.ReLU())
        self.select = nn.Conv2d(d, 2 * c, 1, bias=False)    # the matrices A and B of Eq. (5)

    def forward(self, x: Tensor) -> Tensor:                             # (N, c, H, W)
        u = torch.stack([self.k3(x), self.k5(x)], dim=1)                # (N, 2, c, H', W')
        s = u.sum(1).mean((2, 3), keepdim=True)             # (N, c, 1, 1), Eqs. (1) and (2)
        z = self.fuse(s)                                                # (N, d, 1, 1), Eq. (3)
        a = self.select(z).view(x.shape[0], 2, -1, 1, 1).softmax(1)     # (N, 2, c, 1, 1), Eq. (5)
        return (a * u).sum(1)                                           # (N, c, H', W'), Eq. (6)


def sk_unit(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Sec. 3.2: 1x1, SK convolution, 1x1; twice as wide inside as ResNet's."""
    branch = seq(
        conv1=ConvBN(c_in, 2 * width, 1), relu1=nn.ReLU(),
        sk=SKConv(2 * width, stride),
        conv3=ConvBN(2 * width, 4 * width, 1))
    return Residual(branch, projection(c_in, 4 * width, stride)), 4 * width


VARIANTS = {
    "sknet26": partial(ResNet, sk_unit, (2, 2, 2, 2)),
    "sknet50": partial(ResNet, sk_unit, DEPTHS[50]),
    "sknet101": partial(ResNet, sk_unit, DEPTHS[101]),
}
