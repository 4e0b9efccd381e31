"""What tutorials call ResNeXt and RegNet."""

from functools import partial

import torch.nn as nn
from listing import Listing, Source, changed, new
from pieces import Gated, Plus, conv_norm, conv_norm_relu, mean, strides
from resnets import projection


def block(
    c_in: int, width: int, c_out: int, stride: int, groups: int, squeezed: int = 0
) -> nn.Module:
    gates = [gate(width, squeezed)] if squeezed else []
    branch = nn.Sequential(
        conv_norm_relu(c_in, width, 1),
        conv_norm_relu(width, width, 3, stride, groups=groups),
        *gates,
        conv_norm(width, c_out, 1),
    )
    return Plus(branch, projection(c_in, c_out, stride), nn.ReLU())


def gate(c: int, squeezed: int) -> nn.Module:
    layers = (nn.Conv2d(c, squeezed, 1), nn.ReLU(), nn.Conv2d(squeezed, c, 1), nn.Sigmoid())
    return Gated(nn.Sequential(nn.AdaptiveAvgPool2d((1, 1)), *layers))


def resnext(cardinality: int, width: int) -> nn.Sequential:
    """Its first convolution is 1x1; blocks end in twice the grouped width."""
    body = nn.Sequential()
    c = 64
    for i in range(3):
        grouped = cardinality * width * 2**i
        for stride in strides(2 if i else 1, 3):
            body.append(block(c, grouped, 2 * grouped, stride, cardinality))
            c = 2 * grouped
    return nn.Sequential(conv_norm_relu(3, 64, 1), body, mean(), nn.Linear(c, 10))


def regnet(depths, widths, group: int, gated: bool = False) -> nn.Sequential:
    """64 channels in front; only the last two stages stride."""
    body = nn.Sequential()
    c = 64
    for depth, width, first in zip(depths, widths, (1, 1, 2, 2), strict=True):
        for stride in strides(first, depth):
            squeezed = round(c / 4) if gated else 0
            body.append(block(c, width, width, stride, width // group, squeezed))
            c = width
    return nn.Sequential(conv_norm_relu(3, 64, 3), body, mean(), nn.Linear(c, 10))


REGNET = Source(
    "kuangliu/pytorch-cifar", "models/regnet.py", "9b0869d54827cee40e7e7130d6ea8f8a3976b7d4"
)
NO_STRIDES = (
    changed("conv", "channels", 64, 32),
    changed("conv", "stride", 1, 2),  # the first layer
    changed("conv", "stride", 1, 2, 4),  # 3x3 and 1x1 of the first unit of two stages
)

LISTINGS = (
    Listing(
        "resnext29_2x64d_pytorch_cifar",
        partial(resnext, 2, 64),
        Source(
            "kuangliu/pytorch-cifar",
            "models/resnext.py",
            "6b8115abaa914534ed81de8537585e51c39ec736",
        ),
        (3, 32, 32),
        params=9_128_778,
        atlas="resnext29_8x64d_cifar",
        differences=(
            changed("conv", "kernel", (1, 1), (3, 3)),
            changed("conv", "groups", 2, 8, 9),
            changed("conv", "channels", 128, 512, 6),
            changed("conv", "channels", 256, 1024, 6),
            changed("conv", "channels", 512, 2048, 6),
        ),
        remark="its first convolution is 1x1",
    ),
    Listing(
        "regnetx_200mf_pytorch_cifar",
        partial(regnet, (1, 1, 4, 7), (24, 56, 152, 368), 8),
        REGNET,
        (3, 32, 32),
        params=2_321_946,
        atlas="regnetx_200mf",
        differences=NO_STRIDES,
    ),
    Listing(
        "regnety_400mf_pytorch_cifar",
        partial(regnet, (1, 2, 7, 12), (32, 64, 160, 384), 16, True),
        REGNET,
        (3, 32, 32),
        params=5_714_362,
        atlas="regnetx_400mf",
        differences=(
            *NO_STRIDES,
            new("global average", 22),
            new("linear", 44),
            new("relu", 22, "activation"),
            new("sigmoid", 22, "activation"),
            new("multiply", 22),
        ),
        remark="the widths of RegNetX with the gates of RegNetY",
    ),
)
