"""Deep Residual Learning for Image Recognition, Sec. 4.2: the CIFAR-10 networks of 6n + 2 layers.

    output map size   32x32    16x16   8x8
    # layers          1 + 2n   2n      2n
    # filters         16       32      64

then a global average pool, a 10-way fully-connected layer, and softmax. All shortcuts are option
(A).
"""
from functools import partial
from typing import NamedTuple

import torch.nn as nn

from convatlas.layers import ConvBN, Network, he_init, seq
from convatlas.nets.resnet import basic_option_a, stage_of
from convatlas.paper import Claim, Paper, sizes

PAPER = Paper(
    title="Deep Residual Learning for Image Recognition", authors="He, Zhang, Ren, "
                                                                  "Sun", year=2016, venue="CVPR",
    arxiv="1512.03385v1", silent="Where the zeros of option (A) go: after the old channels, as in "
                                 "Torch. Putting them on both sides, as some ports do, only "
                                 "permutes channels.",
    page="resnet", bare="resnet20_cifar")


class Stage(NamedTuple):    # the table of Sec. 4.2, read downwards
    name: str
    output: str
    filters: int
    stride: int


STAGES = (
    Stage("stage1", "32x32", filters=16, stride=1),
    Stage("stage2", "16x16", filters=32, stride=2),
    Stage("stage3", "8x8", filters=64, stride=2),
)


class ResNetCIFAR(Network):
    side = 32
    stages = ("conv1", *(s.name for s in STAGES))
    initialise = staticmethod(he_init)

    def __init__(self, n: int, num_classes: int = 10, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = seq(conv=ConvBN(in_channels, 16, 3), relu=nn.ReLU())
        c = 16
        for stage in STAGES:
            units, c = stage_of(basic_option_a, c, stage.filters, stage.stride, depth=n)
            self.add_module(stage.name, units)
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)

    def forward(self, x):                             # (N, 3, 32, 32)
        x = self.conv1(x)                             # (N, 16, 32, 32)
        for stage in STAGES:
            x = self.get_submodule(stage.name)(x)     # (N, stage.filters, stage.output)
        return self.fc(x.mean((2, 3)))                # (N, num_classes)


PARAMS = {20: "0.27M", 32: "0.46M", 44: "0.66M", 56: "0.85M", 110: "1.7M", 1202: "19.4M"}  # Table 6
VARIANTS = {f"resnet{layers}_cifar": partial(ResNetCIFAR, n=(layers - 2) // 6) for layers in PARAMS}
CLAIMS = {
    f"resnet{layers}_cifar": (*sizes("Sec. 4.2, output map size", {s.name: s.output for s in STAGES}),
                              Claim("params", params, "Table 6, # params"),
                              Claim("layers", str(layers), "Table 6, # layers"))
    for layers, params in PARAMS.items()
}
