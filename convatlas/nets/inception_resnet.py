"""Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning (Szegedy,
Ioffe, Vanhoucke, Alemi; AAAI 2017): the Inception-ResNets.

    Figure 15             v1                           v2
    stem                  35x35x256     Figure 14      35x35x384     Figure 3
    5 x  block A                        Figure 10                    Figure 16
    reduction A           17x17x896     Figure 7       17x17x1152    Figure 7
    10 x block B                        Figure 11                    Figure 17
    reduction B           8x8x1792      Figure 12      8x8x2144      Figure 18
    5 x  block C                        Figure 13                    Figure 19
    then average pooling, dropout (keep 0.8), softmax 1000

The authors' release of "Inception-ResNet-v2" is another network: other stem, 10, 20 and 10 blocks,
one more layer before the pool. It stands at the end, as its ports to PyTorch have it and as it is
in TF-slim to the last detail.
"""
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch.nn as nn
from torch import Tensor

from convatlas.layers import AuxiliaryHead, FilterConcat, Network, he_init, seq, without_scales
from convatlas.nets.inception_v4 import avg_pool, conv, max_pool, reduction_a, stem
from convatlas.paper import Paper

AS_PRINTED = Paper(
    title="Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
    authors="Szegedy, Ioffe, Vanhoucke, Alemi",
    year=2017, venue="AAAI", arxiv="1602.07261v2",
    silent="The scale of the branches is between 0.1 and 0.3: here 0.17, 0.10 and 0.20 for A, B "
           "and C, the release's. Batch norm's epsilon is 0.001, the release's; it scales and has "
           "momentum 0.1, as in the ports to PyTorch. The 1x1 that the figures call linear has a "
           "bias and no batch norm, as in the release, whose order of branches is kept too. "
           "Figures 17 and 19 print 1154 and 2048 channels where the sum needs the 1152 and 2144 "
           "that Figures 7 and 18 give out. Initial weights: He's.",
    page="inception_v4", bare="inception_resnet_v2")
RELEASE = Paper(
    title="Inception-ResNet-v2 (TF-slim)", authors="Alemi",
    year=2016, arxiv="1602.07261v2",
    code="github.com/tensorflow/models research/slim/nets/inception_resnet_v2.py",
    silent="The paper does not describe it. Against the paper's: Inception-v3's stem and a module "
           "after it, Mixed_5b; 10, 20 and 10 units on 320, 1088 and 2080 channels, the last "
           "without scale and ReLU; a 1x1 to 1536 before the pool. As in the ports to PyTorch, "
           "batch norms scale, there is no auxiliary head, and initial weights are He's. As the "
           "release has it to the last detail it is inception_resnet_v2_slim.",
    page="inception_resnet_v2_released")
SLIM = Paper(
    title="Inception-ResNet-v2 (TF-slim), as it is there", authors="Alemi",
    year=2016, arxiv="1602.07261v2",
    code="github.com/tensorflow/models research/slim/nets/inception_resnet_v2.py",
    silent="The paper does not describe it. Against inception_resnet_v2_released: an auxiliary "
           "head, Inception-v3's, reads the last of the 20 units, and its loss weighs 0.4; batch "
           "norms shift without a scale, with decay 0.9997; initial weights are Glorot's, uniform. "
           "The head's windows need maps of 17x17; smaller maps are brought to size.",
    departs="Published weights tell 1001 classes apart, the first of which is the background.",
    page="inception_resnet_v2_slim")
PAPER = {"inception_resnet_v1": AS_PRINTED, "inception_resnet_v2": AS_PRINTED,
         "inception_resnet_v2_released": RELEASE, "inception_resnet_v2_slim": SLIM}


class Residual(nn.Module):
    """Figure 20: relu(x + scale * linear(branches(x))).  (N, c, H, W) -> the same

    `width` is what the branches give out together.
    """

    def __init__(self, c: int, scale: float, branches: FilterConcat, width: int):
        super().__init__()
        self.scale = scale
        self.branches = branches
        self.linear = nn.Conv2d(width, c, 1)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(x + self.scale * self.linear(self.branches(x)))


