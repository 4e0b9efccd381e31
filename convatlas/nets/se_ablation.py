"""Squeeze-and-Excitation Networks, Secs. 6 and 7.1: the ablation study, all of it on SE-ResNet-50.

    Table 10         Table 13                    Table 15                  Table 16
    r     params     SE in    GFLOPs  params     design  GFLOPs  params    design     GFLOPs  params
    2     45.7M      stage 2  3.86    25.6M      SE      3.87    28.1M     NoSqueeze  4.27    28.1M
    4     35.7M      stage 3  3.86    25.7M      SE 3x3  3.86    25.8M     SE         3.87    28.1M
    8     30.7M      stage 4  3.86    26.4M
    16    28.1M      all      3.87    28.1M
    32    26.9M

Figure 5 draws the places of the gate that Table 14 compares: SE-PRE, SE-POST and SE-Identity.
"""
from functools import partial

import torch.nn as nn
from torch import Tensor

from convatlas.layers import ConvBN, Residual, seq
from convatlas.nets.resnet import DEPTHS, ResNet, bottleneck, bottleneck_branch, projection
from convatlas.paper import Paper

PAPER = Paper(
    title="Squeeze-and-Excitation Networks",
    authors="Hu, Shen, Albanie, Sun, Wu", year=2020, venue="TPAMI", arxiv="1709.01507v4",
    code="github.com/hujie-frank/SENet",
    silent="Which layer of a bottleneck strides, and the border of the max pool: resnet50's, with "
           "which the tables compare. Sec. 6 removes the biases of a gate's layers, so these have "
           "none, unlike se_resnet50. What lies on the identity branch of SE-Identity where a "
           "projection does: the gate after it. Where the shortcut of SE-PRE begins: before the "
           "gate. SE-3x3's gate, 'directly after the 3x3 convolutional layer': behind its batch "
           "norm and its ReLU. Stages are called by Table 1's rows: stage 2 is conv2_x, as in "
           "Figure 6. Batch norm has PyTorch's epsilon and momentum, 1e-5 and 0.1. Fully connected "
           "layers start as PyTorch's.",
    page="senet", bare="se_resnet50_pre")


class SqueezeExcite(nn.Module):
    """s = sigmoid(W2 relu(W1 GAP(u))) rescales u; no biases, Sec. 6.  (N, c, H, W) -> the same"""

    def __init__(self, c: int, r: int = 16):
        super().__init__()
        self.w1 = nn.Linear(c, c // r, bias=False)
        self.w2 = nn.Linear(c // r, c, bias=False)

    def forward(self, u: Tensor) -> Tensor:                 # (N, c, H, W)
        z = u.mean((2, 3))                                  # (N, c)
        s = self.w2(self.w1(z).relu()).sigmoid()            # (N, c)
        return u * s[:, :, None, None]                      # (N, c, H, W)


class NoSqueeze(nn.Module):
    """Sec. 7.1: no pooling, and 1x1 convolutions for the two layers; each pixel gates itself."""

    def __init__(self, c: int, r: int = 16):
        super().__init__()
        self.w1 = nn.Conv2d(c, c // r, 1, bias=False)
        self.w2 = nn.Conv2d(c // r, c, 1, bias=False)

    def forward(self, u: Tensor) -> Tensor:                 # (N, c, H, W)
        return u * self.w2(self.w1(u).relu()).sigmoid()     # (N, c, H, W)


def se(r: int, c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Figure 5(b): after the branch; r: Sec. 6.1."""
    unit, c_out = bottleneck(c_in, width, stride)
    unit.branch.add_module("se", SqueezeExcite(c_out, r))
    return unit, c_out


def se_in_one_stage(gated: int, c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Sec. 6.4: gates only in the stage of width `gated`."""
    if width == gated:
        return se(16, c_in, width, stride)
    return bottleneck(c_in, width, stride)


def se_3x3(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Sec. 6.5: directly after the 3x3 convolution."""
    branch = seq(
        conv1=ConvBN(c_in, width, 1, stride), relu1=nn.ReLU(),
        conv2=ConvBN(width, width, 3), relu2=nn.ReLU(),
        se=SqueezeExcite(width),
        conv3=ConvBN(width, 4 * width, 1))
    return Residual(branch, projection(c_in, 4 * width, stride)), 4 * width


def se_pre(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Figure 5(c): before the branch."""
    branch = seq(se=SqueezeExcite(c_in), residual=bottleneck_branch(c_in, width, stride))
    return Residual(branch, projection(c_in, 4 * width, stride)), 4 * width


def se_post(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Figure 5(d): after the addition and its ReLU."""
    unit, c_out = bottleneck(c_in, width, stride)
    return seq(unit=unit, se=SqueezeExcite(c_out)), c_out


def se_identity(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Figure 5(e): on the identity branch."""
    shortcut = seq(
        projection=projection(c_in, 4 * width, stride),
        se=SqueezeExcite(4 * width))
    return Residual(bottleneck_branch(c_in, width, stride), shortcut), 4 * width


def no_squeeze(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Sec. 7.1, in the place of Figure 5(b)."""
    unit, c_out = bottleneck(c_in, width, stride)
    unit.branch.add_module("se", NoSqueeze(c_out))
    return unit, c_out


VARIANTS = {
    "se_resnet50_r2": partial(ResNet, partial(se, 2), DEPTHS[50]),
    "se_resnet50_r4": partial(ResNet, partial(se, 4), DEPTHS[50]),
    "se_resnet50_r8": partial(ResNet, partial(se, 8), DEPTHS[50]),
    "se_resnet50_r16": partial(ResNet, partial(se, 16), DEPTHS[50]),
    "se_resnet50_r32": partial(ResNet, partial(se, 32), DEPTHS[50]),
    "se_resnet50_stage2": partial(ResNet, partial(se_in_one_stage, 64), DEPTHS[50]),
    "se_resnet50_stage3": partial(ResNet, partial(se_in_one_stage, 128), DEPTHS[50]),
    "se_resnet50_stage4": partial(ResNet, partial(se_in_one_stage, 256), DEPTHS[50]),
    "se_resnet50_3x3": partial(ResNet, se_3x3, DEPTHS[50]),
    "se_resnet50_pre": partial(ResNet, se_pre, DEPTHS[50]),
    "se_resnet50_post": partial(ResNet, se_post, DEPTHS[50]),
    "se_resnet50_identity": partial(ResNet, se_identity, DEPTHS[50]),
    "se_resnet50_no_squeeze": partial(ResNet, no_squeeze, DEPTHS[50]),
}
