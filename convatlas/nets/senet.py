"""Squeeze-and-Excitation Networks (Hu, Shen, Albanie, Sun, Wu; CVPR 2018, TPAMI 2020).

Table 1: a unit of ResNet or of ResNeXt (32x4d), then its gate; fc [a, b] are the widths of the
gate's two layers.

    output    fc             SE-ResNet-50                  SE-ResNeXt-50 (32x4d)
    112x112                  7x7, 64, stride 2
    56x56                    3x3 max pool, stride 2, then
              [16, 256]      [1,64][3,64][1,256] x3        [1,128][3,128, C=32][1,256] x3
    28x28     [32, 512]      [1,128][3,128][1,512] x4      [1,256][3,256, C=32][1,512] x4
    14x14     [64, 1024]     [1,256][3,256][1,1024] x6     [1,512][3,512, C=32][1,1024] x6
    7x7       [128, 2048]    [1,512][3,512][1,2048] x3     [1,1024][3,1024, C=32][1,2048] x3
    1x1                      global average pool, 1000-d fc, softmax

SENet-154 is described in the appendix. The networks of the ablation study, Sec. 6, are in
se_ablation.py.
"""
from functools import partial

import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Network, Residual, SqueezeExcite, deep_stem, he_init, seq
from convatlas.nets.resnet import DEPTHS, ResNet, Stage, Unit, projection
from convatlas.paper import Paper

SENET = Paper(
    title="Squeeze-and-Excitation Networks",
    authors="Hu, Shen, Albanie, Sun, Wu", year=2018, venue="CVPR", arxiv="1709.01507v4",
    code="github.com/hujie-frank/SENet",
    silent="Which layer of a bottleneck strides: the first 1x1, as in the release, which gives "
           "Table 2's 3.87 GFLOPs; the 3x3 version is se_resnet50_v15. In SE-ResNeXt the grouped "
           "3x3 strides, as in the release. Biases of a gate's two layers: Sec. 4 calls them "
           "negligible, Sec. 6 does without; the release has them, and so have these. The max pool "
           "has no padding and rounds its size up, as in the release. Tables 1 and 2 have no 18 "
           "and 34 layers: they follow ResNet's. Initial weights of fully connected layers: "
           "PyTorch's.",
    page="senet", bare="se_resnet50")
V15 = Paper(
    title="SE-ResNet (timm)",
    authors="Wightman", year=2019, code="github.com/huggingface/pytorch-image-models",
    silent="There is no paper; the gates are those of the authors' release.",
    page="se_resnet_v15", bare="se_resnet50_v15")


def se_basic(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    branch = seq(
        conv1=ConvBN(c_in, width, 3, stride), relu1=nn.ReLU(),
        conv2=ConvBN(width, width, 3),
        se=SqueezeExcite(width))
    return Residual(branch, projection(c_in, width, stride)), width


def se_bottleneck(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Figure 3: the gate acts on the branch, before the addition."""
    branch = seq(
        conv1=ConvBN(c_in, width, 1, stride), relu1=nn.ReLU(),
        conv2=ConvBN(width, width, 3), relu2=nn.ReLU(),
        conv3=ConvBN(width, 4 * width, 1),
        se=SqueezeExcite(4 * width))
    return Residual(branch, projection(c_in, 4 * width, stride)), 4 * width


def se_bottleneck_v15(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    branch = seq(
        conv1=ConvBN(c_in, width, 1), relu1=nn.ReLU(),
        conv2=ConvBN(width, width, 3, stride), relu2=nn.ReLU(),
        conv3=ConvBN(width, 4 * width, 1),
        se=SqueezeExcite(4 * width))
    return Residual(branch, projection(c_in, 4 * width, stride)), 4 * width


def se_resnext_32x4d(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """32 groups of 4 channels in the first stage: twice ResNet's width."""
    branch = seq(
        conv1=ConvBN(c_in, 2 * width, 1), relu1=nn.ReLU(),
        conv2=ConvBN(2 * width, 2 * width, 3, stride, groups=32), relu2=nn.ReLU(),
        conv3=ConvBN(2 * width, 4 * width, 1),
        se=SqueezeExcite(4 * width))
    return Residual(branch, projection(c_in, 4 * width, stride)), 4 * width


def se_154(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Appendix: 64x4d, (a) the first 1x1 halved, (c) a strided projection of 3x3."""
    branch = seq(
        conv1=ConvBN(c_in, 2 * width, 1), relu1=nn.ReLU(),
        conv2=ConvBN(2 * width, 4 * width, 3, stride, groups=64), relu2=nn.ReLU(),
        conv3=ConvBN(4 * width, 4 * width, 1),
        se=SqueezeExcite(4 * width))
    if stride == 1:
        return Residual(branch, projection(c_in, 4 * width, 1)), 4 * width
    return Residual(branch, ConvBN(c_in, 4 * width, 3, stride)), 4 * width


class SENet(ResNet):
    """Table 1: ResNet but for the units and the border of the max pool."""

    smallest = 3                                      # two pixels must reach the max pool

    def __init__(self, unit: Unit, depths: tuple[int, int, int, int], num_classes: int = 1000,
                 in_channels: int = 3):
        super().__init__(unit, depths, num_classes, in_channels)
        self.pool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)


class SENet154(Network):
    """Appendix: (b) three 3x3 convolutions for the 7x7, (d) dropout of 0.2 before the classifier.

    (N, 3, 224, 224) -> (N, num_classes)
    """

    smallest = 3
    stages = ResNet.stages
    initialise = staticmethod(he_init)

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = deep_stem(in_channels, 64)
        self.pool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2_x = Stage(se_154, 3, 128, width=64, stride=1)
        self.conv3_x = Stage(se_154, 8, 256, width=128, stride=2)
        self.conv4_x = Stage(se_154, 36, 512, width=256, stride=2)
        self.conv5_x = Stage(se_154, 3, 1024, width=512, stride=2)
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(2048, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:           # (N, 3, 224, 224)
        x = self.conv1(x)                             # (N, 128, 112, 112)
        x = self.pool1(x)                             # (N, 128, 56, 56)
        x = self.conv2_x(x)                           # (N, 256, 56, 56)
        x = self.conv3_x(x)                           # (N, 512, 28, 28)
        x = self.conv4_x(x)                           # (N, 1024, 14, 14)
        x = self.conv5_x(x)                           # (N, 2048, 7, 7)
        x = self.dropout(x.mean((2, 3)))              # (N, 2048)
        return self.fc(x)                             # (N, num_classes)


VARIANTS = {
    "se_resnet18": partial(SENet, se_basic, DEPTHS[18]),
    "se_resnet34": partial(SENet, se_basic, DEPTHS[34]),
    "se_resnet50": partial(SENet, se_bottleneck, DEPTHS[50]),
    "se_resnet101": partial(SENet, se_bottleneck, DEPTHS[101]),
    "se_resnet152": partial(SENet, se_bottleneck, DEPTHS[152]),
    "se_resnext50_32x4d": partial(SENet, se_resnext_32x4d, DEPTHS[50]),
    "se_resnext101_32x4d": partial(SENet, se_resnext_32x4d, DEPTHS[101]),
    "senet154": SENet154,
    "se_resnet50_v15": partial(ResNet, se_bottleneck_v15, DEPTHS[50]),
    "se_resnet101_v15": partial(ResNet, se_bottleneck_v15, DEPTHS[101]),
    "se_resnet152_v15": partial(ResNet, se_bottleneck_v15, DEPTHS[152]),
}
PAPER = {name: V15 if name.endswith("_v15") else SENET for name in VARIANTS}
