"""Operations of two graphs that answer to each other whatever they are called: everything that
leads to them is the same, or everything that follows.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence

from convatlas.wiring import Graph, Node
from convatlas.wiring.graph import COMMUTATIVE


def anchors(a: Graph, b: Graph) -> dict[int, int]:
    """Places of nodes of `a`, with the places of those of `b`; one to one."""
    pairs: dict[int, int] = {}
    for keys in (_leading, _following):
        taken = set(pairs.values())
        here = _places(a, keys(a), set(pairs))
        there = _places(b, keys(b), taken)
        for key, places in here.items():
            others = there.get(key, ())
            if len(places) == len(others):
                pairs.update(_in_order(a, b, places, others))
    return pairs


def _places(graph: Graph, keys: list[int], taken: set[int]) -> dict[int, list[int]]:
    found = defaultdict(list)
    for place, key in enumerate(keys):
        if place not in taken:
            found[key].append(place)
    return found


def _in_order(a: Graph, b: Graph, places: list[int], others: list[int]) -> dict[int, int]:
    """Equal ones, such as branches that are alike: by name, or else as they come."""
    names = {b.nodes[other].name: other for other in others}
    if len(names) == len(others) and names.keys() == {a.nodes[place].name for place in places}:
        return {place: names[a.nodes[place].name] for place in places}
    return dict(zip(places, others, strict=True))


def _leading(graph: Graph) -> list[int]:
    """A key for each node of all that leads to it."""
    keys: list[int] = []
    for place, node in enumerate(graph.nodes):
        sources = _turned(node, [keys[read] for read in node.reads])
        entry = graph.inputs.index(place) if place in graph.inputs else None
        keys.append(hash((_does(node), entry, sources)))
    return keys


def _following(graph: Graph) -> list[int]:
    """A key for each node of all that follows it."""
    ends: dict[int, list[Hashable]] = defaultdict(list)
    for position, place in enumerate(graph.outputs):
        ends[place].append(("output", position))
    keys = [0] * len(graph.nodes)
    for place in reversed(range(len(graph.nodes))):
        node = graph.nodes[place]
        keys[place] = hash((_does(node), tuple(sorted(map(hash, ends[place])))))
        for position, read in enumerate(node.reads):
            ends[read].append((keys[place], 0 if node.op in COMMUTATIVE else position))
    return keys


def _does(node: Node) -> Hashable:
    own = {key: value for key, value in node.own.items() if key != "over"}
    return node.op, frozenset(own.items()), tuple(sorted(node.own.get("over", ())))


def _turned(node: Node, sources: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(sources) if node.op in COMMUTATIVE else sources)
