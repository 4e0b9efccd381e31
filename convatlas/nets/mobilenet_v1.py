"""MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications (Howard et
al., 2017).

TABLE below is Table 1, two rows of it a line: "Conv dw / s" and the "Conv / s1" after it, which
together make a depthwise separable convolution. Before it a 3x3 convolution of stride 2 to 32
channels, after it a 7x7 average pool and a fully-connected layer. Every convolution is followed by
batch norm and a ReLU (Figure 3).
"""
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Network, he_init, seq
from convatlas.paper import Paper

PAPER = Paper(
    title="MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
    authors="Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam",
    year=2017, arxiv="1704.04861v1",
    code="github.com/tensorflow/models research/slim/nets/mobilenet_v1.py",
    silent="Padding: 1 on every side of a 3x3. Batch norm's epsilon and momentum: PyTorch's 1e-5 "
           "and 0.1. Initial weights: He's. The authors' code does these otherwise, and has ReLU6 "
           "where Figure 3 has ReLU: mobilenet_v1_released, for its weights. Dropout of 0.001 "
           "before the last layer: the authors' code. No rounding under a width multiplier is "
           "needed: all printed widths stay whole.",
    departs="The last depthwise convolution has stride 1. Table 1 prints s2, but also 7x7 before "
            "and after it.",
    page="mobilenet_v1")


class Row(NamedTuple):      # a "Conv dw" of Table 1 and the 1x1 "Conv" after it
    name: str               # conv2_dw and conv2_pw are layers 2 and 3 of 28
    s: int                  # stride of the depthwise convolution
    c: int                  # filters of the 1x1
    dw_input: str           # sizes as printed, channels last
    pw_input: str


TABLE = (
    Row("conv2", s=1, c=64, dw_input="112x112x32", pw_input="112x112x32"),
    Row("conv3", s=2, c=128, dw_input="112x112x64", pw_input="56x56x64"),
    Row("conv4", s=1, c=128, dw_input="56x56x128", pw_input="56x56x128"),
    Row("conv5", s=2, c=256, dw_input="56x56x128", pw_input="28x28x128"),
    Row("conv6", s=1, c=256, dw_input="28x28x256", pw_input="28x28x256"),
    Row("conv7", s=2, c=512, dw_input="28x28x256", pw_input="14x14x256"),
    Row("conv8", s=1, c=512, dw_input="14x14x512", pw_input="14x14x512"),      # "5x"
    Row("conv9", s=1, c=512, dw_input="14x14x512", pw_input="14x14x512"),
    Row("conv10", s=1, c=512, dw_input="14x14x512", pw_input="14x14x512"),
    Row("conv11", s=1, c=512, dw_input="14x14x512", pw_input="14x14x512"),
    Row("conv12", s=1, c=512, dw_input="14x14x512", pw_input="14x14x512"),
    Row("conv13", s=2, c=1024, dw_input="14x14x512", pw_input="7x7x512"),
    Row("conv14", s=1, c=1024, dw_input="7x7x1024", pw_input="7x7x1024"),
)
FIVE = ("conv8", "conv9", "conv10", "conv11", "conv12")
SHALLOW = tuple(row for row in TABLE if row.name not in FIVE)       # Sec. 4.1

Layer = Callable[[int, int, int], nn.Module]            # (c_in, c_out, stride) -> layer


def separable(c_in: int, c_out: int, s: int) -> nn.Sequential:
    """Figure 3, right.  (N, c_in, H, W) -> (N, c_out, H/s, W/s)"""
    return seq(
        dw=ConvBN(c_in, c_in, 3, stride=s, groups=c_in), relu_dw=nn.ReLU(),
        pw=ConvBN(c_in, c_out, 1), relu_pw=nn.ReLU())


def full(c_in: int, c_out: int, s: int) -> nn.Sequential:
    """Figure 3, left.  (N, c_in, H, W) -> (N, c_out, H/s, W/s)"""
    return seq(conv=ConvBN(c_in, c_out, 3, stride=s), relu=nn.ReLU())


class MobileNetV1(Network):
    """(N, 3, 224, 224) -> (N, num_classes)"""

    initialise = staticmethod(he_init)

    def __init__(self, layer: Layer, rows: tuple[Row, ...] = TABLE, alpha: float = 1.0,
                 first: Layer = full, num_classes: int = 1000, in_channels: int = 3):
        super().__init__(in_channels)
        self.stages = ("conv1", *(row.name for row in rows))
        c = int(32 * alpha)                             # Sec. 3.3: all widths times alpha
        self.conv1 = first(in_channels, c, 2)
        for row in rows:
            c_out = int(row.c * alpha)
            self.add_module(row.name, layer(c, c_out, row.s))
            c = c_out
        self.dropout = nn.Dropout(0.001)
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)

    def forward(self, x: Tensor) -> Tensor:             # (N, 3, 224, 224)
        for name in self.stages:
            x = self.get_submodule(name)(x)             # the next row's dw_input
        x = x.mean((2, 3))                              # (N, 1024, 7, 7), (N, 1024)
        return self.fc(self.dropout(x))                 # (N, num_classes)


VARIANTS = {
    "mobilenet_v1": partial(MobileNetV1, separable),
    "mobilenet_v1_x0_75": partial(MobileNetV1, separable, alpha=0.75),
    "mobilenet_v1_x0_5": partial(MobileNetV1, separable, alpha=0.5),
    "mobilenet_v1_x0_25": partial(MobileNetV1, separable, alpha=0.25),
    "mobilenet_v1_full_conv": partial(MobileNetV1, full),
    "mobilenet_v1_shallow": partial(MobileNetV1, separable, SHALLOW),
}
