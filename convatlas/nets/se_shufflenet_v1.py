"""Squeeze-and-Excitation Networks, Table 3, and ShuffleNet, Table 5: ShuffleNets (shufflenet_v1.py)
of 3 groups with a gate in each unit.

                                  MFLOPs   params
    SENet       ShuffleNet 1x     140      1.8M
                SE-ShuffleNet 1x  142      2.4M
    ShuffleNet  2x                524
                2x (with SE)      527
"""
from functools import partial

import torch.nn as nn

from convatlas.layers import SqueezeExcite
from convatlas.nets.shufflenet_v1 import ShuffleNetV1, branch
from convatlas.paper import Paper

SENET = Paper(
    title="Squeeze-and-Excitation Networks",
    authors="Hu, Shen, Albanie, Sun, Wu", year=2018, venue="CVPR", arxiv="1709.01507v4",
    code="github.com/hujie-frank/SENet",
    silent="Where the gates stand: on the branch of each unit, before the sum or the "
           "concatenation, as in Figure 3 for residual units, with a ratio of 16, rounded down; "
           "that gives 2.48M parameters, which the table cuts to 2.4M as it cuts the network's "
           "own 1.86M to 1.8M. Gates have biases, as in the release, which has no such network. "
           "Initial weights: ShuffleNet's, N(0, 0.01) in the gates too. Batch norm has PyTorch's "
           "epsilon and momentum, 1e-5 and 0.1.",
    page="senet", bare="se_shufflenet_v1_g3")
SHUFFLENET = Paper(
    title="ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices",
    authors="Zhang, Zhou, Lin, Sun",
    year=2018, venue="CVPR", arxiv="1707.01083v2",
    code="github.com/megvii-model/ShuffleNet-Series ShuffleNetV1",
    silent="Gates: those of SENet's ShuffleNet of the 1x width, of which the paper says no more "
           "than that they are SENet's. All else is shufflenet_v1_g3_x2_0. Batch norm has "
           "PyTorch's epsilon and momentum, 1e-5 and 0.1.",
    page="shufflenet_v1", bare="se_shufflenet_v1_g3_x2_0")
PAPER = {"se_shufflenet_v1_g3": SENET, "se_shufflenet_v1_g3_x2_0": SHUFFLENET}


def gated(c_in: int, middle: int, c_out: int, g_first: int, g: int, stride: int) -> nn.Sequential:
    """The way through a unit, its gate last."""
    layers = branch(c_in, middle, c_out, g_first, g, stride)
    layers.add_module("se", SqueezeExcite(c_out))
    return layers


VARIANTS = {
    "se_shufflenet_v1_g3": partial(ShuffleNetV1, 3, branch=gated),
    "se_shufflenet_v1_g3_x2_0": partial(ShuffleNetV1, 3, 2, 48, gated),
}
