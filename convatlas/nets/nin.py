"""Network In Network (Lin, Chen, Yan; ICLR 2014).

Figure 2: mlpconv layers with pooling between them, then global average pooling in place of fully
connected layers. An mlpconv is a convolution and two 1x1 convolutions ("cccp"), a ReLU after each,
the last one included.

    Authors' files   CIFAR-10                 MNIST                   ImageNet
    mlpconv1         5x5: 192, 160, 96        5x5: 96, 64, 48         11x11/4: 96, 96, 96
    mlpconv2         5x5: 192, 192, 192       5x5: 128, 96, 48        5x5: 256, 256, 256
    mlpconv3         3x3: 192, 192, classes   5x5: 128, 96, classes   3x3: 384, 384, 384
    mlpconv4                                                          3x3: 1024, 1024, classes
"""
from functools import partial
from typing import NamedTuple

import torch.nn as nn
from torch import Tensor

from convatlas.layers import Network, seq
from convatlas.paper import Paper

ICLR = Paper(
    title="Network In Network", authors="Lin, Chen, Yan",
    year=2014, venue="ICLR", arxiv="1312.4400v3", code="github.com/mavenlin/cuda-convnet",
    silent="All widths, kernels, padding and initial weights: from the authors' files for CIFAR-10 "
           "and MNIST, where both pools are 3x3/2 max pools that round up (32, 16, 8), dropout "
           "follows each, and the last 1x1 has a ReLU too, so that scores are never negative.",
    page="nin", bare="nin_cifar10")
ZOO = Paper(
    title="Network in Network ImageNet Model (Caffe model zoo)", authors="Lin",
    year=2014, arxiv="1312.4400v3", code="gist.github.com/mavenlin/d802a5849de39225bcc6",
    silent="The gist rounds its pools up (54, 27, 13, 6), as Caffe does.",
    departs="Initial weights are N(0, 0.05) throughout; the gist has 0.01 in the first "
            "convolutions of mlpconv1 and mlpconv3 and in the last 1x1.",
    page="nin_imagenet")
PAPER = {"nin_cifar10": ICLR, "nin_mnist": ICLR, "nin_imagenet": ZOO}


class MLPConv(NamedTuple):      # a cell of the table above
    k: int
    conv: int
    cccp1: int
    cccp2: int | None           # None: the classes
    stride: int = 1
    padding: int = 0
    dropout: bool = True        # on the pool that follows


CIFAR10 = (
    MLPConv(5, 192, 160, 96, padding=2),
    MLPConv(5, 192, 192, 192, padding=2),
    MLPConv(3, 192, 192, None, padding=1))
MNIST = (
    MLPConv(5, 96, 64, 48, padding=2),
    MLPConv(5, 128, 96, 48, padding=2),
    MLPConv(5, 128, 96, None, padding=2))
IMAGENET = (
    MLPConv(11, 96, 96, 96, stride=4, dropout=False),
    MLPConv(5, 256, 256, 256, padding=2, dropout=False),
    MLPConv(3, 384, 384, 384, padding=1),
    MLPConv(3, 1024, 1024, None, padding=1))


def mlpconv(c_in: int, row: MLPConv, c_out: int) -> nn.Sequential:
    """(N, c_in, H, W) -> (N, c_out, H/stride, W/stride)"""
    return seq(conv=nn.Conv2d(c_in, row.conv, row.k, row.stride, row.padding), relu=nn.ReLU(),
               cccp1=nn.Conv2d(row.conv, row.cccp1, 1), relu1=nn.ReLU(),
               cccp2=nn.Conv2d(row.cccp1, c_out, 1), relu2=nn.ReLU())


class NiN(Network):
    """(N, 3, 32, 32) -> (N, num_classes)"""

    def __init__(self, rows: tuple[MLPConv, ...], side: int, smallest: int, num_classes: int = 10,
                 in_channels: int = 3):
        super().__init__(in_channels)
        self.side = side
        self.smallest = smallest
        self.stages = tuple(f"mlpconv{i}" for i in range(1, len(rows) + 1))
        self.classifier_path = f"{self.stages[-1]}.cccp2"
        c = in_channels
        for i, row in enumerate(rows, start=1):
            c_out = row.cccp2 or num_classes
            self.add_module(f"mlpconv{i}", mlpconv(c, row, c_out))
            if i < len(rows):
                dropout = {"dropout": nn.Dropout(0.5)} if row.dropout else {}
                pool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
                self.add_module(f"pool{i}", seq(pool=pool, **dropout))
            c = c_out
        self.apply(self.initialise)

    def initialise(self, layer: nn.Module) -> None:
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, std=0.05)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:             # nin_cifar10: (N, 3, 32, 32)
        for i in range(1, len(self.stages)):
            x = self.get_submodule(f"mlpconv{i}")(x)    # (N, 96, 32, 32), (N, 192, 16, 16)
            x = self.get_submodule(f"pool{i}")(x)       # (N, 96, 16, 16), (N, 192, 8, 8)
        x = self.get_submodule(self.stages[-1])(x)      # (N, num_classes, 8, 8)
        return x.mean((2, 3))                           # (N, num_classes)


VARIANTS = {
    "nin_cifar10": partial(NiN, CIFAR10, side=32, smallest=4),
    "nin_mnist": partial(NiN, MNIST, side=28, smallest=4, in_channels=1),
    "nin_imagenet": partial(NiN, IMAGENET, side=224, smallest=39, num_classes=1000),
}
