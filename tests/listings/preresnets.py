"""What tutorials call ResNet with pre-activation, and the networks built of such units."""

from functools import partial

import torch.nn as nn
import torch.nn.functional as F
from listing import (
    ACTIVATION,
    NORMALISATION,
    TUTORIAL_0,
    Listing,
    Source,
    changed,
    dropout,
    gone,
)
from pieces import Do, Gated, conv, conv_norm_relu, flat, norm_relu, strides
from resnets import SMALL
from torch import Tensor


class Unit(nn.Module):
    """norm, ReLU, 3x3, norm, ReLU, 3x3, and what `behind` makes of it, plus a shortcut: where
    shapes change a 1x1 that reads the activated input, or the raw one if `raw`.
    """

    def __init__(
        self,
        c_in: int,
        c: int,
        stride: int,
        raw: bool = False,
        gated: bool = False,
        p: float | None = None,
        bias: bool = False,
    ):
        super().__init__()
        self.raw = raw
        self.first = norm_relu(c_in)
        self.conv1 = conv(c_in, c, 3, stride, bias=bias)
        self.second = nn.Sequential(*norm_relu(c), *([] if p is None else [nn.Dropout(p)]))
        self.conv2 = conv(c, c, 3, bias=bias)
        self.behind = gate(c) if gated else nn.Identity()
        if stride != 1 or c_in != c:
            self.shortcut = conv(c_in, c, 1, stride, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        activated = self.first(x)
        read = x if self.raw else activated
        shortcut = self.shortcut(read) if hasattr(self, "shortcut") else x
        out = self.conv2(self.second(self.conv1(activated)))
        return self.behind(out) + shortcut


def gate(c: int) -> nn.Module:
    """Squeezes square maps only, by a pool as high as they are."""
    return Gated(
        nn.Sequential(
            Do(lambda x: F.avg_pool2d(x, x.size(2))),
            *(nn.Conv2d(c, c // 16, 1), nn.ReLU(), nn.Conv2d(c // 16, c, 1)),
            Do(F.sigmoid),
        )
    )


def stages(unit, depths, c: int, widths=(64, 128, 256, 512), firsts=(1, 2, 2, 2)) -> nn.Sequential:
    found = nn.Sequential()
    for depth, width, first in zip(depths, widths, firsts, strict=True):
        for stride in strides(first, depth):
            found.append(unit(c, width, stride))
            c = width
    return found


def head(c: int, k: int, classes: int) -> nn.Sequential:
    return nn.Sequential(Do(partial(F.avg_pool2d, kernel_size=k)), flat(), nn.Linear(c, classes))


def eighteen(first, classes: int = 10, k: int = 4, out: int = 512, **unit):
    return nn.Sequential(first(), stages(partial(Unit, **unit), SMALL, 64), head(out, k, classes))


def wide(raw: bool, last_relu: bool, p: float | None, bias: bool) -> nn.Sequential:
    """28 layers, 10 times as wide."""
    unit = partial(Unit, raw=raw, p=p, bias=bias)
    last = norm_relu(640) if last_relu else nn.BatchNorm2d(640)
    return nn.Sequential(
        conv(3, 16, 3, bias=bias),
        stages(unit, (4, 4, 4), 16, (160, 320, 640), (1, 2, 2)),
        *(last, head(640, 8, 100 if bias else 10)),
    )


STEM = partial(conv_norm_relu, 3, 64, 3)

PREACTIVATED = (changed("norm and ReLU", "order", "before a convolution", "behind it", 16),)

LISTINGS = (
    Listing(
        "preresnet18_pytorch_cifar",
        partial(eighteen, partial(conv, 3, 64, 3)),
        Source(
            "kuangliu/pytorch-cifar",
            "models/preact_resnet.py",
            "010536eed3a8b762d4ed6076bd77f7ee40a6ff7f",
        ),
        (3, 32, 32),
        params=11_171_146,
        atlas="resnet18_32",
        differences=(
            *PREACTIVATED,
            gone("batch norm", 4, NORMALISATION),
            gone("relu", 1, ACTIVATION),
            changed("conv", "reads", "the activated input", "the input", 3),
        ),
        remark="no norm and no ReLU behind the last unit",
    ),
    Listing(
        "resnet18_of_2017",
        partial(eighteen, STEM),
        Source(
            "kuangliu/pytorch-cifar", "models/resnet.py", "0acfbc16e60efe8e4b6666196d4111206db29254"
        ),
        (3, 32, 32),
        params=11_171_274,
        atlas="resnet18_32",
        differences=(
            *PREACTIVATED,
            gone("batch norm", 3, NORMALISATION),
            changed("conv", "reads", "the activated input", "the input", 3),
        ),
        remark="called ResNet18, and of pre-activation units",
    ),
    Listing(
        "preresnet18_cifar100",
        partial(eighteen, partial(STEM, bias=True), 100, raw=True, bias=True),
        Source(
            "weiaicunzai/pytorch-cifar100",
            "models/preactresnet.py",
            "0d41819732d9e0b44094c616a96c7ab731889068",
        ),
        (3, 32, 32),
        params=11_222_244,
        atlas="resnet18_32",
        differences=(
            *PREACTIVATED,
            gone("batch norm", 3, NORMALISATION),
            changed("conv", "bias", True, False, 20),
        ),
    ),
    Listing(
        "senet18_pytorch_cifar",
        partial(eighteen, STEM, gated=True),
        Source(
            "kuangliu/pytorch-cifar", "models/senet.py", "c9a6af7f65685adbb817652b2a74d91c133ef685"
        ),
        (3, 32, 32),
        params=11_260_354,
        atlas="senet18_32_tutorial",
        starts_alike=True,
    ),
    Listing(
        "senet18_of_large_images",
        partial(eighteen, STEM, 1000, out=512 * 49, gated=True),
        TUTORIAL_0,
        (3, 224, 224),
        params=36_344_224,
        macs=27_240_637_440,
        atlas="senet18_tutorial",
        starts_alike=True,
        remark="for 224 pixels, with the first layers for 32",
    ),
    Listing(
        "wide_resnet28_10_xternalz",
        partial(wide, False, True, None, False),
        Source(
            "xternalz/WideResNet-pytorch",
            "wideresnet.py",
            "24a5cb12347b6eaea989b2a0d2759f7ebb00c9f6",
        ),
        (3, 32, 32),
        params=36_479_194,
        atlas="wide_resnet28_10_cifar",
    ),
    Listing(
        "wide_resnet28_10_cifar100",
        partial(wide, True, False, 0.5, True),
        Source(
            "weiaicunzai/pytorch-cifar100",
            "models/wideresidual.py, with depth=28",
            "9ab06a1b687f0010b942ed4e9c179e00cd47388b",
        ),
        (3, 32, 32),
        params=36_546_980,
        atlas="wide_resnet28_10_cifar",
        differences=(
            changed("conv", "bias", True, False, 28),
            changed("conv", "reads", "the raw input", "the activated input", 3),
            gone("relu", 1, ACTIVATION),
            dropout(0.5, None, 12),
        ),
    ),
)
