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

from convatlas.layers import ConvBN, seq
from convatlas.nets.resnet import DEPTHS, OUTPUTS, STAGES, Residual, ResNet, projection
from convatlas.paper import Claim, Paper, sizes

PAPER = Paper(
    title="Selective Kernel Networks", authors="Li, Wang, Hu, Yang", year=2019, venue="CVPR", arxiv="1903.06586v2",
    code="github.com/implus/SKNet",
    silent="Biases of the full layers of an SK convolution: none, and batch norm after the first "
           "one only, as in the release. Which layer strides: both kernels of the SK convolution, "
           "as ResNeXt's 3x3. The border of the max pool: padded, as for ResNet; the release does "
           "not pad, and rounds up. Initial weights of the full layers: PyTorch's; the release has "
           "N(0, 0.01).",
    page="sknet", bare="sknet50")

R, L = 16, 32                   # of Eq. (4)
G = 32


class SKConv(nn.Module):
    """Figure 1: split, fuse, select.  (N, c, H, W) -> (N, c, H/stride, W/stride)"""

    def __init__(self, c: int, stride: int):
        super().__init__()
        d = max(c // R, L)                                              # Eq. (4)
        self.k3 = seq(conv=nn.Conv2d(c, c, 3, stride, padding=1, groups=G, bias=False), bn=nn.BatchNorm2d(c),
                      relu=nn.ReLU())
        self.k5 = seq(conv=nn.Conv2d(c, c, 3, stride, padding=2, dilation=2, groups=G, bias=False),
                      bn=nn.BatchNorm2d(c), relu=nn.ReLU())
        self.fuse = seq(w=nn.Conv2d(c, d, 1, bias=False), bn=nn.BatchNorm2d(d), relu=nn.ReLU())
        self.select = nn.Conv2d(d, 2 * c, 1, bias=False)  # the matrices A and B of Eq. (5)

    def forward(self, x):
        u = torch.stack([self.k3(x), self.k5(x)], dim=1)                # (N, 2, c, H, W)
        s = u.sum(1).mean((2, 3), keepdim=True)  # (N, c, 1, 1), Eqs. (1) and (2)
        z = self.fuse(s)                                                # (N, d, 1, 1), Eq. (3)
        a = self.select(z).view(x.shape[0], 2, -1, 1, 1).softmax(1)    # (N, 2, c, 1, 1), Eq. (5)
        return (a * u).sum(1)                                           # (N, c, H, W), Eq. (6)


def sk_unit(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Sec. 3.2: 1x1, SK convolution, 1x1; twice as wide inside as ResNet's."""
    branch = seq(conv1=ConvBN(c_in, 2 * width, 1), relu1=nn.ReLU(), sk=SKConv(2 * width, stride),
                 conv3=ConvBN(2 * width, 4 * width, 1))
    return Residual(branch, projection(c_in, 4 * width, stride)), 4 * width


VARIANTS = {f"sknet{n}": partial(ResNet, sk_unit, depths)
            for n, depths in {26: (2, 2, 2, 2), 50: DEPTHS[50], 101: DEPTHS[101]}.items()}
LAST = {stage.name: f"{stage.name}.{depth - 1}" for stage, depth in zip(STAGES, DEPTHS[50], strict=True)}
TABLE_1 = (
    *OUTPUTS, *sizes("Table 1, output", {"pool1": "56x56"}),
    *(claim for stage in STAGES for claim in sizes("Table 1, widths at the output size", {
        f"{LAST[stage.name]}.branch.conv1": f"{2 * stage.width}x{stage.output}",
        f"{LAST[stage.name]}.branch.sk": f"{2 * stage.width}x{stage.output}",
        f"{LAST[stage.name]}.branch.conv3": f"{4 * stage.width}x{stage.output}"})))
THIN = ("48.74 million with Eq. (4)'s d; the release has d = 16 in conv4_x's units, which leaves "
        "48.69. Only with the running statistics of batch norm, which are not trained, does it "
        "come to 48.9.")
COUNTS_MORE = ("Convolutions and full layers take 8.449G. The column counts more than they do: it "
               "has 7.99 for ResNeXt-101, which takes 7.97.")
CLAIMS = {
    "sknet50": (*TABLE_1, Claim("params", "27.5M", "Table 1, #P"), Claim("macs", "4.47G", ("Table "
                                                                                           "1, "
                                                                                           "GFLOPs"))),
    "sknet101": (Claim("params", "48.9M", "Table 2, #P", erratum=THIN),
                 Claim("macs", "8.46G", "Table 2, GFLOPs", erratum=COUNTS_MORE)),
}
