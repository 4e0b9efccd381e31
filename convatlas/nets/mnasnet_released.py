"""MnasNet as its authors released it (tensorflow/tpu): Figure 7 of the paper with TensorFlow's
padding and the epsilon of that code.
"""
from functools import partial

from convatlas.layers import conv_same
from convatlas.nets.mnasnet import A1, B1, SMALL, MnasNet
from convatlas.paper import Paper

PAPER = Paper(
    title="MnasNet (tensorflow/tpu)",
    authors="Tan, Chen, Pang, Vasudevan, Sandler, Howard, Le",
    year=2019, arxiv="1807.11626v3",
    code="github.com/tensorflow/tpu models/official/mnasnet",
    silent="The paper leaves all of this to the code: strided layers are padded as little as "
           "gives half the size, the odd row below and right; batch norm's epsilon is 0.001. The "
           "code's own default has no dropout in the small network.",
    page="mnasnet_released", bare="mnasnet_a1_released")

released = partial(MnasNet, conv=partial(conv_same, momentum=0.01))    # Sec. 5: 0.99
VARIANTS = {
    "mnasnet_a1_released": partial(released, A1),
    "mnasnet_a1_released_x0_35": partial(released, A1, 0.35),
    "mnasnet_a1_released_x0_5": partial(released, A1, 0.5),
    "mnasnet_a1_released_x0_75": partial(released, A1, 0.75),
    "mnasnet_a1_released_x1_4": partial(released, A1, 1.4),
    "mnasnet_b1_released": partial(released, B1),
    "mnasnet_small_released": partial(released, SMALL),
}
