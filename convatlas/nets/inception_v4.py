"""Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning (Szegedy,
Ioffe, Vanhoucke, Alemi; AAAI 2017): Inception-v4. Its residual sisters are in
inception_resnet.py.

    Figure 9, upwards   stem               35x35x384
                        4 x Inception-A    35x35x384
                        Reduction-A        17x17x1024
                        7 x Inception-B    17x17x1024
                        Reduction-B        8x8x1536
                        3 x Inception-C    8x8x1536
                        average pooling, dropout (keep 0.8), softmax: 1536, 1536, 1000

What the paper marks "V", an unpadded convolution, has no padding below.
"""
import torch.nn as nn
from torch import Tensor

from convatlas.layers import FilterConcat, Network, he_init, seq
from convatlas.layers import inception_conv as conv
from convatlas.paper import Paper

PAPER = Paper(
    title="Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
    authors="Szegedy, Ioffe, Vanhoucke, Alemi",
    year=2017, venue="AAAI", arxiv="1602.07261v2",
    code="github.com/tensorflow/models research/slim/nets/inception_v4.py",
    silent="Figure 5 prints 1x7 twice in one branch; the second is a 7x1. The order of the "
           "branches and that of the one-sided kernels are the release's, so that its weights "
           "fit. Average pools do not count their padding and batch norm's epsilon is 0.001, both "
           "as in the release. Batch norms scale and have momentum 0.1, as in the ports to "
           "PyTorch, there is no auxiliary head, and initial weights are He's, in the fully "
           "connected layer PyTorch's: these are otherwise in the release, inception_v4_released.",
    page="inception_v4")


def max_pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2)  # "3x3 MaxPool (stride 2 V)"


def avg_pool(c: int, c_out: int) -> nn.Sequential:
    return seq(pool=nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False),
               convs=seq(conv1=conv(c, c_out, 1)))


def stem(in_channels: int) -> nn.Sequential:
    """Figure 3, of Inception-v4 and of Inception-ResNet-v2.
    (N, in_channels, 299, 299) -> (N, 384, 35, 35)
    """
    return seq(
        convs=seq(
            conv1=conv(in_channels, 32, 3, stride=2),       # (N, 32, 149, 149)
            conv2=conv(32, 32, 3),                          # (N, 32, 147, 147)
            conv3=conv(32, 64, 3, padding=1)),              # (N, 64, 147, 147)
        concat1=FilterConcat(                               # (N, 160, 73, 73)
            branch1=max_pool(),
            branch2=seq(conv1=conv(64, 96, 3, stride=2))),
        concat2=FilterConcat(                               # (N, 192, 71, 71)
            branch1=seq(conv1=conv(160, 64, 1), conv2=conv(64, 96, 3)),
            branch2=seq(
                conv1=conv(160, 64, 1),
                conv2=conv(64, 64, (1, 7), padding=(0, 3)),
                conv3=conv(64, 64, (7, 1), padding=(3, 0)),
                conv4=conv(64, 96, 3))),
        concat3=FilterConcat(                               # (N, 384, 35, 35)
            branch1=seq(conv1=conv(192, 192, 3, stride=2)),
            branch2=max_pool()))


def inception_a() -> FilterConcat:
    """Figure 4, at 35x35.  (N, 384, H, W) -> the same"""
    return FilterConcat(
        branch1=seq(conv1=conv(384, 96, 1)),
        branch2=seq(conv1=conv(384, 64, 1), conv2=conv(64, 96, 3, padding=1)),
        branch3=seq(
            conv1=conv(384, 64, 1),
            conv2=conv(64, 96, 3, padding=1),
            conv3=conv(96, 96, 3, padding=1)),
        branch4=avg_pool(384, 96))


