"""What tutorials call MobileNetV3."""

from functools import partial

import torch.nn as nn
from listing import (
    ACTIVATION,
    NORMALISATION,
    TUTORIAL_3,
    Listing,
    Source,
    activation,
    changed,
    dropout,
    epsilon,
    momentum,
    new,
)
from pieces import Do, Gated, HardSigmoid, HardSwish, Plus, conv, conv_norm, mean
from torch import Tensor

# kernel, expanded, channels, gate, hard swish, stride
LARGE = (
    *((3, 16, 16, 0, 0, 1), (3, 64, 24, 0, 0, 2), (3, 72, 24, 0, 0, 1)),
    *((5, 72, 40, 1, 0, 2), (5, 120, 40, 1, 0, 1), (5, 120, 40, 1, 0, 1)),
    *((3, 240, 80, 0, 1, 2), (3, 200, 80, 0, 1, 1), (3, 184, 80, 0, 1, 1)),
    *((3, 184, 80, 0, 1, 1), (3, 480, 112, 1, 1, 1), (3, 672, 112, 1, 1, 1)),
    *((5, 672, 160, 1, 1, 2), (5, 960, 160, 1, 1, 1), (5, 960, 160, 1, 1, 1)),
)
# the first draft's: one block more, 672 to 160 before it strides
DRAFT = (*LARGE[:12], (5, 672, 160, 1, 1, 1), (5, 672, 160, 1, 1, 2), LARGE[14])
SMALL = (
    *((3, 16, 16, 1, 0, 2), (3, 72, 24, 0, 0, 2), (3, 88, 24, 0, 0, 1), (5, 96, 40, 1, 1, 2)),
    *((5, 240, 40, 1, 1, 1), (5, 240, 40, 1, 1, 1), (5, 120, 48, 1, 1, 1)),
    *((5, 144, 48, 1, 1, 1), (5, 288, 96, 1, 1, 2), (5, 576, 96, 1, 1, 1)),
    (5, 576, 96, 1, 1, 1),
)
DRAFT_SMALL = (
    *SMALL[:3],
    *((5, 96, 40, 1, 0, 2), (5, 240, 40, 1, 0, 1), (5, 240, 40, 1, 0, 1)),
    *SMALL[6:],
)


