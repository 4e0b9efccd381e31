"""Very Deep Convolutional Networks for Large-Scale Image Recognition (Simonyan, Zisserman; ICLR
2015).

Table 1, read by columns: TABLE below. A 2x2 max pool, stride 2, follows every block, then FC-4096,
FC-4096, FC-1000. Table 2, parameters in millions:  A, A-LRN 133,  B 133,  C 134,  D 138,  E 144.
"""
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch.nn as nn

from convatlas.layers import LocalResponseNorm, Network, fully_connected, seq
from convatlas.paper import Claim, Paper, counts, sizes, torchvision, units

ICLR = Paper(
    title="Very Deep Convolutional Networks for Large-Scale Image Recognition", authors="Simonyan, "
                                                                                        "Zisserman",
    year=2015, venue="ICLR", arxiv="1409.1556v6", code="robots.ox.ac.uk/~vgg/research/very_deep",
    silent="The constants of A-LRN's normalisation: AlexNet's, whose paper it cites. Of the two "
           "initialisations that the paper names, this is the second, Glorot and Bengio 2010, "
           "which it gives for training without weights from net A. The first, variance 10^-2, "
           "makes net A's first logits near 10^6 and its loss NaN at step 2.",
    page="vgg", bare="vgg16")
WITH_BN = Paper(
    title="VGG with batch normalisation (torchvision)", authors="torchvision "
                                                                "contributors", year=2017,
    code="github.com/pytorch/vision",
    silent="There is no paper. The convolutions keep their biases, which batch norm makes idle, as "
           "in torchvision.",
    page="vgg_bn", bare="vgg16_bn")


class Column(NamedTuple):   # a column of Table 1, block by block
    weight_layers: str      # the heading
    params: str             # Table 2, in millions
    conv1: tuple[str, ...]
    conv2: tuple[str, ...]
    conv3: tuple[str, ...]
    conv4: tuple[str, ...]
    conv5: tuple[str, ...]


c64, c128, c256, c512 = "conv3-64", "conv3-128", "conv3-256", "conv3-512"
TABLE = {
    "A": Column("11", "133M", (c64,), (c128,), (c256, c256), (c512, c512), (c512, c512)),
    "A-LRN": Column("11", "133M", (c64, "LRN"), (c128,), (c256, c256), (c512, c512), (c512, c512)),
    "B": Column("13", "133M", (c64, c64), (c128, c128), (c256, c256), (c512, c512), (c512, c512)),
    "C": Column("16", "134M", (c64, c64), (c128, c128), (c256, c256, "conv1-256"), (c512, c512, "conv1-512"),
                (c512, c512, "conv1-512")),
    "D": Column("16", "138M", (c64, c64), (c128, c128), (c256, c256, c256), (c512, c512, c512), (c512, c512, c512)),
    "E": Column("19", "144M", (c64, c64), (c128, c128), (c256,) * 4, (c512,) * 4, (c512,) * 4),
}
BLOCKS = Column._fields[2:]

Layer = Callable[[int, int, int], nn.Module]            # (c_in, c_out, k) -> convolution and ReLU


