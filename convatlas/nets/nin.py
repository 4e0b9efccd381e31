"""Network In Network (Lin, Chen, Yan; ICLR 2014).

Figure 2: mlpconv layers with pooling between them, then global average pooling in place of full
layers. An mlpconv is a convolution and two 1x1 convolutions ("cccp"), a ReLU after each, the last
one included.

    authors' files   mlpconv1                mlpconv2              mlpconv3                 mlpconv4
    CIFAR-10         5x5: 192, 160, 96       5x5: 192, 192, 192    3x3: 192, 192, classes
    MNIST            5x5: 96, 64, 48         5x5: 128, 96, 48      5x5: 128, 96, classes
    ImageNet         11x11/4: 96, 96, 96     5x5: 256, 256, 256    3x3: 384, 384, 384       3x3: 1024, 1024, classes
"""
from functools import partial
from typing import NamedTuple

import torch.nn as nn

from convatlas.layers import Network, seq
from convatlas.paper import Claim, Paper, sizes, units

ICLR = Paper(
    title="Network In Network", authors="Lin, Chen, Yan", year=2014, venue="ICLR", arxiv="1312.4400v3",
    code="github.com/mavenlin/cuda-convnet",
    silent="All widths, kernels, padding and initial weights: from the authors' files for CIFAR-10 "
           "and MNIST, where both pools are 3x3/2 max pools that round up (32, 16, 8), dropout "
           "follows each, and the last 1x1 has a ReLU too, so that scores are never negative.",
    page="nin", bare="nin_cifar10")
ZOO = Paper(
    title="Network in Network ImageNet Model (Caffe model zoo)", authors="Lin", year=2014, arxiv="1312.4400v3",
    code="gist.github.com/mavenlin/d802a5849de39225bcc6",
    silent="The gist rounds its pools up (54, 27, 13, 6), as Caffe does.",
    departs="Initial weights are N(0, 0.05) throughout; the gist has 0.01 in the first "
            "convolutions of mlpconv1 and mlpconv3 and in the last 1x1.",
    page="nin_imagenet")
TUTORIAL = Paper(
    title="Dive into Deep Learning, NiN", authors="Zhang, Lipton, Li, Smola", year=2019,
    code="github.com/d2l-ai/d2l-en",
    silent="There is no paper. Weights are Xavier-uniform, as in the book.",
    page="nin_tutorial")
PAPER = {"nin_cifar10": ICLR, "nin_mnist": ICLR, "nin_imagenet": ZOO, "nin_tutorial": TUTORIAL}


class MLPConv(NamedTuple):      # a cell of the table above
    k: int
    conv: int
    cccp1: int
    cccp2: int | None           # None: the classes
    stride: int = 1
    padding: int = 2
    dropout: bool = True        # on the pool that follows


CIFAR10 = (MLPConv(5, 192, 160, 96), MLPConv(5, 192, 192, 192), MLPConv(3, 192, 192, None, padding=1))
MNIST = (MLPConv(5, 96, 64, 48), MLPConv(5, 128, 96, 48), MLPConv(5, 128, 96, None))
IMAGENET = (MLPConv(11, 96, 96, 96, stride=4, padding=0, dropout=False),
            MLPConv(5, 256, 256, 256, dropout=False), MLPConv(3, 384, 384, 384, padding=1),
            MLPConv(3, 1024, 1024, None, padding=1))


def mlpconv(c_in: int, row: MLPConv, c_out: int) -> nn.Sequential:
    """(N, c_in, H, W) -> (N, c_out, H/stride, W/stride)"""
    return seq(conv=nn.Conv2d(c_in, row.conv, row.k, row.stride, row.padding), relu=nn.ReLU(),
               cccp1=nn.Conv2d(row.conv, row.cccp1, 1), relu1=nn.ReLU(),
               cccp2=nn.Conv2d(row.cccp1, c_out, 1), relu2=nn.ReLU())


