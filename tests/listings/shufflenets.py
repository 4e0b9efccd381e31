"""What tutorials call ShuffleNet, versions 1 and 2."""

from functools import partial

import torch
import torch.nn as nn
from listing import (
    ACTIVATION,
    NORMALISATION,
    TUTORIAL_0,
    Listing,
    Source,
    changed,
    gone,
    new,
)
from pieces import Beside, Plus, Shuffle, conv, conv_norm, conv_norm_relu, mean
from torch import Tensor

UNITS = (4, 8, 4)


def branch(
    c_in: int,
    middle: int,
    c_out: int,
    first_groups: int,
    g: int,
    stride: int,
    *,
    biases: tuple[bool, bool] = (False, False),
    relu: bool = False,
    shuffled: int | None = None,
) -> nn.Sequential:
    """1x1 in groups, shuffle, depthwise 3x3 (with a ReLU behind it if `relu`), 1x1 in groups.
    `biases`: of the 1x1 and of the depthwise convolutions.
    """
    pointwise, depthwise = biases
    return nn.Sequential(
        conv_norm_relu(c_in, middle, 1, groups=first_groups, bias=pointwise),
        Shuffle(g if shuffled is None else shuffled),
        conv_norm(middle, middle, 3, stride, groups=middle, bias=depthwise),
        nn.ReLU() if relu else nn.Identity(),
        conv_norm(middle, c_out, 1, groups=g, bias=pointwise),
    )


