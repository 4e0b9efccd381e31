"""Rethinking the Inception Architecture for Computer Vision (Szegedy, Vanhoucke, Ioffe, Shlens,
Wojna; CVPR 2016).

Table 1, whose sizes are those of the inputs; after it the layers here, under the names of the
authors' release.

    conv 3x3/2             299x299x3    conv_1a
    conv 3x3/1             149x149x32   conv_2a
    conv padded 3x3/1      147x147x32   conv_2b
    pool 3x3/2             147x147x64   pool_3a
    conv 3x3/1             73x73x64     conv_3b, a 1x1
    conv 3x3/2             71x71x80     conv_4a, stride 1, and pool_5a
    conv 3x3/1             35x35x192    not there
    3x Inception, Fig. 5   35x35x288    mixed_5b, 5c, 5d, then mixed_6a to 17x17
    5x Inception, Fig. 6   17x17x768    mixed_6b, 6c, 6d, 6e, then mixed_7a to 8x8
    2x Inception, Fig. 7   8x8x1280     mixed_7b, 7c
    pool 8x8, linear, softmax           8x8x2048, 1x1x2048, 1x1x1000
"""
import torch.nn as nn
from torch import Tensor

from convatlas.layers import AuxiliaryHead, FilterConcat, Network, seq, truncated_normal
from convatlas.layers import inception_conv as conv
from convatlas.paper import Paper

PAPER = Paper(
    title="Rethinking the Inception Architecture for Computer Vision",
    authors="Szegedy, Vanhoucke, Ioffe, Shlens, Wojna",
    year=2016, venue="CVPR", arxiv="1512.00567v3",
    code="github.com/tensorflow/models research/slim/nets/inception_v3.py",
    silent="The widths inside the modules are in a file beside the paper (model.txt, Sec. 6): here "
           "those of the release. As in torchvision, which every PyTorch weight follows: pools "
           "inside the modules count their padding, batch norms scale and have momentum 0.1, and "
           "first weights are truncated normal with standard deviation 0.1. The release does none "
           "of these: inception_v3_released. As in both: batch norm's epsilon is 0.001, the "
           "auxiliary head's last two layers begin with deviations 0.01 and 0.001, its loss weighs "
           "0.4, dropout is 0.2. The head's 5x5 windows need maps of 17x17; smaller maps are "
           "brought to size.",
    departs="The order of layers and their widths are the authors' release's, which is what "
            "Inception-v3 means; Table 1 cannot be built as printed, for an unpadded 3x3 does not "
            "leave 35x35 at 35x35. The release has another stem, 3 + 4 + 2 modules and two more "
            "that halve the map, and a 5x5 where Figure 5 has two 3x3.",
    page="inception_v3")


def pool_branch(c: int, proj: int) -> nn.Sequential:
    return seq(pool=nn.AvgPool2d(3, stride=1, padding=1), conv1=conv(c, proj, 1))


def inception_a(c: int, proj: int) -> FilterConcat:
    """Figure 5, at 35x35.  (N, c, H, W) -> (N, 224 + proj, H, W)"""
    return FilterConcat(**{
        "1x1": seq(conv1=conv(c, 64, 1)),
        "5x5": seq(conv1=conv(c, 48, 1), conv2=conv(48, 64, 5, padding=2)),
        "double_3x3": seq(
            conv1=conv(c, 64, 1),
            conv2=conv(64, 96, 3, padding=1),
            conv3=conv(96, 96, 3, padding=1)),
        "pool": pool_branch(c, proj)})


def reduction_a(c: int) -> FilterConcat:
    """Figure 10, the first time.  (N, c, 35, 35) -> (N, c + 480, 17, 17)"""
    return FilterConcat(**{
        "3x3": seq(conv1=conv(c, 384, 3, stride=2)),
        "double_3x3": seq(
            conv1=conv(c, 64, 1),
            conv2=conv(64, 96, 3, padding=1),
            conv3=conv(96, 96, 3, stride=2)),
        "pool": nn.MaxPool2d(3, stride=2)})


def inception_b(c: int, width: int) -> FilterConcat:
    """Figure 6, at 17x17, with n = 7.  (N, c, H, W) -> (N, 768, H, W)"""
    return FilterConcat(**{
        "1x1": seq(conv1=conv(c, 192, 1)),
        "7x7": seq(
            conv1=conv(c, width, 1),
            conv2=conv(width, width, (1, 7), padding=(0, 3)),
            conv3=conv(width, 192, (7, 1), padding=(3, 0))),
        "double_7x7": seq(
            conv1=conv(c, width, 1),
            conv2=conv(width, width, (7, 1), padding=(3, 0)),
            conv3=conv(width, width, (1, 7), padding=(0, 3)),
            conv4=conv(width, width, (7, 1), padding=(3, 0)),
            conv5=conv(width, 192, (1, 7), padding=(0, 3))),
        "pool": pool_branch(c, 192)})


