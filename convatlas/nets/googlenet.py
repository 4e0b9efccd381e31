"""Going Deeper with Convolutions (Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke,
Rabinovich; CVPR 2015).

TABLE below is Table 1 row for row. "#3x3 reduce" and "#5x5 reduce" stand for the 1x1 convolutions
before the 3x3 and the 5x5, "pool proj" for the one after a module's own max pool. Every convolution
is followed by a ReLU.
"""
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from convatlas.layers import FilterConcat, LocalResponseNorm, Network, seq
from convatlas.paper import Paper

PAPER = Paper(
    title="Going Deeper with Convolutions",
    authors="Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich",
    year=2015, venue="CVPR", arxiv="1409.4842v1",
    silent="The first convolution: Table 1 gives it 2.7K parameters and 34M operations, those of a "
           "depthwise 7x7 with 8 filters a channel and a 1x1 after it, and the Xception paper "
           "tells that the first Inception networks began so. googlenet has the full 7x7, as "
           "Caffe's bvlc_googlenet has, googlenet_separable the other, without a ReLU in between. "
           "Padding: 3, 1 and 2 for the 7x7, 3x3 and 5x5; pools are not padded and round up, as in "
           "Caffe's network, which gives the printed 56, 28, 14 and 7. Constants of the "
           "normalisation: AlexNet's. Initial weights: uniform by fan-in, biases 0.2 in "
           "convolutions, as in Caffe's network. The auxiliary heads' pool gives 4x4 only for "
           "images near 224; for others its output is brought to 4x4.",
    page="googlenet")


class Row(NamedTuple):      # the columns of Table 1
    part: str
    output: str
    depth: str
    n1x1: int = 0
    n3x3_reduce: int = 0
    n3x3: int = 0
    n5x5_reduce: int = 0
    n5x5: int = 0
    pool_proj: int = 0
    params: str = ""
    ops: str = ""


TABLE = (
    Row("conv1", "112x112x64", "1", params="2.7K", ops="34M"),                      # 7x7/2
    Row("pool1", "56x56x64", "0"),                                                  # 3x3/2
    Row("conv2", "56x56x192", "2", 0, 64, 192, params="112K", ops="360M"),          # 3x3/1
    Row("pool2", "28x28x192", "0"),                                                 # 3x3/2
    Row("inception_3a", "28x28x256", "2", 64, 96, 128, 16, 32, 32, "159K", "128M"),
    Row("inception_3b", "28x28x480", "2", 128, 128, 192, 32, 96, 64, "380K", "304M"),
    Row("pool3", "14x14x480", "0"),                                                 # 3x3/2
    Row("inception_4a", "14x14x512", "2", 192, 96, 208, 16, 48, 64, "364K", "73M"),
    Row("inception_4b", "14x14x512", "2", 160, 112, 224, 24, 64, 64, "437K", "88M"),
    Row("inception_4c", "14x14x512", "2", 128, 128, 256, 24, 64, 64, "463K", "100M"),
    Row("inception_4d", "14x14x528", "2", 112, 144, 288, 32, 64, 64, "580K", "119M"),
    Row("inception_4e", "14x14x832", "2", 256, 160, 320, 32, 128, 128, "840K", "170M"),
    Row("pool4", "7x7x832", "0"),                                                   # 3x3/2
    Row("inception_5a", "7x7x832", "2", 256, 160, 320, 32, 128, 128, "1072K", "54M"),
    Row("inception_5b", "7x7x1024", "2", 384, 192, 384, 48, 128, 128, "1388K", "71M"),
    Row("avg_pool", "1x1x1024", "0"),                                               # 7x7/1
    Row("dropout", "1x1x1024", "0"),                                                # 40%
    Row("fc", "1x1x1000", "1", params="1000K", ops="1M"),
)
MODULES = tuple(row for row in TABLE if row.part.startswith("inception"))


