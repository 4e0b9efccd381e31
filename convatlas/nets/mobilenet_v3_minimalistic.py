"""MobileNetV3 minimalistic: the rows of MobileNetV3's Tables 1 and 2 with plain parts. Every kernel
is 3x3, every activation a ReLU, and nothing is squeezed and excited.
"""
from functools import partial

import torch.nn as nn

from convatlas.nets.mobilenet_v3 import LARGE, SMALL, MobileNetV3, Table
from convatlas.paper import Paper

PAPER = Paper(
    title="MobileNetV3 minimalistic (TensorFlow-Slim)",
    authors="Howard, Sandler, Chu and others",
    year=2019, code="github.com/tensorflow/models research/slim/nets/mobilenet/README.md",
    silent="There is no paper. Padding, epsilon and initial weights are those of "
           "mobilenet_v3_large.",
    page="mobilenet_v3_minimalistic", bare="mobilenet_v3_large_minimalistic")


def minimalistic(table: Table) -> Table:
    bnecks = tuple(row._replace(k=3, SE=False, NL=nn.ReLU) for row in table.bnecks)
    return table._replace(bnecks=bnecks, NL=nn.ReLU)


VARIANTS = {
    "mobilenet_v3_large_minimalistic": partial(MobileNetV3, minimalistic(LARGE)),
    "mobilenet_v3_small_minimalistic": partial(MobileNetV3, minimalistic(SMALL)),
}
