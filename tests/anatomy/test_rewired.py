"""diff of networks with the same layers, wired otherwise; and of one network in other clothes."""

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from convatlas import wiring
from convatlas.anatomy import diff
from convatlas.anatomy.comparing import compare
from convatlas.anatomy.dropping import Drop
from convatlas.anatomy.habits import Habits
from convatlas.anatomy.steps import Walk
from convatlas.wiring import Graph, Node

SIZE = (4, 8, 8)


class Three(nn.Module):
    """Three convolutions and how a subclass puts them together."""

    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(4, 4, 3, padding=1)
        self.two = nn.Conv2d(4, 4, 3, padding=1)
        self.three = nn.Conv2d(4, 4, 3, padding=1)


class Chained(Three):
    def forward(self, x: Tensor) -> Tensor:
        y = self.one(x).relu()
        return self.three(self.two(y)) + y


class Parallel(Three):
    def forward(self, x: Tensor) -> Tensor:
        y = self.one(x).relu()
        return self.three(y) + self.two(y)


class FromTheInput(Three):
    def forward(self, x: Tensor) -> Tensor:
        return self.three(self.two(x)) + self.one(x).relu()


class Twice(Three):
    def forward(self, x: Tensor) -> Tensor:
        y = self.one(x).relu()
        return self.two(self.two(y)) + y


def wired(join) -> nn.Module:
    """Two branches that are joined in one of the ways that differ in order alone."""

    def forward(self, x: Tensor) -> Tensor:
        return join(self.one(x).relu(), self.two(x))

    return type("Joined", (Three,), {"forward": forward})()


def told(a: nn.Module, b: nn.Module) -> list[tuple[str, str, str, str]]:
    """What is told, with where; once it is known that none of it costs anything."""
    found = diff(a, b, SIZE)
    assert not found.same
    return [
        ((change.paths or ("",))[0], change.what, change.a, change.b)
        for block in found.blocks
        for change in block.changes
    ]


def test_a_layer_that_reads_another_map():
    assert told(Chained(), FromTheInput()) == [
        ("two", "conv", "after relu", "after the input"),
    ]


def test_parallel_and_chained_branches():
    assert told(Chained(), Parallel()) == [
        ("three", "conv", "after conv", "after relu"),
        ("", "add", "after relu, conv", "after conv"),
    ]


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (
            lambda x, y: x - y,
            lambda x, y: y - x,
            ("order of subtract", "relu, conv", "conv, relu"),
        ),
        (
            lambda x, y: torch.cat([x, y], 1),
            lambda x, y: torch.cat([y, x], 1),
            ("order of concat", "relu, conv", "conv, relu"),
        ),
        (
            lambda x, y: x / y,
            lambda x, y: y / x,
            ("order of divide", "relu, conv", "conv, relu"),
        ),
        (
            lambda x, y: x * y.sigmoid(),
            lambda x, y: x.sigmoid() * y,
            ("sigmoid", "after conv", "after relu"),
        ),
    ],
)
def test_which_is_first_and_which_gates_which(a, b, words):
    assert words in [change[1:] for change in told(wired(a), wired(b))]


def test_sums_and_products_have_no_order():
    for join in (lambda x, y: x + y, lambda x, y: x * y):
        assert diff(wired(join), wired(lambda x, y, join=join: join(y, x)), SIZE).same


def test_weights_that_two_layers_share():
    changes = told(Chained(), Twice())
    assert ("two", "weights of conv", "its own", "shared with two") in changes


def test_answers_in_another_order():
    a = wired(lambda x, y: (x, y))
    b = wired(lambda x, y: (y, x))
    assert told(a, b) == [("", "output", "of relu, two", "of two, relu")]


class Renamed(nn.Module):
    """Chained, in other words."""

    def __init__(self):
        super().__init__()
        self.features = nn.ModuleList([nn.Conv2d(4, 4, 3, padding=1) for _ in range(3)])
        self.active = nn.ReLU(inplace=True)
        self.off = nn.Dropout(0.0)

    def forward(self, x: Tensor) -> Tensor:
        kept = self.active(self.features[2](x))
        y = F.pad(kept, (1, 1, 1, 1))
        y = F.conv2d(y, self.features[0].weight, self.features[0].bias)
        return torch.add(kept.view(kept.shape), self.off(self.features[1](y)))


def test_one_network_in_other_clothes_is_the_same():
    found = diff(Chained(), Renamed(), SIZE)
    assert found.same
    assert not found
    assert (found.a.params, found.a.macs) == (found.b.params, found.b.macs)


def test_the_same_network_that_trains_otherwise_is_the_same_and_yet_told():
    class Dropping(Chained):
        def __init__(self, p: float):
            super().__init__()
            self.three = nn.Sequential(nn.Dropout(p), self.three)

    found = diff(Dropping(0.1), Dropping(0.5), SIZE)
    assert found.same
    assert found
    assert [
        (change.group, change.what, change.a, change.b)
        for block in found.blocks
        for change in block.changes
    ] == [("training", "dropout", "p 0.1", "p 0.5")]
    found = diff(Chained(), Dropping(0.5), SIZE)
    assert found.same
    assert [
        (change.what, change.a, change.b) for block in found.blocks for change in block.changes
    ] == [("dropout", "-", "p 0.5")]


def test_graphs_alone_can_be_compared():
    graphs = [wiring.of(net(), SIZE) for net in (Chained, Renamed, Parallel)]
    assert diff(graphs[0], graphs[1]).same
    assert not diff(graphs[0], graphs[2]).same
    assert (
        compare(Walk.of(graphs[0]), Walk.of(graphs[2])).blocks
        == diff(Chained(), Parallel(), SIZE).blocks
    )


def test_what_has_no_words_is_not_called_the_same_either():
    def graph(side: int) -> Graph:
        nodes = Node("input", {}, (), (), (4,)), Node("odd", {}, (0,), (), (side,), "here")
        return Graph("Odd", (4,), nodes, (0,), (1,))

    drop = Habits((Drop(2, "off", "dropout", {"p": 0.5}),))
    found = compare(Walk(graph(4), Habits()), Walk(graph(5), drop))
    assert not found.same
    assert [
        (change.group, change.what, change.a, change.b, change.paths)
        for block in found.blocks
        for change in block.changes
    ] == [
        ("training", "dropout", "-", "p 0.5", ("off",)),
        ("structure", "wiring", "odd as it is", "otherwise", ("here",)),
    ]
