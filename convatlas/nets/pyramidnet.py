"""Deep Pyramidal Residual Networks (Han, Kim, Kim; CVPR 2017): the networks for ImageNet.

Bottlenecks in the numbers of the pre-activation ResNet-200, N = 66 in all; the k-th of them has
64 + alpha k/N channels, rounded down, and four times as many in its last layer.

    layer    output     PyramidNet-200
    conv1    112x112    7x7, 64, stride 2; then BN, ReLU
    conv2    56x56      3x3 max pool, stride 2, then [1x1][3x3][1x1] x3
    conv3    28x28      [1x1][3x3][1x1] x24
    conv4    14x14      [1x1][3x3][1x1] x36
    conv5    7x7        [1x1][3x3][1x1] x3; then BN, ReLU

    alpha    params     channels after conv5
    300      62.1M      4 (64 + 300) = 1456
    450      116.4M     4 (64 + 450) = 2056, dropout 0.5
"""
from collections.abc import Callable
from functools import partial

import torch.nn as nn
from torch import Tensor

from convatlas.layers import Network, padded_pool, seq
from convatlas.nets.pyramidnet_cifar import Group, bottleneck, channels, conv, lua_init
from convatlas.paper import Paper

PAPER = Paper(
    title="Deep Pyramidal Residual Networks",
    authors="Han, Kim, Kim", year=2017, venue="CVPR", arxiv="1610.02915v4",
    code="github.com/jhkim89/PyramidNet",
    silent="Units in each group: those of the pre-activation ResNet-200, as in the authors' code, "
           "from which conv1 and the pool after it come too. Dropout of 0.5, for alpha 450 alone, "
           "stands before the fully connected layer, as there. All else is as in the networks for "
           "32x32 pixels: initial weights, shortcuts, and channels, where the authors' files, and "
           "so their weights, round to the nearest number. Batch norm has PyTorch's epsilon "
           "and momentum, 1e-5 and 0.1.",
    page="pyramidnet", bare="pyramidnet200_a300")


class PyramidNet(Network):
    """(N, 3, 224, 224) -> (N, num_classes); `before_fc` makes what the averages go through."""

    stages = ("conv1", "conv2", "conv3", "conv4", "conv5")
    cam_path = "activation"
    initialise = staticmethod(lua_init)

    def __init__(self, depths: tuple[int, int, int, int], alpha: int,
                 before_fc: Callable[[], nn.Module] = nn.Identity, num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = seq(conv=conv(in_channels, 64, 7, stride=2), bn=nn.BatchNorm2d(64),
                         relu=nn.ReLU())
        self.pool1 = padded_pool()
        widths = channels(64, alpha, sum(depths))
        c = 64
        for i, depth in enumerate(depths, start=2):
            group = Group(bottleneck, c, widths[:depth], stride=1 if i == 2 else 2)
            self.add_module(f"conv{i}", group)
            widths, c = widths[depth:], group.c_out
        self.activation = seq(bn=nn.BatchNorm2d(c), relu=nn.ReLU())
        self.before_fc = before_fc()
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:           # (N, 3, 224, 224)
        x = self.pool1(self.conv1(x))                 # (N, 64, 112, 112), (N, 64, 56, 56)
        x = self.conv2(x)                             # (N, 308 for alpha = 300, 56, 56)
        x = self.conv3(x)                             # (N, 744, 28, 28)
        x = self.conv4(x)                             # (N, 1400, 14, 14)
        x = self.conv5(x)                             # (N, 1456, 7, 7)
        x = self.activation(x)                        # (N, 1456, 7, 7)
        return self.fc(self.before_fc(x.mean((2, 3))))    # (N, num_classes)


DEPTHS = (3, 24, 36, 3)
VARIANTS = {
    "pyramidnet200_a300": partial(PyramidNet, DEPTHS, 300),
    "pyramidnet200_a450": partial(PyramidNet, DEPTHS, 450, partial(nn.Dropout, 0.5)),
}