def rounded(c: int) -> int:
    found = max(8, (c + 4) // 8 * 8)
    return found + 8 if found < 0.9 * c else found


def gate(c: int, squeezed: int) -> nn.Module:
    return Gated(
        nn.Sequential(
            *(mean(), nn.Linear(c, squeezed), nn.ReLU(), nn.Linear(squeezed, c), HardSigmoid()),
            Do(lambda s: s.view(*s.shape, 1, 1)),
        )
    )


def normed_gate(c: int) -> nn.Module:
    """1x1 convolutions without biases, a norm behind each."""
    return Gated(
        nn.Sequential(
            *(nn.AdaptiveAvgPool2d(1), conv_norm(c, c // 4, 1), nn.ReLU()),
            *(conv_norm(c // 4, c, 1), HardSigmoid()),
        )
    )


def gate_before_activation(c_in: int, row: tuple[int, ...]) -> nn.Module:
    """Where a block expands, its gate reads the norm; the activation stands behind the gate."""
    k, c, c_out, gated, swish, stride = row
    act = HardSwish if swish else nn.ReLU
    gates = [gate(c, rounded(c // 4))] if gated else []
    depthwise = conv_norm(c, c, k, stride, groups=c)
    if c == c_in:
        branch = nn.Sequential(depthwise, act(), *gates, conv_norm(c, c_out, 1))
    else:
        branch = nn.Sequential(
            *(conv_norm(c_in, c, 1), act(), depthwise, *gates, act(), conv_norm(c, c_out, 1))
        )
    return Plus(branch) if stride == 1 and c_in == c_out else branch


def active_projection(c_in: int, row: tuple[int, ...]) -> nn.Module:
    """An activation behind the sum, or behind the projection; shortcuts through a 1x1 convolution;
    an expansion also where it widens nothing.
    """
    k, c, c_out, gated, swish, stride = row
    act = HardSwish if swish else nn.ReLU6
    branch = nn.Sequential(
        *(conv_norm(c_in, c, 1), act(), conv_norm(c, c, k, stride, groups=c), act()),
        *([normed_gate(c)] if gated else []),
        conv_norm(c, c_out, 1),
    )
    if stride > 1:
        return nn.Sequential(branch, act())
    return Plus(branch, None if c_in == c_out else conv_norm(c_in, c_out, 1), act())


def body(block, rows) -> nn.Sequential:
    found = nn.Sequential()
    c = 16
    for row in rows:
        found.append(block(c, row))
        c = row[2]
    return found


def gated_early() -> nn.Sequential:
    return nn.Sequential(
        *(conv_norm(3, 16, 3, 2), HardSwish(), body(gate_before_activation, LARGE)),
        *(conv_norm(160, 960, 1), HardSwish(), mean()),
        *(nn.Linear(960, 1280), HardSwish(), nn.Dropout(0.2), nn.Linear(1280, 1000)),
    )


def active_throughout() -> nn.Sequential:
    return nn.Sequential(
        *(conv_norm(3, 16, 3, 2), HardSwish(), body(active_projection, LARGE)),
        *(conv_norm(160, 960, 1), HardSwish(), nn.AdaptiveAvgPool2d(1)),
        *(conv(960, 1280, 1), HardSwish(), conv(1280, 10, 1), nn.Flatten()),
    )


class Draft(nn.Module):
    """A block of the first draft: no activation behind the depthwise convolution, one behind the
    projection.
    """

    def __init__(self, c_in: int, row: tuple[int, ...]):
        super().__init__()
        k, c, c_out, gated, swish, stride = row
        act = HardSwish if swish else nn.ReLU
        self.adds = stride == 1 and c_in == c_out
        self.expand = nn.Sequential(conv_norm(c_in, c, 1), act())
        self.depthwise = conv_norm(c, c, k, stride, groups=c, bias=True)
        self.gate = gate(c, c // 4) if gated else nn.Identity()
        self.project = nn.Sequential(conv_norm(c, c_out, 1, bias=True), act())

    def forward(self, x: Tensor) -> Tensor:
        out = self.project(self.gate(self.depthwise(self.expand(x))))
        return x + out if self.adds else out


def draft(rows, c: int, gated: bool) -> nn.Sequential:
    """`gated`: a gate between the last convolution and its norm."""
    last = rows[-1][2]
    return nn.Sequential(
        *(conv_norm(3, 16, 3, 2, bias=True), HardSwish(), body(Draft, rows)),
        *(conv(last, c, 1, bias=True), *([gate(c, c // 4)] if gated else []), nn.BatchNorm2d(c)),
        *(HardSwish(), nn.AdaptiveAvgPool2d(1)),
        *(conv(c, 1280, 1, bias=True), HardSwish(), conv(1280, 1000, 1, bias=True), nn.Flatten()),
    )


normed = partial(conv_norm, eps=1e-3, momentum=0.01)


def torchvision_block(c_in: int, row: tuple[int, ...]) -> nn.Module:
    k, c, c_out, gated, swish, stride = row
    act = nn.Hardswish if swish else nn.ReLU
    squeezed = rounded(c // 4)
    gates = Gated(
        nn.Sequential(
            *(nn.AdaptiveAvgPool2d(1), nn.Conv2d(c, squeezed, 1), nn.ReLU()),
            *(nn.Conv2d(squeezed, c, 1), nn.Hardsigmoid()),
        )
    )
    branch = nn.Sequential(
        *([] if c == c_in else [normed(c_in, c, 1), act()]),
        *(normed(c, c, k, stride, groups=c), act(), *([gates] if gated else [])),
        normed(c, c_out, 1),
    )
    return Plus(branch) if stride == 1 and c_in == c_out else branch


def reduced_tail() -> nn.Sequential:
    """Large, half as wide from the last stage on."""
    rows = (*LARGE[:12], (5, 672, 80, 1, 1, 2), (5, 480, 80, 1, 1, 1), (5, 480, 80, 1, 1, 1))
    return nn.Sequential(
        *(normed(3, 16, 3, 2), nn.Hardswish(), body(torchvision_block, rows)),
        *(normed(80, 480, 1), nn.Hardswish(), mean()),
        *(nn.Linear(480, 640), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(640, 1000)),
    )


LEADER = "leaderj1001/MobileNetV3-Pytorch"

LISTINGS = (
    Listing(
        "mobilenet_v3_large_of_the_post",
        partial(draft, DRAFT, 960, False),
        Source(LEADER, "model.py, as a post prints it"),
        (3, 224, 224),
        params=5_152_518,
        macs=248_776_032,
        atlas="mobilenet_v3_large_tutorial",
    ),
    Listing(
        "mobilenet_v3_small_of_the_post",
        partial(draft, DRAFT_SMALL, 576, True),
        Source(LEADER, "model.py, as a post prints it"),
        (3, 224, 224),
        params=3_111_462,
        macs=60_285_408,
        atlas="mobilenet_v3_small_tutorial",
    ),
    Listing(
        "mobilenet_v3_large_reduced_tail",
        reduced_tail,
        TUTORIAL_3,
        (3, 224, 224),
        params=2_569_352,
        atlas="mobilenet_v3_large_reduced_tail",
    ),
    Listing(
        "mobilenet_v3_large_d_li14",
        gated_early,
        Source(
            "d-li14/mobilenetv3.pytorch",
            "mobilenetv3.py",
            "3e6938cedcbbc5ee5bc50780ea18e644702d85fc",
        ),
        (3, 224, 224),
        params=5_483_032,
        macs=216_589_760,
        atlas="mobilenet_v3_large",
        differences=(
            epsilon(1e-5, 1e-3, 46),
            changed("gate", "order", "before the activation", "behind the activation", 8),
            momentum(0.1, 0.01, 46),
        ),
        remark="as many parameters as the paper's",
    ),
    Listing(
        "mobilenet_v3_large_xiaolai",
        active_throughout,
        Source(
            "xiaolai-sqlai/mobilenetv3",
            "mobilenetv3.origin.py",
            "34440a4b271cc38f2550e9fa03bc588a0debf67d",
        ),
        (3, 224, 224),
        params=4_226_260,
        atlas="mobilenet_v3_large",
        differences=(
            epsilon(1e-5, 1e-3, 46),
            activation("relu6", "relu", 11),
            new("relu6", 7, ACTIVATION),
            new("h-swish", 9, ACTIVATION),
            new("conv", 1),
            new("batch norm", 1, NORMALISATION),
            new("conv", 1),
            new("batch norm", 1, NORMALISATION),
            new("add", 1),
            new("batch norm", 16, NORMALISATION),
            changed("linear", "channels", 18, 24),
            changed("linear", "channels", 30, 32, 2),
            changed("linear", "bias", False, True, 18),
            dropout(None, 0.2),
            momentum(0.1, 0.01, 46),
        ),
        remark="active behind its projections, norms in its gates, shortcuts through convolutions",
    ),
)
