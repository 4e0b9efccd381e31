"""Which network of the atlas a graph is, by the index: the same signature, at the size that the
network of the atlas has, or else the nearest profile. No network is built here.
"""

from dataclasses import dataclass

from convatlas.errors import IdentifyError
from convatlas.identification.sizes import Size
from convatlas.identification.subject import Subject
from convatlas.index.wirings import Wiring, likeness, neutral, profile
from convatlas.wiring import Graph, signature

CLOSE = 0.9  # of the best likeness: others whose size is tried, too
FEW = 12  # of them
MOST_SIZES = 3  # on which a network is traced besides the first
NORM = "batch norm"


@dataclass(frozen=True)
class Found:
    """`names` are networks of equal signature, in the order of the index; of none, the nearest
    first. `graph` is the subject's, at the size at which it was found.
    """

    names: tuple[str, ...]
    graph: Graph
    same: bool
    folded: bool  # whether the norms of the atlas's network must be folded for it
    likeness: float


def search(
    subject: Subject, sizes: list[Size], known: dict[str, Wiring], only: str = ""
) -> Found:
    """The networks that the subject may be: of equal signature, or near. `sizes` are those that
    the caller wants, of which the first that runs is taken and no other tried; `only` is the one
    network that it is held against.
    """
    held = {only: known[only]} if only else known
    if not held:
        raise IdentifyError("the index holds no network; run `python -m convatlas.index --wirings`")
    first = subject.graph(sizes)
    if found := _same(first, held):
        return found
    ranked = _ranked(first, held)
    graphs = {first.size: first}
    if not sizes:
        for size in _sizes(ranked, held, first):
            graph = _traced(subject, size)
            if graph is None:
                continue
            graphs[size] = graph
            if found := _same(graph, held):
                return found
    score, nearest = ranked[0]
    own = _with_channels(held[nearest].size, first)
    folded = subject.exported and _is_folded(first, held[nearest])
    names = tuple(name for _, name in ranked[:FEW])
    return Found(names, graphs.get(own, first), False, folded, score)


def _same(graph: Graph, held: dict[str, Wiring]) -> Found | None:
    """Networks whose signature is this graph's, as it is or with their norms folded."""
    signed = signature(neutral(graph))
    for folded in (False, True):
        names = tuple(
            name
            for name, each in held.items()
            if signed == (each.folded if folded else each.plain)
        )
        if names:
            return Found(names, graph, True, folded, 1.0)
    return None


def _ranked(graph: Graph, held: dict[str, Wiring]) -> list[tuple[float, str]]:
    """All networks by their likeness, the nearest first; of equal ones as the index has them."""
    own = profile(neutral(graph))
    scored = [(likeness(own, (each.exact, each.coarse)), name) for name, each in held.items()]
    return sorted(scored, key=lambda pair: -pair[0])


def _sizes(
    ranked: list[tuple[float, str]], held: dict[str, Wiring], first: Graph
) -> list[Size]:
    """The sizes of the nearest networks, with the subject's channels."""
    best = ranked[0][0]
    near = [name for score, name in ranked[:FEW] if score >= CLOSE * best]
    sizes = dict.fromkeys(_with_channels(held[name].size, first) for name in near)
    return [size for size in sizes if size != first.size][:MOST_SIZES]


def _with_channels(size: Size, graph: Graph) -> Size:
    return (*graph.size[:1], *size[1:])


def _traced(subject: Subject, size: Size) -> Graph | None:
    try:
        return subject.graph([size])
    except IdentifyError:  # a size that it does not run on
        return None


def _is_folded(graph: Graph, nearest: Wiring) -> bool:
    """Whether it has no batch norms where the nearest has them, and biases instead."""
    has_norms = any(node.op == NORM for node in graph.nodes)
    layers = [node for node in graph.nodes if node.op == "conv"]
    return (
        not has_norms
        and nearest.exact.get(NORM, 0) > 0
        and bool(layers)
        and all(node.own.get("bias") for node in layers)
    )