def conv(c_in: int, c_out: int, k: int, stride: int = 1) -> nn.Sequential:
    return seq(conv=nn.Conv2d(c_in, c_out, k, stride, padding=k // 2), relu=nn.ReLU())


def separable(c_in: int, c_out: int, k: int, stride: int) -> nn.Sequential:
    """8 filters of k x k on each channel by itself, then a 1x1."""
    depthwise = nn.Conv2d(c_in, 8 * c_in, k, stride, padding=k // 2, groups=c_in, bias=False)
    return seq(depthwise=depthwise, pointwise=nn.Conv2d(8 * c_in, c_out, 1), relu=nn.ReLU())


def inception(c: int, row: Row) -> FilterConcat:
    """Figure 2(b).  (N, c, H, W) -> (N, n1x1 + n3x3 + n5x5 + pool_proj, H, W)"""
    return FilterConcat(**{
        "1x1": conv(c, row.n1x1, 1),
        "3x3": seq(reduce=conv(c, row.n3x3_reduce, 1), conv=conv(row.n3x3_reduce, row.n3x3, 3)),
        "5x5": seq(reduce=conv(c, row.n5x5_reduce, 1), conv=conv(row.n5x5_reduce, row.n5x5, 5)),
        "pool": seq(pool=nn.MaxPool2d(3, stride=1, padding=1), proj=conv(c, row.pool_proj, 1))})


def pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)


class Auxiliary(nn.Module):
    """Sec. 5, "the exact structure of the extra network on the side".
    (N, c, 14, 14) -> (N, num_classes)
    """

    def __init__(self, c: int, num_classes: int):
        super().__init__()
        self.conv = conv(c, 128, 1)
        self.fc1 = seq(fc=nn.Linear(128 * 4 * 4, 1024), relu=nn.ReLU(), dropout=nn.Dropout(0.7))
        self.fc2 = nn.Linear(1024, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        if min(x.shape[2:]) >= 5:
            x = F.avg_pool2d(x, 5, stride=3)        # (N, c, 4, 4) of 14x14
        if x.shape[2:] != (4, 4):                   # images of another size than the paper's
            x = F.adaptive_avg_pool2d(x, 4)
        x = self.conv(x)                            # (N, 128, 4, 4)
        return self.fc2(self.fc1(x.flatten(1)))     # (N, 1024), (N, num_classes)


class GoogLeNet(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""
    side = 224
    smallest = 31
    stages = ("conv1", "conv2", "inception_3b", "inception_4e", "inception_5b")
    auxiliary_paths = ("aux_4a.fc2", "aux_4d.fc2")

    def __init__(self, first: Callable[..., nn.Module], num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = first(in_channels, 64, 7, stride=2)
        self.pool1 = pool()
        self.norm1 = LocalResponseNorm()
        self.conv2 = seq(reduce=conv(64, 64, 1), conv=conv(64, 192, 3))
        self.norm2 = LocalResponseNorm()
        self.pool2 = pool()
        self.pool3 = pool()
        self.pool4 = pool()
        c = 192
        for row in MODULES:
            self.add_module(row.part, inception(c, row))
            c = row.n1x1 + row.n3x3 + row.n5x5 + row.pool_proj
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.4)
        self.fc = nn.Linear(c, num_classes)
        self.aux_4a = Auxiliary(512, num_classes)
        self.aux_4d = Auxiliary(528, num_classes)
        self.apply(self.initialise)

    def initialise(self, layer: nn.Module) -> None:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="linear")  # what Caffe calls xavier
            if layer.bias is not None:
                nn.init.constant_(layer.bias, 0.2 if isinstance(layer, nn.Conv2d) else 0.0)

    def maps(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What the heads read: the outputs of 4a, 4d and 5b."""
        x = self.norm1(self.pool1(self.conv1(x)))               # (N, 64, 112, 112), (N, 64, 56, 56)
        x = self.pool2(self.norm2(self.conv2(x)))               # (N, 192, 56, 56), (N, 192, 28, 28)
        x = self.inception_3b(self.inception_3a(x))             # (N, 480, 28, 28)
        out_4a = self.inception_4a(self.pool3(x))               # (N, 512, 14, 14)
        x = self.inception_4c(self.inception_4b(out_4a))        # (N, 512, 14, 14)
        out_4d = self.inception_4d(x)                           # (N, 528, 14, 14)
        x = self.pool4(self.inception_4e(out_4d))               # (N, 832, 14, 14), (N, 832, 7, 7)
        out_5b = self.inception_5b(self.inception_5a(x))        # (N, 1024, 7, 7)
        return out_4a, out_4d, out_5b

    def head(self, x: Tensor) -> Tensor:
        return self.fc(self.dropout(self.avg_pool(x)).flatten(1))  # (N, num_classes)

    def forward(self, x: Tensor) -> Tensor:  # (N, 3, 224, 224)
        return self.head(self.maps(x)[-1])

    def training_outputs(self, x: Tensor) -> list[tuple[Tensor, float]]:
        """All logits with the weights of their losses, Sec. 5."""
        out_4a, out_4d, out_5b = self.maps(x)
        return [(self.head(out_5b), 1.0), (self.aux_4a(out_4a), 0.3), (self.aux_4d(out_4d), 0.3)]


VARIANTS = {
    "googlenet": partial(GoogLeNet, conv),
    "googlenet_separable": partial(GoogLeNet, separable),
}