def reduction_a(c: int, k: int, l: int, m: int, n: int) -> FilterConcat:        # noqa: E741
    """Figure 7, of all three networks; k, l, m and n are in Table 1.
    (N, c, 35, 35) -> (N, n + m + c, 17, 17)
    """
    return FilterConcat(
        branch1=seq(conv1=conv(c, n, 3, stride=2)),
        branch2=seq(
            conv1=conv(c, k, 1),
            conv2=conv(k, l, 3, padding=1),
            conv3=conv(l, m, 3, stride=2)),
        branch3=max_pool())


def inception_b() -> FilterConcat:
    """Figure 5, at 17x17.  (N, 1024, H, W) -> the same"""
    return FilterConcat(
        branch1=seq(conv1=conv(1024, 384, 1)),
        branch2=seq(
            conv1=conv(1024, 192, 1),
            conv2=conv(192, 224, (1, 7), padding=(0, 3)),
            conv3=conv(224, 256, (7, 1), padding=(3, 0))),
        branch3=seq(
            conv1=conv(1024, 192, 1),
            conv2=conv(192, 192, (7, 1), padding=(3, 0)),
            conv3=conv(192, 224, (1, 7), padding=(0, 3)),
            conv4=conv(224, 224, (7, 1), padding=(3, 0)),
            conv5=conv(224, 256, (1, 7), padding=(0, 3))),
        branch4=avg_pool(1024, 128))


def reduction_b() -> FilterConcat:
    """Figure 8.  (N, 1024, 17, 17) -> (N, 1536, 8, 8)"""
    return FilterConcat(
        branch1=seq(conv1=conv(1024, 192, 1), conv2=conv(192, 192, 3, stride=2)),
        branch2=seq(
            conv1=conv(1024, 256, 1),
            conv2=conv(256, 256, (1, 7), padding=(0, 3)),
            conv3=conv(256, 320, (7, 1), padding=(3, 0)),
            conv4=conv(320, 320, 3, stride=2)),
        branch3=max_pool())


def fork(c: int) -> FilterConcat:
    """The tops of Figure 6's inner branches."""
    return FilterConcat(
        branch1=seq(conv1=conv(c, 256, (1, 3), padding=(0, 1))),
        branch2=seq(conv1=conv(c, 256, (3, 1), padding=(1, 0))))


def inception_c() -> FilterConcat:
    """Figure 6, at 8x8.  (N, 1536, H, W) -> the same"""
    return FilterConcat(
        branch1=seq(conv1=conv(1536, 256, 1)),
        branch2=seq(convs=seq(conv1=conv(1536, 384, 1)), fork=fork(384)),
        branch3=seq(
            convs=seq(
                conv1=conv(1536, 384, 1),
                conv2=conv(384, 448, (3, 1), padding=(1, 0)),
                conv3=conv(448, 512, (1, 3), padding=(0, 1))),
            fork=fork(512)),
        branch4=avg_pool(1536, 256))


class InceptionV4(Network):
    """(N, 3, 299, 299) -> (N, num_classes)"""
    side = 299
    smallest = 75
    stages = ("stem", "inception_a", "reduction_a", "inception_b", "reduction_b", "inception_c")
    initialise = staticmethod(he_init)

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.stem = stem(in_channels)
        self.inception_a = nn.Sequential(*(inception_a() for _ in range(4)))
        self.reduction_a = reduction_a(384, k=192, l=224, m=256, n=384)  # Table 1
        self.inception_b = nn.Sequential(*(inception_b() for _ in range(7)))
        self.reduction_b = reduction_b()
        self.inception_c = nn.Sequential(*(inception_c() for _ in range(3)))
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.2)  # keep 0.8
        self.fc = nn.Linear(1536, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:             # (N, 3, 299, 299)
        x = self.inception_a(self.stem(x))              # (N, 384, 35, 35)
        x = self.inception_b(self.reduction_a(x))       # (N, 1024, 17, 17)
        x = self.inception_c(self.reduction_b(x))       # (N, 1536, 8, 8)
        x = self.dropout(self.avg_pool(x)).flatten(1)   # (N, 1536)
        return self.fc(x)                               # (N, num_classes)


VARIANTS = {"inception_v4": InceptionV4}
