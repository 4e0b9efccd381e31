"""What tutorials call SE-ResNet, and SqueezeNet: units with gates, and fire modules."""

from functools import partial

import torch.nn as nn
from listing import (
    ACTIVATION,
    NORMALISATION,
    PADDING,
    Listing,
    Source,
    changed,
    dropout,
    gone,
    new,
)
from pieces import Beside, Do, Gated, Plus, conv_norm, conv_norm_relu, flat, mean
from resnets import DEEP, SMALL, SMALL_STEM, projection, units


def gate(c: int, bias: bool) -> nn.Module:
    return Gated(
        nn.Sequential(
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
            *(nn.Linear(c, c // 16, bias=bias), nn.ReLU()),
            *(nn.Linear(c // 16, c, bias=bias), nn.Sigmoid()),
            Do(lambda s: s[:, :, None, None]),
        )
    )


def basic(c_in: int, width: int, stride: int, relu: bool, bias: bool) -> tuple[nn.Module, int]:
    """`relu`: one more, in front of the gate; `bias`: of the convolutions, in front of norms."""
    branch = nn.Sequential(
        conv_norm_relu(c_in, width, 3, stride, bias=bias),
        conv_norm(width, width, 3, bias=bias),
        *([nn.ReLU()] if relu else []),
        gate(width, bias=True),
    )
    return Plus(branch, projection(c_in, width, stride, bias=bias), nn.ReLU()), width


def bottleneck(c_in: int, width: int, stride: int) -> tuple[nn.Module, int]:
    branch = nn.Sequential(
        conv_norm_relu(c_in, width, 1),
        conv_norm_relu(width, width, 3, stride),
        conv_norm(width, 4 * width, 1),
        gate(4 * width, bias=False),
    )
    return Plus(branch, projection(c_in, 4 * width, stride), nn.ReLU()), 4 * width


def full_stem(**pool) -> nn.Sequential:
    return nn.Sequential(conv_norm_relu(3, 64, 7, 2), nn.MaxPool2d(3, stride=2, **pool))


def network(first, unit, depths, out: int, classes: int) -> nn.Sequential:
    return nn.Sequential(first(), units(unit, depths, 64), mean(), nn.Linear(out, classes))


def fire(c_in: int, squeezed: int, c_out: int) -> nn.Sequential:
    layer = partial(conv_norm_relu, bias=True)
    both = Beside(layer(squeezed, c_out // 2, 1), layer(squeezed, c_out // 2, 3))
    return nn.Sequential(layer(c_in, squeezed, 1), both)


def squeezenet() -> nn.Sequential:
    """With shortcuts past the third, fifth and seventh, as numbered in the paper."""
    halved = partial(nn.MaxPool2d, 2, 2)
    return nn.Sequential(
        *(conv_norm_relu(3, 96, 3, bias=True), halved(), fire(96, 16, 128)),
        *(Plus(fire(128, 16, 128)), fire(128, 32, 256), halved()),
        *(Plus(fire(256, 32, 256)), fire(256, 48, 384), Plus(fire(384, 48, 384))),
        *(fire(384, 64, 512), halved(), fire(512, 64, 512)),
        *(nn.Conv2d(512, 100, 1), nn.AdaptiveAvgPool2d(1), flat()),
    )


LISTINGS = (
    Listing(
        "se_resnet18_cifar100",
        partial(
            network,
            partial(conv_norm_relu, 3, 64, 3, bias=True),
            partial(basic, relu=True, bias=True),
            SMALL,
            512,
            100,
        ),
        Source(
            "weiaicunzai/pytorch-cifar100",
            "models/senet.py",
            "0d41819732d9e0b44094c616a96c7ab731889068",
        ),
        (3, 32, 32),
        params=11_314_012,
        atlas="se_resnet18",
        differences=(
            *SMALL_STEM,
            changed("conv", "bias", True, False, 20),
            new("relu", 8, ACTIVATION),
        ),
        remark="a ReLU in front of each gate",
    ),
    Listing(
        "se_resnet18_timm",
        partial(
            network,
            partial(full_stem, ceil_mode=True),
            partial(basic, relu=True, bias=False),
            SMALL,
            512,
            1000,
        ),
        Source("huggingface/pytorch-image-models", "timm/models/senet.py: legacy_seresnet18"),
        (3, 224, 224),
        params=11_778_592,
        atlas="se_resnet18",
        differences=(new("relu", 8, ACTIVATION),),
        remark="a ReLU in front of each gate",
    ),
    Listing(
        "se_resnet50_moskomule",
        partial(network, partial(full_stem, padding=1), bottleneck, DEEP, 2048, 1000),
        Source(
            "moskomule/senet.pytorch",
            "senet/se_resnet.py",
            "099acb5c44a51324be0b262458f2a85e160d9cf4",
        ),
        (3, 224, 224),
        params=28_071_976,
        atlas="se_resnet50_v15",
        differences=(changed("linear", "bias", False, True, 32),),
        remark="strides in the 3x3",
    ),
    Listing(
        "squeezenet_cifar100",
        squeezenet,
        Source(
            "weiaicunzai/pytorch-cifar100",
            "models/squeezenet.py",
            "0d41819732d9e0b44094c616a96c7ab731889068",
        ),
        (3, 32, 32),
        params=781_156,
        printed="0.78M",
        atlas="squeezenet1_0_simple_bypass",
        differences=(
            changed("conv", "kernel", (3, 3), (7, 7)),
            changed("conv", "stride", 1, 2),
            changed("conv", "padding", "half", 0, group=PADDING),
            new("batch norm", 25, NORMALISATION),
            changed("max pool", "kernel", (2, 2), (3, 3), 3),
            gone("add", 1),
            gone("relu", 1, ACTIVATION),
            dropout(None, 0.5),
        ),
    ),
)
