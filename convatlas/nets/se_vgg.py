"""Squeeze-and-Excitation Networks, Table 2: SE-VGG-16, VGG's column D (vgg.py) with batch norm and
a gate after each convolution.

    blocks            conv, batch norm, ReLU, gate; fc of the gate
    conv1   224x224   64 x2     [4, 64]
    conv2   112x112   128 x2    [8, 128]
    conv3   56x56     256 x3    [16, 256]
    conv4   28x28     512 x3    [32, 512]
    conv5   14x14     512 x3    [32, 512]

A 2x2 max pool, stride 2, follows each block, then FC-4096, FC-4096 and FC-1000 as VGG has them.
"""
from functools import partial

import torch.nn as nn

from convatlas.layers import SqueezeExcite, biased_conv, he_init
from convatlas.nets.vgg import VGG
from convatlas.paper import Paper

PAPER = Paper(
    title="Squeeze-and-Excitation Networks",
    authors="Hu, Shen, Albanie, Sun, Wu", year=2018, venue="CVPR", arxiv="1709.01507v4",
    code="github.com/hujie-frank/SENet",
    silent="The release has no such network. Section 3.3 puts the gates after the non-linearity "
           "that follows each convolution, and Table 2's caption adds batch norm; all else is "
           "vgg16_bn, with biases before the batch norms, which these make idle. Gates have "
           "biases and a ratio of 16, as in the release's networks. Dropout: VGG's. Initial "
           "weights of convolutions: He's, which Sec. 5.1 cites; those of fully connected layers "
           "and all biases: PyTorch's. Batch norm has PyTorch's epsilon and momentum, 1e-5 and "
           "0.1.",
    page="senet", bare="se_vgg16")


def gated(c_in: int, c_out: int, k: int) -> nn.Sequential:
    """(N, c_in, H, W) -> (N, c_out, H, W)"""
    layers = biased_conv(c_in, c_out, k)
    layers.add_module("se", SqueezeExcite(c_out))
    return layers


class SEVGG(VGG):
    initialise = staticmethod(he_init)      # Sec. 5.1


VARIANTS = {"se_vgg16": partial(SEVGG, "D", gated)}
