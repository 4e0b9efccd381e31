"""MobileNetV3 as its authors released it (TF-slim): Tables 1 and 2 of the paper, and their
minimalistic form, with TensorFlow's padding and the constants of that code.
"""
from functools import partial

import torch.nn as nn
from torch import Tensor

from convatlas.layers import conv_same, slim_init
from convatlas.nets.mobilenet_v3 import LARGE, SMALL, MobileNetV3
from convatlas.nets.mobilenet_v3_minimalistic import minimalistic
from convatlas.paper import Paper

PAPER = Paper(
    title="MobileNetV3 (TensorFlow-Slim)",
    authors="Howard, Sandler, Chu, Chen, Chen, Tan, Wang, Zhu, Pang, Vasudevan, Le, Adam",
    year=2019, arxiv="1905.02244v5",
    code="github.com/tensorflow/models research/slim/nets/mobilenet/mobilenet_v3.py",
    silent="The paper leaves all of this to the code: strided layers are padded as little as "
           "gives half the size, the odd row below and right; batch norm's epsilon is "
           "0.001; initial weights are truncated normal with deviation 0.09.",
    departs="A gate is relu6(x + 3) times 0.16667, not divided by 6. Batch norm's decay is that "
            "code's 0.997, where Sec. 6.1.1 prints 0.99. Published weights tell 1001 "
            "classes apart, the first of which is the background.",
    page="mobilenet_v3_released", bare="mobilenet_v3_large_released")


class Gate(nn.ReLU6):
    """The release's hard sigmoid, with five digits of 1/6.  Any shape -> the same"""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x + 3) * 0.16667


class MobileNetV3Released(MobileNetV3):
    """(N, 3, 224, 224) -> (N, num_classes)"""

    initialise = staticmethod(slim_init)


released = partial(MobileNetV3Released, conv=partial(conv_same, momentum=0.003), gate=Gate)
VARIANTS = {
    "mobilenet_v3_large_released": partial(released, LARGE),
    "mobilenet_v3_large_released_x0_75": partial(released, LARGE, width=0.75),
    "mobilenet_v3_large_released_minimalistic": partial(released, minimalistic(LARGE)),
    "mobilenet_v3_small_released": partial(released, SMALL),
    "mobilenet_v3_small_released_x0_75": partial(released, SMALL, width=0.75),
    "mobilenet_v3_small_released_minimalistic": partial(released, minimalistic(SMALL)),
}