def conv(c_in: int, c_out: int, k: int) -> nn.Sequential:
    return seq(conv=nn.Conv2d(c_in, c_out, k, padding=k // 2), relu=nn.ReLU())


def conv_bn(c_in: int, c_out: int, k: int) -> nn.Sequential:
    return seq(conv=nn.Conv2d(c_in, c_out, k, padding=k // 2), bn=nn.BatchNorm2d(c_out), relu=nn.ReLU())


def block(name: str, printed: tuple[str, ...], layer: Layer, c: int) -> tuple[nn.Sequential, int]:
    """conv4: ("conv3-512", "conv3-512") -> the layers conv4_1 and conv4_2, and the channels that
    come out.
    """
    layers = {}
    for i, entry in enumerate(printed, start=1):
        if entry == "LRN":
            layers[f"lrn{i}"] = LocalResponseNorm()
        else:
            k, c_out = map(int, entry.removeprefix("conv").split("-"))
            layers[f"{name}_{i}"] = layer(c, c_out, k)
            c = c_out
    return seq(**layers), c


class VGG(Network):
    side, smallest, largest = 224, 224, 255             # pool5 must come out as 7x7
    stages, classifier_path = BLOCKS, "fc8"

    def __init__(self, column: str, layer: Layer = conv, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        c = in_channels
        for i, name in enumerate(BLOCKS, start=1):
            layers, c = block(name, getattr(TABLE[column], name), layer, c)
            self.add_module(name, layers)
            self.add_module(f"pool{i}", nn.MaxPool2d(2, stride=2))
        self.fc6, self.fc7 = fully_connected(c * 7 * 7, 4096), fully_connected(4096, 4096)
        self.fc8 = nn.Linear(4096, num_classes)
        self.apply(self.initialise)

    def initialise(self, layer):  # Sec. 3.1, last lines: Glorot and Bengio 2010; biases 0
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):                               # (N, 3, 224, 224)
        x = self.pool1(self.conv1(x))                   # (N, 64, 224, 224), (N, 64, 112, 112)
        x = self.pool2(self.conv2(x))                   # (N, 128, 112, 112), (N, 128, 56, 56)
        x = self.pool3(self.conv3(x))                   # (N, 256, 56, 56), (N, 256, 28, 28)
        x = self.pool4(self.conv4(x))                   # (N, 512, 28, 28), (N, 512, 14, 14)
        x = self.pool5(self.conv5(x))                   # (N, 512, 14, 14), (N, 512, 7, 7)
        return self.fc8(self.fc7(self.fc6(x.flatten(1))))       # (N, num_classes)


NAMES = {"vgg11": "A", "vgg11_lrn": "A-LRN", "vgg13": "B", "vgg16_c": "C", "vgg16": "D", "vgg19": "E"}
VARIANTS = {
    **{name: partial(VGG, column) for name, column in NAMES.items()},
    **{f"{name}_bn": partial(VGG, column, conv_bn) for name, column in NAMES.items() if column != "A-LRN"},
}
PAPER = {name: WITH_BN if name.endswith("_bn") else ICLR for name in VARIANTS}
TORCHVISION = {     # num_params, of the form with batch norm too, and GFLOPs of both
    "vgg11": ("132,863,336", "132,868,840", "7.609"), "vgg13": ("133,047,848", "133,053,736", "11.308"),
    "vgg16": ("138,357,544", "138,365,992", "15.47"), "vgg19": ("143,667,240", "143,678,248", "19.632"),
}
CONVOLUTIONS = ("The convolutions alone take 15,346,630,656; the three full layers, 123,633,664 "
                "more, are left out.")
TUTORIALS = "Tutorials' printed outputs for 1x224x224"
CLAIMS = {name: (Claim("params", TABLE[column].params, "Table 2"),
                 Claim("layers", TABLE[column].weight_layers, "Table 1, weight layers"))
          for name, column in NAMES.items()}
for name, (params, params_bn, gflops) in TORCHVISION.items():
    CLAIMS[name] += torchvision(f"{name.upper()}_Weights", params, gflops)
    CLAIMS[f"{name}_bn"] = torchvision(f"{name.upper()}_BN_Weights", params_bn, gflops)
CLAIMS["vgg16"] += (
    *counts("ResNet (arXiv:1512.03385v1), Sec. 4.1", "", "15.3 billion", errata=("", CONVOLUTIONS)),
    *counts("MobileNets (arXiv:1704.04861v1), Table 8", "138M", ("15300 million"), errata=("", CONVOLUTIONS)),
    *sizes(TUTORIALS, {"pool1": "64x112x112", "pool2": "128x56x56", "pool3": "256x28x28", "pool4": "512x14x14",
                       "pool5": "512x7x7"}, at="1x224x224"),
    *units(TUTORIALS, {"pool5": "25088", "fc6": "4096", "fc7": "4096", "fc8": "1000"}, at="1x224x224"))
CLAIMS["vgg19"] += counts("ResNet (arXiv:1512.03385v1), Sec. 4.1", "", "19.6 billion")
