"""Blocks of networks that have neither names nor steps in common are compared by their place."""

import random
from functools import cache

import pytest
import torch.nn as nn

from convatlas.anatomy import diff
from convatlas.anatomy.difference import Difference
from convatlas.anatomy.placing import blocks_of, by_place
from convatlas.anatomy.steps import Walk
from convatlas.cli.differences import compared

SIZE = (3, 32, 32)
MOBILE = ("mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large")


@cache
def found(a: str, b: str) -> Difference:
    return compared(a, b)


def places(difference: Difference) -> set[tuple[str | None, str | None]]:
    return {pair for block in difference.blocks for pair in block.places}


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (*MOBILE[:2], {("conv3", "bottleneck2.0"), ("conv8", "bottleneck4.1")}),
        (*MOBILE[:2], {(None, "bottleneck3.2"), ("conv14", "bottleneck6.1")}),
        (*MOBILE[1:], {("bottleneck3.0", "bneck4"), ("bottleneck5.0", "bneck11")}),
        (MOBILE[0], MOBILE[2], {("conv4", "bneck3"), ("conv13", "bneck13"), (None, "bneck15")}),
    ],
)
def test_blocks_of_the_mobilenets_answer_to_each_other(a, b, expected):
    assert expected <= places(found(a, b))


@pytest.mark.parametrize(("a", "b"), [MOBILE[:2], MOBILE[1:]])
def test_what_the_blocks_cost_adds_up(a, b):
    difference = found(a, b)
    changes = [change for block in difference.blocks for change in block.changes]
    assert sum(c.params for c in changes) == difference.b.params - difference.a.params
    assert sum(c.macs for c in changes) == difference.b.macs - difference.a.macs


def test_a_depthwise_convolution_answers_to_one_of_another_window():
    (change,) = [
        change
        for block in found(MOBILE[0], MOBILE[2]).blocks
        for change in block.changes
        if ("conv5", "bneck4") in block.places and change.what.startswith("depthwise conv")
    ]
    assert (change.a, change.b) == ("3x3, 128 channels", "5x5, 72 channels")


def block(reads: int, gives: int, stride: int, names: str, wide: int) -> nn.Sequential:
    first, last = names.split()
    inner = nn.Conv2d(reads, wide, 3, stride, 1)
    return _named({first: inner, f"{first}_r": nn.ReLU(), last: nn.Conv2d(wide, gives, 1)})


def _named(layers: dict[str, nn.Module]) -> nn.Sequential:
    unit = nn.Sequential()
    for name, layer in layers.items():
        unit.add_module(name, layer)
    return unit


class Stages(nn.Sequential):
    """Stages s0, s1, ... of a few blocks each; every stage halves the map in its first block."""

    def __init__(self, counts, names: str, letter: str, wide: int):
        super().__init__()
        width = 3
        for stage, count in enumerate(counts):
            units = nn.Sequential()
            for i in range(count):
                unit = block(width if i == 0 else 8, 8, 2 if i == 0 else 1, names, wide)
                units.add_module(f"{letter}{i}", unit)
            self.add_module(f"{letter}{letter}{stage}", units)
            width = 8


def test_order_within_each_resolution():
    a = Stages((2, 3), "spread gather", "u", 8)
    b = Stages((3, 2), "one two", "v", 24)
    pairs = [(x and x.path, y and y.path) for x, y in by_place(Walk.of(a, SIZE), Walk.of(b, SIZE))]
    assert pairs == [
        *(("uu0.u0", "vv0.v0"), ("uu0.u1", "vv0.v1"), (None, "vv0.v2")),
        *(("uu1.u0", "vv1.v0"), ("uu1.u1", "vv1.v1"), ("uu1.u2", None)),
    ]


def test_pairs_of_single_layers_are_blocks():
    net = nn.Sequential()
    for name in ("a", "b"):
        conv = [nn.Conv2d(3, 3, k, padding=k // 2) for k in (3, 1)]
        net.add_module(name, _named({"dw": _named({"c": conv[0]}), "pw": _named({"c": conv[1]})}))
    assert [part.path for part in blocks_of(Walk.of(net, SIZE))] == ["a", "b"]


def test_nothing_is_lost_whatever_is_compared():
    draw = random.Random(0)
    for _ in range(12):
        nets = [
            Stages([draw.randint(1, 3) for _ in range(draw.randint(1, 3))], "p q", "u", 8),
            Stages([draw.randint(1, 3) for _ in range(draw.randint(1, 3))], "r s", "v", 16),
        ]
        difference = diff(*nets, SIZE)
        changes = [change for each in difference.blocks for change in each.changes]
        assert sum(c.params for c in changes) == difference.b.params - difference.a.params
        assert sum(c.macs for c in changes) == difference.b.macs - difference.a.macs
