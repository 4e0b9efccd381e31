"""The most that a network must hold at a time while it answers for one image.

A map is held from the step that writes it to the last one that reads it. Plain records: works on
a stored graph without torch.
"""

from dataclasses import dataclass
from math import prod

from convatlas.anatomy.network_graph import NetworkGraph
from convatlas.anatomy.spending import ACTIVATION, JOIN, NORM, Spent, hands_on

IN_PLACE = (ACTIVATION, NORM, JOIN)  # can write over what they read


@dataclass(frozen=True)
class Peak:
    """The step at which most is held."""

    values: int  # of all maps that are held then, what it reads and writes included
    name: str  # of the step
    output: tuple[int, ...]  # that it writes


def peak(graph: NetworkGraph, boxes: list[Spent], in_place: bool = False) -> Peak:
    """The most values that are held at a time, weights left out, when the boxes run in order.

    With `in_place`, activations, norms and sums write over a map that nobody reads any more, as
    engines do that fuse them into the layer before.
    """
    roots = _roots(graph)
    last = {}
    for place, box in enumerate(graph.boxes):
        last.update(dict.fromkeys((roots[read] for read in box.reads), place))
    held = {place: prod(box.output) for place, box in enumerate(graph.boxes) if box.kind == "input"}
    most = Peak(sum(held.values()), "", graph.size)
    for place, box in enumerate(graph.boxes):
        if roots[place] == place and place not in held:
            spare = _spare(graph, place, roots, last) if in_place else None
            if boxes[place].kind in IN_PLACE and spare is not None:
                held.pop(spare)
            held[place] = prod(box.output)
            most = max(most, Peak(sum(held.values()), box.name, box.output), key=_values)
        for root in {roots[read] for read in box.reads}:
            if last[root] == place:
                held.pop(root, None)
    return most


def _values(found: Peak) -> int:
    return found.values


def _roots(graph: NetworkGraph) -> list[int]:
    """For each box the one that wrote the values it hands on: itself, mostly."""
    roots: list[int] = []
    for place, box in enumerate(graph.boxes):
        roots.append(roots[box.reads[0]] if box.reads and hands_on(box) else place)
    return roots


def _spare(graph: NetworkGraph, place: int, roots: list[int], last: dict[int, int]) -> int | None:
    """A map of its own size that the box reads as the last one."""
    size = prod(graph.boxes[place].output)
    for read in graph.boxes[place].reads:
        root = roots[read]
        if last[root] == place and prod(graph.boxes[root].output) == size:
            return root
    return None