class NiN(Network):
    def __init__(self, rows: tuple[MLPConv, ...], side: int, smallest: int, num_classes: int = 10,
                 in_channels: int = 3):
        super().__init__(in_channels)
        self.side, self.smallest = side, smallest
        self.stages = tuple(f"mlpconv{i}" for i in range(1, len(rows) + 1))
        self.classifier_path = f"{self.stages[-1]}.cccp2"
        c = in_channels
        for i, row in enumerate(rows, start=1):
            c_out = row.cccp2 or num_classes
            self.add_module(f"mlpconv{i}", mlpconv(c, row, c_out))
            if i < len(rows):
                dropout = {"dropout": nn.Dropout(0.5)} if row.dropout else {}
                self.add_module(f"pool{i}", seq(pool=nn.MaxPool2d(3, stride=2, ceil_mode=True), **dropout))
            c = c_out
        self.apply(self.initialise)

    def initialise(self, layer):
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, std=0.05)
            nn.init.zeros_(layer.bias)

    def forward(self, x):                               # (N, 3, 32, 32)
        *first, last = self.stages
        for stage in first:
            x = self.get_submodule(stage)(x)            # (N, 96, 32, 32), (N, 192, 16, 16)
            # (N, 96, 16, 16), (N, 192, 8, 8)
            x = self.get_submodule(stage.replace("mlpconv", "pool"))(x)
        return self.get_submodule(last)(x).mean((2, 3))  # (N, num_classes, 8, 8), (N, num_classes)


class NiNTutorial(Network):
    side, smallest = 224, 67
    stages = ("mlpconv1", "mlpconv2", "mlpconv3", "mlpconv4")
    classifier_path = "mlpconv4.cccp2"

    def __init__(self, num_classes: int = 10, in_channels: int = 1):
        super().__init__(in_channels)
        wide = MLPConv(3, num_classes, num_classes, None, padding=1)
        self.mlpconv1 = mlpconv(in_channels, IMAGENET[0], 96)
        self.mlpconv2 = mlpconv(96, IMAGENET[1], 256)
        self.mlpconv3 = mlpconv(256, IMAGENET[2], 384)
        self.mlpconv4 = mlpconv(384, wide, num_classes)
        self.pool1, self.pool2, self.pool3 = (nn.MaxPool2d(3, stride=2) for _ in range(3))
        self.dropout = nn.Dropout(0.5)
        self.apply(self.initialise)

    def initialise(self, layer):
        if isinstance(layer, nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)

    def forward(self, x):                               # (N, 1, 224, 224)
        x = self.pool1(self.mlpconv1(x))                # (N, 96, 54, 54), (N, 96, 26, 26)
        x = self.pool2(self.mlpconv2(x))                # (N, 256, 26, 26), (N, 256, 12, 12)
        x = self.pool3(self.mlpconv3(x))                # (N, 384, 12, 12), (N, 384, 5, 5)
        # (N, num_classes, 5, 5), (N, num_classes)
        return self.mlpconv4(self.dropout(x)).mean((2, 3))


VARIANTS = {
    "nin_cifar10": partial(NiN, CIFAR10, side=32, smallest=4),
    "nin_mnist": partial(NiN, MNIST, side=28, smallest=4, in_channels=1),
    "nin_imagenet": partial(NiN, IMAGENET, side=224, smallest=39, num_classes=1000),
    "nin_tutorial": NiNTutorial,
}
BOOK = "The book's printed outputs"
CLAIMS = {      # the paper itself prints no count and no size of its networks
    "nin_imagenet": (Claim("bytes", "29MB", "Caffe's Model Zoo: a small (29MB) model"),),
    "nin_tutorial": (
        *sizes(BOOK, {
            "mlpconv1": "96x54x54", "pool1": "96x26x26", "mlpconv2": "256x26x26", "pool2": "256x12x12",
            "mlpconv3": "384x12x12", "pool3": "384x5x5", "dropout": "384x5x5", "mlpconv4": "10x5x5"}),
        *units(BOOK, {"": "10"})),
}