class LastResidual(nn.Module):
    """The release's last block: neither scaled nor cut by a ReLU.  (N, c, H, W) -> the same"""

    def __init__(self, c: int, branches: FilterConcat, width: int):
        super().__init__()
        self.branches = branches
        self.linear = nn.Conv2d(width, c, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.linear(self.branches(x))


def stem_v1(in_channels: int) -> nn.Sequential:
    """Figure 14.  (N, in_channels, 299, 299) -> (N, 256, 35, 35)"""
    return seq(
        convs=seq(
            conv1=conv(in_channels, 32, 3, stride=2),       # (N, 32, 149, 149)
            conv2=conv(32, 32, 3),                          # (N, 32, 147, 147)
            conv3=conv(32, 64, 3, padding=1)),              # (N, 64, 147, 147)
        pool=max_pool(),                                    # (N, 64, 73, 73)
        more=seq(
            conv1=conv(64, 80, 1),                          # (N, 80, 73, 73)
            conv2=conv(80, 192, 3),                         # (N, 192, 71, 71)
            conv3=conv(192, 256, 3, stride=2)))             # (N, 256, 35, 35)


def block_a_v1(c: int) -> Residual:
    """Figure 10, at 35x35."""
    return Residual(c, scale=0.17, width=96, branches=FilterConcat(
        branch1=seq(conv1=conv(c, 32, 1)),
        branch2=seq(conv1=conv(c, 32, 1), conv2=conv(32, 32, 3, padding=1)),
        branch3=seq(
            conv1=conv(c, 32, 1),
            conv2=conv(32, 32, 3, padding=1),
            conv3=conv(32, 32, 3, padding=1))))


def block_b_v1(c: int) -> Residual:
    """Figure 11, at 17x17."""
    return Residual(c, scale=0.10, width=256, branches=FilterConcat(
        branch1=seq(conv1=conv(c, 128, 1)),
        branch2=seq(
            conv1=conv(c, 128, 1),
            conv2=conv(128, 128, (1, 7), padding=(0, 3)),
            conv3=conv(128, 128, (7, 1), padding=(3, 0)))))


def reduction_b_v1(c: int) -> FilterConcat:
    """Figure 12.  (N, c, 17, 17) -> (N, c + 896, 8, 8)"""
    return FilterConcat(
        branch1=seq(conv1=conv(c, 256, 1), conv2=conv(256, 384, 3, stride=2)),
        branch2=seq(conv1=conv(c, 256, 1), conv2=conv(256, 256, 3, stride=2)),
        branch3=seq(
            conv1=conv(c, 256, 1),
            conv2=conv(256, 256, 3, padding=1),
            conv3=conv(256, 256, 3, stride=2)),
        branch4=max_pool())


def block_c_v1(c: int) -> Residual:
    """Figure 13, at 8x8."""
    return Residual(c, scale=0.20, width=384, branches=FilterConcat(
        branch1=seq(conv1=conv(c, 192, 1)),
        branch2=seq(
            conv1=conv(c, 192, 1),
            conv2=conv(192, 192, (1, 3), padding=(0, 1)),
            conv3=conv(192, 192, (3, 1), padding=(1, 0)))))


def block_a_v2(c: int) -> Residual:
    """Figure 16, at 35x35."""
    return Residual(c, scale=0.17, width=128, branches=FilterConcat(
        branch1=seq(conv1=conv(c, 32, 1)),
        branch2=seq(conv1=conv(c, 32, 1), conv2=conv(32, 32, 3, padding=1)),
        branch3=seq(
            conv1=conv(c, 32, 1),
            conv2=conv(32, 48, 3, padding=1),
            conv3=conv(48, 64, 3, padding=1))))


def block_b_v2(c: int) -> Residual:
    """Figure 17, at 17x17."""
    return Residual(c, scale=0.10, width=384, branches=FilterConcat(
        branch1=seq(conv1=conv(c, 192, 1)),
        branch2=seq(
            conv1=conv(c, 128, 1),
            conv2=conv(128, 160, (1, 7), padding=(0, 3)),
            conv3=conv(160, 192, (7, 1), padding=(3, 0)))))


def reduction_b_v2(c: int) -> FilterConcat:
    """Figure 18.  (N, c, 17, 17) -> (N, c + 992, 8, 8)"""
    return FilterConcat(
        branch1=seq(conv1=conv(c, 256, 1), conv2=conv(256, 384, 3, stride=2)),
        branch2=seq(conv1=conv(c, 256, 1), conv2=conv(256, 288, 3, stride=2)),
        branch3=seq(
            conv1=conv(c, 256, 1),
            conv2=conv(256, 288, 3, padding=1),
            conv3=conv(288, 320, 3, stride=2)),
        branch4=max_pool())


def branches_c_v2(c: int) -> FilterConcat:
    """Inside Figure 19.  (N, c, H, W) -> (N, 448, H, W)"""
    return FilterConcat(
        branch1=seq(conv1=conv(c, 192, 1)),
        branch2=seq(
            conv1=conv(c, 192, 1),
            conv2=conv(192, 224, (1, 3), padding=(0, 1)),
            conv3=conv(224, 256, (3, 1), padding=(1, 0))))


def block_c_v2(c: int) -> Residual:
    """Figure 19, at 8x8."""
    return Residual(c, scale=0.20, width=448, branches=branches_c_v2(c))


def repeat(block: Callable[[int], nn.Module], n: int, c: int) -> nn.Sequential:
    return nn.Sequential(*(block(c) for _ in range(n)))


class Plan(NamedTuple):             # what fills Figure 15; each is made for the channels it reads
    stem: Callable[[int], nn.Module]
    block_a: Callable[[int], nn.Module]
    reduction_a: Callable[[int], nn.Module]
    block_b: Callable[[int], nn.Module]
    reduction_b: Callable[[int], nn.Module]
    block_c: Callable[[int], nn.Module]
    channels: tuple[int, int, int]  # at 35x35, 17x17 and 8x8


V1 = Plan(
    stem_v1, block_a_v1, partial(reduction_a, k=192, l=192, m=256, n=384),  # Table 1
    block_b_v1, reduction_b_v1, block_c_v1, channels=(256, 896, 1792))
V2 = Plan(
    stem, block_a_v2, partial(reduction_a, k=256, l=256, m=384, n=384),
    block_b_v2, reduction_b_v2, block_c_v2, channels=(384, 1152, 2144))


class InceptionResNet(Network):
    """Figure 15.  (N, 3, 299, 299) -> (N, num_classes)"""
    side = 299
    smallest = 75
    stages = ("stem", "inception_resnet_a", "reduction_a", "inception_resnet_b", "reduction_b",
              "inception_resnet_c")
    initialise = staticmethod(he_init)

    def __init__(self, plan: Plan, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        c35, c17, c8 = plan.channels
        self.stem = plan.stem(in_channels)
        self.inception_resnet_a = repeat(plan.block_a, 5, c35)
        self.reduction_a = plan.reduction_a(c35)
        self.inception_resnet_b = repeat(plan.block_b, 10, c17)
        self.reduction_b = plan.reduction_b(c17)
        self.inception_resnet_c = repeat(plan.block_c, 5, c8)
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.2)  # keep 0.8
        self.fc = nn.Linear(c8, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:                 # (N, 3, 299, 299)
        x = self.inception_resnet_a(self.stem(x))           # (N, c35, 35, 35)
        x = self.inception_resnet_b(self.reduction_a(x))    # (N, c17, 17, 17)
        x = self.inception_resnet_c(self.reduction_b(x))    # (N, c8, 8, 8)
        x = self.dropout(self.avg_pool(x)).flatten(1)       # (N, c8)
        return self.fc(x)                                   # (N, num_classes)


class InceptionResNetV2Released(Network):
    """Under the release's names, in lower case.  (N, 3, 299, 299) -> (N, num_classes)"""
    side = 299
    smallest = 75
    stages = ("conv_2b", "conv_4a", "repeat", "repeat_1", "conv_7b")
    initialise = staticmethod(he_init)

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv_2b = seq(
            conv1=conv(in_channels, 32, 3, stride=2),
            conv2=conv(32, 32, 3),
            conv3=conv(32, 64, 3, padding=1))
        self.pool_3a = max_pool()
        self.conv_4a = seq(conv1=conv(64, 80, 1), conv2=conv(80, 192, 3))
        self.pool_5a = max_pool()
        self.mixed_5b = FilterConcat(
            branch1=seq(conv1=conv(192, 96, 1)),
            branch2=seq(conv1=conv(192, 48, 1), conv2=conv(48, 64, 5, padding=2)),
            branch3=seq(
                conv1=conv(192, 64, 1),
                conv2=conv(64, 96, 3, padding=1),
                conv3=conv(96, 96, 3, padding=1)),
            branch4=avg_pool(192, 64))
        self.repeat = repeat(block_a_v2, 10, 320)
        self.mixed_6a = reduction_a(320, k=256, l=256, m=384, n=384)
        self.repeat_1 = repeat(block_b_v2, 20, 1088)
        self.mixed_7a = reduction_b_v2(1088)
        self.repeat_2 = repeat(block_c_v2, 9, 2080)
        self.block8 = LastResidual(2080, branches_c_v2(2080), width=448)
        self.conv_7b = seq(conv1=conv(2080, 1536, 1))
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(1536, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:             # (N, 3, 299, 299)
        x = self.pool_3a(self.conv_2b(x))               # (N, 64, 147, 147), (N, 64, 73, 73)
        x = self.pool_5a(self.conv_4a(x))               # (N, 192, 71, 71), (N, 192, 35, 35)
        x = self.repeat(self.mixed_5b(x))               # (N, 320, 35, 35)
        x = self.repeat_1(self.mixed_6a(x))             # (N, 1088, 17, 17)
        x = self.repeat_2(self.mixed_7a(x))             # (N, 2080, 8, 8)
        x = self.conv_7b(self.block8(x))                # (N, 1536, 8, 8)
        x = self.dropout(self.avg_pool(x)).flatten(1)   # (N, 1536)
        return self.fc(x)                               # (N, num_classes)


class InceptionResNetV2Slim(InceptionResNetV2Released):
    """(N, 3, 299, 299) -> (N, num_classes)"""

    auxiliary_paths = ("aux.fc",)

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(num_classes, in_channels)
        self.aux = AuxiliaryHead(1088, num_classes)
        self.aux.apply(self.initialise)
        without_scales(self, momentum=0.0003)

    def initialise(self, layer: nn.Module) -> None:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def training_outputs(self, x: Tensor) -> list[tuple[Tensor, float]]:
        """All logits with the weights of their losses."""
        x = self.pool_5a(self.conv_4a(self.pool_3a(self.conv_2b(x))))   # (N, 192, 35, 35)
        x = self.repeat(self.mixed_5b(x))                               # (N, 320, 35, 35)
        out_b = self.repeat_1(self.mixed_6a(x))                         # (N, 1088, 17, 17)
        x = self.repeat_2(self.mixed_7a(out_b))                         # (N, 2080, 8, 8)
        x = self.avg_pool(self.conv_7b(self.block8(x))).flatten(1)      # (N, 1536)
        return [(self.fc(self.dropout(x)), 1.0), (self.aux(out_b), 0.4)]


VARIANTS = {
    "inception_resnet_v1": partial(InceptionResNet, V1),
    "inception_resnet_v2": partial(InceptionResNet, V2),
    "inception_resnet_v2_released": InceptionResNetV2Released,
    "inception_resnet_v2_slim": InceptionResNetV2Slim,
}
