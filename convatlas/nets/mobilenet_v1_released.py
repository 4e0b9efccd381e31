"""MobileNetV1 as its authors released it (TF-slim): Table 1 of the paper with TensorFlow's padding,
ReLU6, and batch norm's constants of that code.
"""
from functools import partial

import torch.nn as nn

from convatlas.layers import conv_same, seq, slim_init
from convatlas.nets.mobilenet_v1 import MobileNetV1
from convatlas.paper import Paper

PAPER = Paper(
    title="MobileNetV1 (TensorFlow-Slim)",
    authors="Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam",
    year=2017, arxiv="1704.04861v1",
    code="github.com/tensorflow/models research/slim/nets/mobilenet_v1.py",
    silent="The paper leaves all of this to the code: strided layers are padded as little as "
           "gives half the size, the odd row below and right; batch norm's epsilon is 0.001, its "
           "decay 0.9997; initial weights are truncated normal with deviation 0.09.",
    departs="ReLU6 for the ReLU of Figure 3. Published weights tell 1001 classes apart, the first "
            "of which is the background.",
    page="mobilenet_v1_released")

conv = partial(conv_same, momentum=0.0003)


def first(c_in: int, c_out: int, s: int) -> nn.Sequential:
    """Conv2d_0.  (N, c_in, H, W) -> (N, c_out, H/s, W/s), rounded up"""
    return seq(conv=conv(c_in, c_out, 3, stride=s), relu=nn.ReLU6())


def separable(c_in: int, c_out: int, s: int) -> nn.Sequential:
    """Conv2d_i_depthwise and _pointwise.  (N, c_in, H, W) -> (N, c_out, H/s, W/s), rounded up"""
    return seq(
        dw=conv(c_in, c_in, 3, stride=s, groups=c_in), relu_dw=nn.ReLU6(),
        pw=conv(c_in, c_out, 1), relu_pw=nn.ReLU6())


class MobileNetV1Released(MobileNetV1):
    """(N, 3, 224, 224) -> (N, num_classes)"""

    initialise = staticmethod(slim_init)


released = partial(MobileNetV1Released, separable, first=first)
VARIANTS = {
    "mobilenet_v1_released": released,
    "mobilenet_v1_released_x0_75": partial(released, alpha=0.75),
    "mobilenet_v1_released_x0_5": partial(released, alpha=0.5),
    "mobilenet_v1_released_x0_25": partial(released, alpha=0.25),
}
