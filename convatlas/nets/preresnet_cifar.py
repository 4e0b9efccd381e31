"""Identity Mappings in Deep Residual Networks, Sec. 4 and appendix: the CIFAR networks of 6n + 2
and 9n + 2 layers.

    output map size            32x32                        16x16       8x8
    ResNet-110                 [3x3, 16][3x3, 16] x18       32 filters  64 filters
    ResNet-164                 [1x1, 16][3x3, 16][1x1, 64]  x18
    ResNet-1001                                             x111

A 3x3 convolution to 16 channels comes first; BN, ReLU, a global average pool and a full layer last.
"""
from functools import partial
from typing import NamedTuple

import torch.nn as nn

from convatlas.layers import Network, ZeroPadding, he_init, seq
from convatlas.nets.preresnet import (
    IdentityUnit,
    ShortcutUnit,
    Unit,
    activation,
    bottleneck,
    conv,
    stage_of,
)
from convatlas.paper import Claim, Paper, sizes

PAPER = Paper(
    title="Identity Mappings in Deep Residual Networks", authors="He, Zhang, Ren, "
                                                                 "Sun", year=2016, venue="ECCV",
    arxiv="1603.05027v3", code="github.com/KaimingHe/resnet-1k-layers",
    silent="Stride is in the first 1x1, as in the authors' code. ResNet-110 keeps ResNet's option "
           "(A) where dimensions increase; the paper says of projections alone that they read the "
           "activated maps, and here the zero-padded shortcuts do too, as in fb.resnet.torch.",
    page="preresnet", bare="preresnet164_cifar")


class Stage(NamedTuple):    # the columns above
    name: str
    output: str
    filters: int
    stride: int


STAGES = (
    Stage("stage1", "32x32", filters=16, stride=1),
    Stage("stage2", "16x16", filters=32, stride=2),
    Stage("stage3", "8x8", filters=64, stride=2),
)


def basic_option_a(before: nn.Module, c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Two 3x3 layers; `before` is the activation of the first."""
    branch = seq(conv1=conv(c_in, width, 3, stride), activation2=activation(width), conv2=conv(width, width, 3))
    if (c_in, stride) == (width, 1):
        return IdentityUnit(before, branch), width
    return ShortcutUnit(before, branch, ZeroPadding(c_in, width, stride)), width


class PreResNetCIFAR(Network):
    side = 32
    stages, cam_path = ("conv1", *(s.name for s in STAGES)), "activation"
    initialise = staticmethod(he_init)

    def __init__(self, unit: Unit, n: int, num_classes: int = 10, in_channels: int = 3):
        super().__init__(in_channels)
        self.conv1 = conv(in_channels, 16, 3)
        self.activation1 = activation(16)
        c, before = 16, nn.Identity()  # the first unit's activation is conv1's, before the two paths
        for stage in STAGES:
            units, c = stage_of(unit, before, c, stage.filters, stage.stride, depth=n)
            self.add_module(stage.name, units)
            before = activation(c)                    # of the next stage's first unit
        self.activation = before                      # the extra one, after the last unit
        self.fc = nn.Linear(c, num_classes)
        self.apply(self.initialise)

    def forward(self, x):                             # (N, 3, 32, 32)
        x = self.activation1(self.conv1(x))           # (N, 16, 32, 32)
        for stage in STAGES:
            x = self.get_submodule(stage.name)(x)     # (N, filters or 4 * filters, stage.output)
        return self.fc(self.activation(x).mean((2, 3)))       # (N, num_classes)


VARIANTS = {
    "preresnet110_cifar": partial(PreResNetCIFAR, basic_option_a, n=18),
    "preresnet164_cifar": partial(PreResNetCIFAR, bottleneck, n=18),
    "preresnet1001_cifar": partial(PreResNetCIFAR, bottleneck, n=111),
}


def claims(layers: str, params: Claim) -> tuple[Claim, ...]:
    return (*sizes("ResNet (arXiv:1512.03385), Sec. 4.2, output map size", {s.name: s.output for s in STAGES}),
            Claim("layers", layers, "Table 3"), params)


WITHOUT_BN = ("The convolutions and the full layer have 10,178,490 parameters, which make 10.2M; "
              "with the 149,216 scales and shifts of batch norm, trained like them, there are "
              "10,327,706.")
CLAIMS = {
    "preresnet110_cifar": claims("110", Claim("params", "1.7M", ("Table 4, ResNet-110: Figure 4's "
                                                                "units only reorder"))),
    "preresnet164_cifar": claims("164", Claim("params", "1.7M", "Table 4, ResNet-164 [ours]")),
    "preresnet1001_cifar": claims("1001", Claim("params", "10.2M", ("Table 4, ResNet-1001 "
                                                                   "[ours]"), erratum=WITHOUT_BN)),
}
