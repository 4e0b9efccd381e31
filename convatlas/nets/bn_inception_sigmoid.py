"""Batch Normalization (Ioffe, Szegedy; ICML 2015), Sec. 4.2.2: the network of BN-x5-Sigmoid, whose
nonlinearity is g(t) = 1 / (1 + exp(-t)) instead of ReLU.

All else is Figure 5 (bn_inception.py), row for row; x5 is its learning rate, five times that of
Inception.
"""
from functools import partial

import torch.nn as nn

from convatlas.layers import ConvBN, seq
from convatlas.nets.bn_inception import BNInception
from convatlas.paper import Paper

PAPER = Paper(
    title="Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate "
          "Shift",
    authors="Ioffe, Szegedy", year=2015, venue="ICML", arxiv="1502.03167v3",
    silent="All that bn_inception leaves open and decides. Initial weights: He's, as there, "
           "though they are made for ReLUs. Batch norm has PyTorch's epsilon and momentum, 1e-5 "
           "and 0.1.",
    departs="The first layer is a full 7x7, as in bn_inception.",
    page="bn_inception", bare="bn_inception_sigmoid")


def conv(c_in: int, c_out: int, k: int, stride: int = 1) -> nn.Sequential:
    return seq(conv=ConvBN(c_in, c_out, k, stride), sigmoid=nn.Sigmoid())


VARIANTS = {"bn_inception_sigmoid": partial(BNInception, conv, conv)}
