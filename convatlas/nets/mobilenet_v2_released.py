"""MobileNetV2 as its authors released it (TF-slim): Table 2 of the paper with TensorFlow's padding
and batch norm's constants of that code.
"""
from functools import partial

from convatlas.layers import conv_same, slim_init
from convatlas.nets.mobilenet_v2 import MobileNetV2
from convatlas.paper import Paper

PAPER = Paper(
    title="MobileNetV2 (TensorFlow-Slim)",
    authors="Sandler, Howard, Zhu, Zhmoginov, Chen",
    year=2018, arxiv="1801.04381v4",
    code="github.com/tensorflow/models research/slim/nets/mobilenet/mobilenet_v2.py",
    silent="The paper leaves all of this to the code: strided layers are padded as little as "
           "gives half the size, the odd row below and right; batch norm's epsilon is 0.001, its "
           "decay 0.997; initial weights are truncated normal with deviation 0.09; dropout is 0.2.",
    departs="Published weights tell 1001 classes apart, the first of which is the background.",
    page="mobilenet_v2_released")


class MobileNetV2Released(MobileNetV2):
    """(N, 3, 224, 224) -> (N, num_classes)"""

    initialise = staticmethod(slim_init)


released = partial(MobileNetV2Released, conv=partial(conv_same, momentum=0.003))
VARIANTS = {
    "mobilenet_v2_released": released,
    "mobilenet_v2_released_x0_35": partial(released, width=0.35),
    "mobilenet_v2_released_x0_5": partial(released, width=0.5),
    "mobilenet_v2_released_x0_75": partial(released, width=0.75),
    "mobilenet_v2_released_x1_3": partial(released, width=1.3),
    "mobilenet_v2_released_x1_4": partial(released, width=1.4),
}