def first_version(
    first,
    widths: tuple[int, int, int],
    g: int,
    classes: int,
    *,
    grouped_at_once: bool = False,
    branch_first: bool = False,
    quarter_of_the_rest: bool = False,
    **more,
) -> nn.Sequential:
    """`grouped_at_once`: also the first 1x1 of all; `branch_first`: the branch's channels stand
    before those of the shortcut; `quarter_of_the_rest`: the bottleneck of a strided unit is a
    quarter of what its branch adds, not of the unit's channels.
    """
    body = nn.Sequential()
    c = 24
    for width, units in zip(widths, UNITS, strict=True):
        middle = (width - c if quarter_of_the_rest else width) // 4
        groups = 1 if c == 24 and not grouped_at_once else g
        if quarter_of_the_rest:
            more["shuffled"] = groups
        down = branch(c, middle, width - c, groups, g, 2, **more)
        pool = nn.AvgPool2d(3, stride=2, padding=1)
        body.extend([Beside(*((down, pool) if branch_first else (pool, down))), nn.ReLU()])
        more.pop("shuffled", None)
        for _ in range(units - 1):
            body.append(Plus(branch(width, width // 4, width, g, g, 1, **more), after=nn.ReLU()))
        c = width
    return nn.Sequential(first(), body, mean(), nn.Linear(c, classes))


def bare_stem() -> nn.Sequential:
    """Nothing stands behind the first convolution but a pool."""
    return nn.Sequential(conv(3, 24, 3, 2, bias=True), nn.MaxPool2d(3, stride=2, padding=1))


def jaxony(depthwise: bool) -> nn.Sequential:
    """`depthwise`: those convolutions have biases too, and log-probabilities come out."""
    net = first_version(bare_stem, (240, 480, 960), 3, 1000, biases=(True, depthwise))
    return net.append(nn.LogSoftmax(dim=1)) if depthwise else net


class Split(nn.Module):
    """The first half of the channels passes by, the other goes through a branch; then shuffled."""

    def __init__(self, c: int, bias: bool):
        super().__init__()
        self.branch = nn.Sequential(
            conv_norm_relu(c // 2, c // 2, 1, bias=bias),
            conv_norm(c // 2, c // 2, 3, groups=c // 2, bias=bias),
            conv_norm_relu(c // 2, c // 2, 1, bias=bias),
        )
        self.shuffle = Shuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        passes, goes = x.chunk(2, dim=1)
        return self.shuffle(torch.cat((passes, self.branch(goes)), dim=1))


def down(c_in: int, c_out: int, middle: int, bias: bool) -> nn.Sequential:
    """Both branches give half of the output."""
    half = c_out // 2
    left = nn.Sequential(
        conv_norm(c_in, c_in, 3, 2, groups=c_in, bias=bias),
        conv_norm_relu(c_in, half, 1, bias=bias),
    )
    right = nn.Sequential(
        conv_norm_relu(c_in, middle, 1, bias=bias),
        conv_norm(middle, middle, 3, 2, groups=middle, bias=bias),
        conv_norm_relu(middle, half, 1, bias=bias),
    )
    return nn.Sequential(Beside(left, right), Shuffle(2))


def second_version(
    first,
    widths: tuple[int, int, int, int],
    classes: int,
    *,
    narrow: bool = False,
    bias: bool = False,
) -> nn.Sequential:
    """`narrow`: the right branch of a strided unit is as wide as its input, not as its output."""
    *stages, last = widths
    body = nn.Sequential()
    c = 24
    for width, units in zip(stages, UNITS, strict=True):
        body.append(down(c, width, c if narrow else width // 2, bias))
        body.extend(Split(width, bias) for _ in range(units - 1))
        c = width
    return nn.Sequential(
        *(first(), body, conv_norm_relu(c, last, 1, bias=bias)),
        *(mean(), nn.Linear(last, classes)),
    )


def full_stem() -> nn.Sequential:
    return nn.Sequential(conv_norm_relu(3, 24, 3, 2), nn.MaxPool2d(3, stride=2, padding=1))


ONE = (116, 232, 464, 1024)
TWO = (224, 488, 976, 2048)
SMALL_STEM = (changed("conv", "stride", 1, 2), gone("max pool", 1))

LISTINGS = (
    Listing(
        "shufflenet_g3_of_the_post",
        partial(jaxony, False),
        TUTORIAL_0,
        (3, 224, 224),
        params=1_875_760,
        atlas="shufflenet_v1_g3_tutorial",
        remark="its log-softmax left out",
    ),
    Listing(
        "shufflenet_g3_jaxony",
        partial(jaxony, True),
        Source("jaxony/ShuffleNet", "model.py", "e9bf42f0cda8dda518cafffd515654cc04584e7a"),
        (3, 224, 224),
        params=1_877_920,
        atlas="shufflenet_v1_g3_tutorial",
        differences=(
            changed("conv", "bias", True, False, 16),
            new("log softmax", 1, ACTIVATION),
        ),
    ),
    Listing(
        "shufflenet_g2_pytorch_cifar",
        partial(
            first_version,
            partial(conv_norm_relu, 3, 24, 1),
            (200, 400, 800),
            2,
            10,
            relu=True,
            branch_first=True,
            quarter_of_the_rest=True,
        ),
        Source(
            "kuangliu/pytorch-cifar",
            "models/shufflenet.py",
            "1130789bb523571523c4863cbcb95d7827546378",
        ),
        (3, 32, 32),
        params=887_582,
        atlas="shufflenet_v1_g2",
        differences=(
            changed("conv", "kernel", (1, 1), (3, 3)),
            *SMALL_STEM,
            new("relu", 16, ACTIVATION),
            changed("concat", "order", "the branch first", "the shortcut first", 3),
            gone("rearrange", 1),
            changed("conv", "channels", 44, 50, 2),
            changed("conv", "channels", 50, 100, 2),
            changed("conv", "channels", 100, 200, 2),
            changed("linear", "bias", True, False),
        ),
        remark="a ReLU behind the depthwise convolution, and narrower strided units",
    ),
    Listing(
        "shufflenet_g3_cifar100",
        partial(
            first_version,
            partial(conv_norm_relu, 3, 24, 3, bias=True),
            (240, 480, 960),
            3,
            100,
            grouped_at_once=True,
            biases=(True, True),
        ),
        Source(
            "weiaicunzai/pytorch-cifar100",
            "models/shufflenet.py",
            "8a52feb02956efc4b077376185543dc7a9b75fea",
        ),
        (3, 32, 32),
        params=1_012_108,
        printed="1.0M",
        atlas="shufflenet_v1_g3_tutorial",
        differences=(
            *SMALL_STEM,
            new("batch norm", 1, NORMALISATION),
            new("relu", 1, ACTIVATION),
            changed("conv", "bias", True, False, 16),
            changed("conv", "groups", 3, 1),
        ),
        remark="its test for the first stage never holds, so the first 1x1 is grouped too",
    ),
    Listing(
        "shufflenet_v2_pytorch_cifar",
        partial(second_version, partial(conv_norm_relu, 3, 24, 3), ONE, 10),
        Source(
            "kuangliu/pytorch-cifar",
            "models/shufflenetv2.py",
            "15306bbe6485337fa5000a7c4c82507d504493e4",
        ),
        (3, 32, 32),
        params=1_263_854,
        atlas="shufflenet_v2_torchvision",
        differences=SMALL_STEM,
        starts_alike=True,
    ),
    Listing(
        "shufflenet_v2_cifar100",
        partial(
            second_version,
            partial(conv_norm, 3, 24, 3, bias=True),
            ONE,
            100,
            narrow=True,
            bias=True,
        ),
        Source(
            "weiaicunzai/pytorch-cifar100",
            "models/shufflenetv2.py",
            "225510f10957c372852ffe61bc19188dc455ece0",
        ),
        (3, 32, 32),
        params=1_360_896,
        printed="1.3M",
        atlas="shufflenet_v2_torchvision",
        differences=(
            *SMALL_STEM,
            gone("relu", 1, ACTIVATION),
            changed("conv", "bias", True, False, 56),
            changed("conv", "channels", 24, 58, 2),
        ),
        starts_alike=True,
    ),
    Listing(
        "shufflenet_v2_of_the_post",
        partial(second_version, full_stem, TWO, 1000),
        TUTORIAL_0,
        (3, 224, 224),
        params=7_366_536,
        atlas="shufflenet_v2_torchvision_x2_0",
        differences=(
            changed("conv", "channels", 112, 122, 13),
            changed("conv", "channels", 224, 244),
        ),
        starts_alike=True,
        remark="224 channels where the table has 244",
    ),
)
