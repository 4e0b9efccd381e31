"""Random networks: every edge of the drawn graph against autograd, which is another tracer."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
import torch.nn as nn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from convatlas.anatomy import network_graph
from convatlas.anatomy.network_graph import NetworkGraph

SIZE = (4, 6, 6)


class Gate(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x, other):
        return x * self.fc(other.mean((2, 3))).sigmoid()[:, :, None, None]


class Half(nn.Module):
    """Two parts, one of which goes through a layer."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 1)

    def forward(self, x, other):
        one, two = x.chunk(2, 1)
        return torch.cat([self.conv(two), one], 1)


class Joined(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 4, 1)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x, other):
        return self.norm(self.conv(torch.cat([x, other], 1)))


class Branched(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Conv2d(4, 4, 1), nn.Identity()

    def forward(self, x, other):
        return self.left(x) + self.right(x) - other


def written(x: Tensor, other: Tensor) -> Tensor:
    whole = torch.zeros_like(x)
    whole[:, ::2] = x[:, :2]
    whole[:, 1::2] = other[:, 2:]
    return whole


def added_to(x: Tensor, other: Tensor) -> Tensor:
    y = x.clone()
    y += other
    return y


def shuffled(x: Tensor, other: Tensor) -> Tensor:
    return x.unflatten(1, (2, 2)).transpose(1, 2).flatten(1, 2)


FREE = {
    "add": lambda x, other: x + other,
    "multiply": lambda x, other: x * other,
    "three": lambda x, other: x + other + x,
    "maximum": torch.maximum,
    "relu": lambda x, other: x.relu(),
    "numbers": lambda x, other: 2 * x - 1,
    "turned": lambda x, other: x.permute(0, 1, 3, 2),
    "written": written,
    "added": added_to,
    "shuffled": shuffled,
    "stacked": lambda x, other: torch.stack([x, other]).sum(0),
}
MODULES = {"gate": Gate, "half": Half, "joined": Joined, "branched": Branched}
STEPS = st.lists(
    st.tuples(st.sampled_from([*FREE, *MODULES, "again"]), st.integers(0, 9), st.integers(0, 9)),
    min_size=2,
    max_size=9,
)


class Random(nn.Module):
    """Steps on maps that are there already, by number from the last one back."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps
        self.first = nn.Conv2d(4, 4, 3, padding=1)
        made = {str(i): MODULES[word]() for i, (word, *_) in enumerate(steps) if word in MODULES}
        self.parts = nn.ModuleDict(made)

    def forward(self, x):
        maps = [x, self.first(x)]
        for i, (word, one, other) in enumerate(self.steps):
            a, b = maps[-1 - one % len(maps)], maps[-1 - other % len(maps)]
            if word in MODULES:
                maps.append(self.parts[str(i)](a, b))
            else:
                maps.append(self.first(a) if word == "again" else FREE[word](a, b))
        return maps[-1] + maps[-2]


def edges_by_gradient(net: nn.Module) -> set[tuple[int, int]]:
    """(layer, layer that reads it with no other layer between), by the order of their calls; -1 is
    the input, the number of all calls is the output.
    """
    reads: list[list[Tensor]] = []
    gives: list[Tensor] = []

    def cut(_, args, out):
        reads.append(list(args))
        gives.append(out.detach().requires_grad_())
        return gives[-1].clone()

    layers = [m for m in net.modules() if not [*m.children()] and not isinstance(m, nn.ModuleDict)]
    handles = [layer.register_forward_hook(cut) for layer in layers]
    x = torch.ones(2, *SIZE, requires_grad=True)
    reads.append([net.eval()(x.clone())])
    for handle in handles:
        handle.remove()
    found = set()
    for number, tensors in enumerate(reads):
        if not any(t.requires_grad for t in tensors):
            continue
        total = sum(t.sum() for t in tensors)
        grads = torch.autograd.grad(total, [x, *gives], allow_unused=True, retain_graph=True)
        found |= {(i - 1, number) for i, grad in enumerate(grads) if grad is not None}
    return found


def edges_drawn(graph: NetworkGraph) -> set[tuple[int, int]]:
    """The same of a drawn graph, through joins."""
    rows = sum(box.row is not None for box in graph.boxes)

    def above(place: int) -> Iterator[int]:
        for read in graph.boxes[place].reads:
            box = graph.boxes[read]
            if box.kind == "input":
                yield -1
            elif box.row is not None:
                yield box.row
            else:
                yield from above(read)

    ends = ((i, b.row) for i, b in enumerate(graph.boxes) if b.row is not None)
    last = len(graph.boxes) - 1
    return {(read, reader) for place, reader in [*ends, (last, rows)] for read in above(place)}


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[*HealthCheck])
@given(STEPS)
def test_edges_are_those_of_the_gradient(steps):
    torch.manual_seed(0)
    net = Random(steps)
    assert edges_drawn(network_graph.of(net, SIZE)) == edges_by_gradient(net)


@pytest.mark.parametrize("change", ["none", "lost", "invented"])
def test_a_lost_or_invented_edge_is_seen(change):
    net = Random([("joined", 0, 1), ("again", 0, 0)])
    graph = network_graph.of(net, SIZE)
    *boxes, last, output = graph.boxes
    reads = {"none": last.reads, "lost": last.reads[1:], "invented": (0, *last.reads)}[change]
    other = NetworkGraph("", SIZE, (*boxes, replace(last, reads=reads), output))
    assert (edges_drawn(other) == edges_by_gradient(net)) == (change == "none")
