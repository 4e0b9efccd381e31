"""Very Deep Convolutional Networks for Large-Scale Image Recognition (Simonyan, Zisserman; ICLR
2015).

Table 1, read by columns: TABLE below. A 2x2 max pool, stride 2, follows every block, then FC-4096,
FC-4096, FC-1000. Table 2, parameters in millions:  A, A-LRN 133,  B 133,  C 134,  D 138,  E 144.
"""
from collections.abc import Callable
from functools import partial

import torch.nn as nn
from torch import Tensor

from convatlas.layers import LocalResponseNorm, Network, biased_conv, fully_connected, seq
from convatlas.paper import Paper

ICLR = Paper(
    title="Very Deep Convolutional Networks for Large-Scale Image Recognition",
    authors="Simonyan, Zisserman",
    year=2015, venue="ICLR", arxiv="1409.1556v6", code="robots.ox.ac.uk/~vgg/research/very_deep",
    silent="The constants of A-LRN's normalisation: AlexNet's, whose paper it cites. Of the two "
           "initialisations that the paper names, this is the second, Glorot and Bengio 2010, "
           "which it gives for training without weights from net A. The first, variance 10^-2, "
           "makes net A's first logits near 10^6 and its loss NaN at step 2.",
    page="vgg", bare="vgg16")
WITH_BN = Paper(
    title="VGG with batch normalisation (torchvision)", authors="torchvision contributors",
    year=2017, code="github.com/pytorch/vision",
    silent="There is no paper. The convolutions keep their biases, which batch norm makes idle, as "
           "in torchvision.",
    page="vgg_bn", bare="vgg16_bn")

TABLE = {  # for each block: a number is a 3x3 convolution of that width, "1x1" keeps the width
    "A":     ((64,), (128,), (256, 256), (512, 512), (512, 512)),
    "A-LRN": ((64, "LRN"), (128,), (256, 256), (512, 512), (512, 512)),
    "B":     ((64, 64), (128, 128), (256, 256), (512, 512), (512, 512)),
    "C":     ((64, 64), (128, 128), (256, 256, "1x1"), (512, 512, "1x1"), (512, 512, "1x1")),
    "D":     ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)),
    "E":     ((64, 64), (128, 128), (256, 256, 256, 256), (512, 512, 512, 512),
              (512, 512, 512, 512)),
}

Layer = Callable[[int, int, int], nn.Module]  # (c_in, c_out, k) -> convolution and ReLU


def conv(c_in: int, c_out: int, k: int) -> nn.Sequential:
    return seq(conv=nn.Conv2d(c_in, c_out, k, padding=k // 2), relu=nn.ReLU())


def add_blocks(net: Network, column: str, layer: Layer) -> int:
    """conv1, pool1, ... conv5, pool5 become modules of `net`; the channels that come out."""
    c = net.in_channels
    for i, printed in enumerate(TABLE[column], start=1):
        block: dict[str, nn.Module] = {}
        for j, entry in enumerate(printed, start=1):
            if entry == "LRN":
                block[f"lrn{j}"] = LocalResponseNorm()
            elif entry == "1x1":
                block[f"conv{i}_{j}"] = layer(c, c, 1)
            else:
                block[f"conv{i}_{j}"] = layer(c, entry, 3)
                c = entry
        net.add_module(f"conv{i}", seq(**block))
        net.add_module(f"pool{i}", nn.MaxPool2d(2, stride=2))
    return c


class VGG(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""
    side = 224
    smallest = 224
    largest = 255  # pool5 must come out as 7x7
    stages = ("conv1", "conv2", "conv3", "conv4", "conv5")
    classifier_path = "fc8"

    def __init__(self, column: str, layer: Layer = conv, num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(in_channels)
        c = add_blocks(self, column, layer)
        self.fc6 = fully_connected(c * 7 * 7, 4096)  # with dropout 0.5, Sec. 3.1
        self.fc7 = fully_connected(4096, 4096)
        self.fc8 = nn.Linear(4096, num_classes)
        self.apply(self.initialise)

    def initialise(self, layer: nn.Module) -> None:
        """Sec. 3.1, last lines: Glorot and Bengio 2010; biases 0."""
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:     # (N, 3, 224, 224)
        x = self.pool1(self.conv1(x))           # (N, 64, 224, 224), (N, 64, 112, 112)
        x = self.pool2(self.conv2(x))           # (N, 128, 112, 112), (N, 128, 56, 56)
        x = self.pool3(self.conv3(x))           # (N, 256, 56, 56), (N, 256, 28, 28)
        x = self.pool4(self.conv4(x))           # (N, 512, 28, 28), (N, 512, 14, 14)
        x = self.pool5(self.conv5(x))           # (N, 512, 14, 14), (N, 512, 7, 7)
        x = self.fc7(self.fc6(x.flatten(1)))    # (N, 25088), (N, 4096) twice
        return self.fc8(x)                      # (N, num_classes)


COLUMNS = {"vgg11": "A", "vgg11_lrn": "A-LRN", "vgg13": "B", "vgg16_c": "C", "vgg16": "D",
           "vgg19": "E"}
BN_COLUMNS = {f"{name}_bn": column for name, column in COLUMNS.items() if column != "A-LRN"}
VARIANTS = {
    **{name: partial(VGG, column) for name, column in COLUMNS.items()},
    **{name: partial(VGG, column, biased_conv) for name, column in BN_COLUMNS.items()},
}
PAPER = dict.fromkeys(COLUMNS, ICLR) | dict.fromkeys(BN_COLUMNS, WITH_BN)
