"""Squeeze-and-Excitation Networks, Figure 2: BN-Inception with a gate after each of its ten
modules.
"""
from functools import partial

import torch.nn as nn

from convatlas.layers import SqueezeExcite, padded_pool, seq
from convatlas.nets.bn_inception import (
    BNInception,
    Conv,
    Halving,
    Row,
    inception,
    unpadded_pool,
)
from convatlas.paper import Paper

PAPER = Paper(
    title="Squeeze-and-Excitation Networks",
    authors="Hu, Shen, Albanie, Sun, Wu", year=2018, venue="CVPR", arxiv="1709.01507v4",
    code="github.com/hujie-frank/SENet",
    silent="Which BN-Inception: bn_inception, with the full 7x7 and without biases before batch "
           "norms, as in the release; the release, for Caffe, does not pad the pools of 3c and 4e: "
           "se_bn_inception_released. Biases of a gate's layers: as in the release. Initial "
           "weights of fully connected layers: PyTorch's. Convolutions start with He's. Batch norm "
           "has PyTorch's epsilon and momentum, 1e-5 and 0.1.",
    page="senet")


def se_inception(c: int, row: Row, conv: Conv, halving: Halving = padded_pool) -> nn.Module:
    """Figure 2, right.  (N, c, H, W) -> (N, c_out, H', W'), as the module gives out"""
    c_out = row.n1x1 + row.n3x3 + row.double + (row.proj or c)
    return seq(inception=inception(c, row, conv, halving), se=SqueezeExcite(c_out))


VARIANTS = {
    "se_bn_inception": partial(BNInception, unit=se_inception),
    "se_bn_inception_released": partial(
        BNInception, unit=partial(se_inception, halving=unpadded_pool)),
}