def reduction_b(c: int) -> FilterConcat:
    """Figure 10, the second time.  (N, c, 17, 17) -> (N, c + 512, 8, 8)"""
    return FilterConcat(**{
        "3x3": seq(conv1=conv(c, 192, 1), conv2=conv(192, 320, 3, stride=2)),
        "7x7": seq(
            conv1=conv(c, 192, 1),
            conv2=conv(192, 192, (1, 7), padding=(0, 3)),
            conv3=conv(192, 192, (7, 1), padding=(3, 0)),
            conv4=conv(192, 192, 3, stride=2)),
        "pool": nn.MaxPool2d(3, stride=2)})


def split(c: int) -> FilterConcat:
    """The top of Figure 7's inner branches: a 1x3 and a 3x1 side by side."""
    return FilterConcat(**{
        "1x3": conv(c, 384, (1, 3), padding=(0, 1)),
        "3x1": conv(c, 384, (3, 1), padding=(1, 0))})


def inception_c(c: int) -> FilterConcat:
    """Figure 7, at 8x8.  (N, c, H, W) -> (N, 2048, H, W)"""
    return FilterConcat(**{
        "1x1": seq(conv1=conv(c, 320, 1)),
        "3x3": seq(stack=seq(conv1=conv(c, 384, 1)), split=split(384)),
        "double_3x3": seq(
            stack=seq(conv1=conv(c, 448, 1), conv2=conv(448, 384, 3, padding=1)),
            split=split(384)),
        "pool": pool_branch(c, 192)})


def auxiliary_deviation(head: nn.Module, layer: nn.Module) -> float | None:
    """Of the first weights of the auxiliary head's last two layers, where `layer` is one of them;
    the release and torchvision agree on it. A head of one's own has no such layers.
    """
    if not isinstance(head, AuxiliaryHead):
        return None
    if isinstance(layer, nn.Linear) and layer.in_features == head.fc.in_features:
        return 0.001
    return 0.01 if layer is head.convs.conv2.conv else None


class InceptionV3(Network):
    """(N, 3, 299, 299) -> (N, num_classes)"""
    side = 299
    smallest = 75
    stages = ("conv_2b", "conv_4a", "mixed_5d", "mixed_6e", "mixed_7c")
    auxiliary_paths = ("aux.fc",)

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv_1a = conv(in_channels, 32, 3, stride=2)
        self.conv_2a = conv(32, 32, 3)
        self.conv_2b = conv(32, 64, 3, padding=1)
        self.pool_3a = nn.MaxPool2d(3, stride=2)
        self.conv_3b = conv(64, 80, 1)
        self.conv_4a = conv(80, 192, 3)
        self.pool_5a = nn.MaxPool2d(3, stride=2)
        self.mixed_5b = inception_a(192, proj=32)
        self.mixed_5c = inception_a(256, proj=64)
        self.mixed_5d = inception_a(288, proj=64)
        self.mixed_6a = reduction_a(288)
        self.mixed_6b = inception_b(768, width=128)
        self.mixed_6c = inception_b(768, width=160)
        self.mixed_6d = inception_b(768, width=160)
        self.mixed_6e = inception_b(768, width=192)
        self.mixed_7a = reduction_b(768)
        self.mixed_7b = inception_c(1280)
        self.mixed_7c = inception_c(2048)
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(2048, num_classes)
        self.aux = AuxiliaryHead(768, num_classes)     # Figure 8
        self.apply(self.initialise)

    def initialise(self, layer: nn.Module) -> None:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            truncated_normal(layer.weight, auxiliary_deviation(self.aux, layer) or 0.1)
        if isinstance(layer, nn.Linear):
            nn.init.zeros_(layer.bias)

    def maps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What the heads read: the outputs of 6e and 7c."""
        x = self.conv_2a(self.conv_1a(x))               # (N, 32, 149, 149), (N, 32, 147, 147)
        x = self.pool_3a(self.conv_2b(x))               # (N, 64, 147, 147), (N, 64, 73, 73)
        x = self.conv_4a(self.conv_3b(x))               # (N, 80, 73, 73), (N, 192, 71, 71)
        x = self.mixed_5b(self.pool_5a(x))              # (N, 192, 35, 35), (N, 256, 35, 35)
        x = self.mixed_5d(self.mixed_5c(x))             # (N, 288, 35, 35)
        x = self.mixed_6b(self.mixed_6a(x))             # (N, 768, 17, 17)
        x = self.mixed_6d(self.mixed_6c(x))             # (N, 768, 17, 17)
        out_6e = self.mixed_6e(x)                       # (N, 768, 17, 17)
        x = self.mixed_7b(self.mixed_7a(out_6e))        # (N, 1280, 8, 8), (N, 2048, 8, 8)
        return out_6e, self.mixed_7c(x)                 # (N, 2048, 8, 8)

    def head(self, x: Tensor) -> Tensor:
        return self.fc(self.dropout(self.avg_pool(x)).flatten(1))  # (N, num_classes)

    def forward(self, x: Tensor) -> Tensor:  # (N, 3, 299, 299)
        return self.head(self.maps(x)[-1])

    def training_outputs(self, x: Tensor) -> list[tuple[Tensor, float]]:
        """All logits with the weights of their losses."""
        out_6e, out_7c = self.maps(x)
        return [(self.head(out_7c), 1.0), (self.aux(out_6e), 0.4)]


VARIANTS = {"inception_v3": InceptionV3}
