"""Aggregated Residual Transformations for Deep Neural Networks, Sec. 5.3 and Appendix A: the CIFAR
networks.

A 3x3 convolution with 64 filters, three stages of three blocks on maps of 32, 16 and 8 pixels, a
global average pool and a full layer: 29 layers. The template is [1x1, 64] [3x3, 64] [1x1, 256], of
C transformations, 64 channels each.

    Table 7     # params
    8x64d       34.4M
    16x64d      68.1M
"""
from functools import partial
from typing import NamedTuple

import torch.nn as nn

from convatlas.layers import ConvBN, Network, Residual, he_init, seq
from convatlas.nets.resnet import projection, stage_of
from convatlas.paper import Claim, Paper, sizes

PAPER = Paper(
    title="Aggregated Residual Transformations for Deep Neural Networks", authors="Xie, Girshick, "
                                                                                  "Dollár, Tu, He",
    year=2017, venue="CVPR", arxiv="1611.05431v2", code="github.com/facebookresearch/ResNeXt",
    silent="Order in a block: the authors' README says that arXiv's first numbers came from "
           "pre-activated blocks, the better later ones from the original order, which is built "
           "here and in their code. The first block of stage 1 has a projection too (64 to 256 "
           "channels). Stride is in the 3x3, as in Sec. 4.",
    page="resnext", bare="resnext29_8x64d_cifar")


class Stage(NamedTuple):    # Appendix A
    name: str
    output: str
    template: int           # the 1x1 and 3x3 channels of one transformation
    stride: int


STAGES = (
    Stage("stage1", "32x32", template=64, stride=1),
    Stage("stage2", "16x16", template=128, stride=2),
    Stage("stage3", "8x8", template=256, stride=2),
)


def block(cardinality: int, c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Figure 3(c), with `cardinality` transformations of `width` channels."""
    grouped = cardinality * width
    branch = seq(conv1=ConvBN(c_in, grouped, 1), relu1=nn.ReLU(),
                 conv2=ConvBN(grouped, grouped, 3, stride, groups=cardinality), relu2=nn.ReLU(),
                 conv3=ConvBN(grouped, 4 * width, 1))
    return Residual(branch, projection(c_in, 4 * width, stride)), 4 * width


class ResNeXtCIFAR(Network):
    side = 32
    stages = ("conv1", *(s.name for s in STAGES))
    initialise = staticmethod(he_init)                # Sec. 4, "as in [13]"

    def __init__(self, cardinality: int, num_classes: int = 10, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = seq(conv=ConvBN(in_channels, 64, 3), relu=nn.ReLU())
        c = 64
        for stage in STAGES:
            units, c = stage_of(partial(block, cardinality), c, stage.template, stage.stride, depth=3)
            self.add_module(stage.name, units)
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)

    def forward(self, x):                             # (N, 3, 32, 32)
        x = self.conv1(x)                             # (N, 64, 32, 32)
        for stage in STAGES:
            x = self.get_submodule(stage.name)(x)     # (N, 4 * stage.template, stage.output)
        return self.fc(x.mean((2, 3)))                # (N, num_classes)


PARAMS = {8: "34.4M", 16: "68.1M"}                    # Table 7
VARIANTS = {f"resnext29_{cardinality}x64d_cifar": partial(ResNeXtCIFAR, cardinality) for cardinality in PARAMS}
CLAIMS = {
    f"resnext29_{cardinality}x64d_cifar": (
        *sizes("Appendix A, output map size", {s.name: s.output for s in STAGES}),
        *sizes("Appendix A, the first layer", {"conv1": "64x32x32"}),
        *sizes("Sec. 5.3, last 1x1 of the template", {"stage1": "256x32x32"}),
        Claim("params", params, "Table 7, # params"), Claim("layers", "29", ("Sec. 5.3: total "
                                                                            "29-layer deep")))
    for cardinality, params in PARAMS.items()
}
