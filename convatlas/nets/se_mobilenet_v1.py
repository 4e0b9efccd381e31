"""Squeeze-and-Excitation Networks, Table 3: SE-MobileNet, "1.0 MobileNet-224" (mobilenet_v1.py)
with a gate after each of its thirteen depthwise separable convolutions.

                  MFLOPs   params
    MobileNet     569      4.2M
    SE-MobileNet  572      4.7M
"""
from functools import partial

import torch.nn as nn

from convatlas.layers import SqueezeExcite
from convatlas.nets.mobilenet_v1 import MobileNetV1, separable
from convatlas.paper import Paper

PAPER = Paper(
    title="Squeeze-and-Excitation Networks",
    authors="Hu, Shen, Albanie, Sun, Wu", year=2018, venue="CVPR", arxiv="1709.01507v4",
    code="github.com/hujie-frank/SENet",
    silent="Where the gates stand: after the ReLU of each 1x1 convolution, with a ratio of 16, "
           "which gives the printed 4.7M; after the depthwise convolutions too it would be 5.1M, "
           "after those alone 4.6M. Gates have biases, as in the release, which has no such "
           "network. All else, padding and dropout too, is mobilenet_v1. Initial weights of fully "
           "connected layers: PyTorch's. Batch norm has PyTorch's epsilon and momentum, 1e-5 and "
           "0.1.",
    page="senet", bare="se_mobilenet_v1")


def se_separable(c_in: int, c_out: int, s: int) -> nn.Sequential:
    """(N, c_in, H, W) -> (N, c_out, H/s, W/s)"""
    layers = separable(c_in, c_out, s)
    layers.add_module("se", SqueezeExcite(c_out))
    return layers


VARIANTS = {"se_mobilenet_v1": partial(MobileNetV1, se_separable)}
