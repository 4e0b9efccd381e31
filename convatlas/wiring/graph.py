"""What a graph of operations is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod


@dataclass(frozen=True)
class Weight:
    """A parameter or a running statistic: its name in the network, and its shape."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Node:
    """One operation. `own` holds every setting that changes its answer, and no other."""

    op: str  # in the field's words; aten's name where the field has none
    own: Mapping[str, object]
    reads: tuple[int, ...]  # places in Graph.nodes, in order; sums and products have no order
    weights: tuple[Weight, ...]
    output: tuple[int, ...]  # without the batch
    name: str = ""  # dotted path of the module that runs it
    params: int = 0  # weights that train, where they are first used
    macs: int = 0


@dataclass(frozen=True)
class Graph:
    """The operations of a network for one input `size`, in an order in which each reads earlier
    ones. It holds for that size.
    """

    kind: str
    size: tuple[int, ...]
    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    @cached_property
    def readers(self) -> tuple[tuple[int, ...], ...]:
        """For each node the places of those that read it, one for each reading."""
        found = [[] for _ in self.nodes]
        for place, node in enumerate(self.nodes):
            for read in node.reads:
                found[read].append(place)
        return tuple(map(tuple, found))


COMMUTATIVE = frozenset({"add", "multiply"})


def bare(shape: tuple[int, ...]) -> tuple[int, ...]:
    """(512, 1, 1) -> (512,): sides of one at the end hold nothing."""
    kept = len(shape)
    while kept > 1 and shape[kept - 1] == 1:
        kept -= 1
    return tuple(shape[:kept])


def numel(weight: Weight) -> int:
    return prod(weight.shape)
