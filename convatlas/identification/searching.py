"""Which network of the atlas a graph is, by the index: the same signature, at the size that the
network of the atlas has, or else the nearest profile, and of near ones the one that differs least.
No network is built here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import lt

from convatlas import stored_walks
from convatlas.anatomy.comparing import compare
from convatlas.anatomy.difference import SILENT, Difference
from convatlas.anatomy.steps import Walk
from convatlas.errors import IdentifyError
from convatlas.identification.sizes import Size
from convatlas.identification.subject import Subject
from convatlas.index.wirings import Wiring, biased, likeness, neutral, profile
from convatlas.wiring import Graph, signature

CLOSE = 0.9  # of the best likeness: others whose size is tried, too
FEW = 12  # of them
MOST_COMPARED = 4  # of those that are close, beside each of which the subject is laid
MOST_SIZES = 3  # on which a network is traced besides the first
NORM = "batch norm"
RENEW = "run `python -m convatlas.index --wirings`"


@dataclass(frozen=True)
class Found:
    """`names` are networks of equal signature, in the order of the index; where there are none,
    the nearest, the nearest first. `walk` is the subject's, at the size at which it was found.
    """

    names: tuple[str, ...]
    walk: Walk
    same: bool
    folded: bool  # whether the norms of the atlas's network must be folded for it
    likeness: float


def search(subject: Subject, sizes: Sequence[Size], held: Mapping[str, Wiring]) -> Found:
    """The networks of these that the subject may be: of equal signature, or near. `sizes` are those
    that the caller wants, of which the first that runs is taken, and no other is tried.
    """
    first = subject.walk(sizes)
    if found := _same(subject, first, held):
        return found
    ranked = _ranked(first.graph, held)
    walks = {first.graph.size: first}
    for size in () if sizes else _sizes(ranked, held, first.graph):
        walk = _walked(subject, size)
        if walk is None:
            continue
        walks[size] = walk
        if found := _same(subject, walk, held):
            return found
    if not subject.exported:
        ranked = _by_differences(ranked, first)
    score, nearest = ranked[0]
    walk = walks.get(_with_channels(held[nearest].size, first.graph), first)
    folded = subject.exported and _is_folded(walk.graph, held[nearest])
    return Found(tuple(name for _, name in ranked[:FEW]), walk, False, folded, score)


def _same(subject: Subject, walk: Walk, held: Mapping[str, Wiring]) -> Found | None:
    """Networks whose signature is this graph's, as it is or with their norms folded. Only an
    exporter leaves biases out that are zero.
    """
    graph = neutral(walk.graph)
    signed = signature(graph)
    names = tuple(name for name, each in held.items() if signed == each.plain)
    if names:
        return Found(names, walk, True, False, 1.0)
    if any(node.op == NORM for node in graph.nodes):
        return None
    signed = signature(biased(graph) if subject.exported else graph)
    names = tuple(name for name, each in held.items() if signed == each.folded)
    return Found(names, walk, True, True, 1.0) if names else None


def _ranked(graph: Graph, held: Mapping[str, Wiring]) -> list[tuple[float, str]]:
    """All networks by their likeness, the nearest first; of equal ones as the index has them."""
    own = profile(neutral(graph))
    scored = [(likeness(own, (each.exact, each.coarse)), name) for name, each in held.items()]
    return sorted(scored, key=lambda pair: -pair[0])


def _by_differences(ranked: list[tuple[float, str]], walk: Walk) -> list[tuple[float, str]]:
    """The same with the nearest first: of those that are about as like, which profiles without
    order cannot tell apart, a later one where it differs in fewer ways and in fewer places.
    """
    near = [pair for pair in ranked[:MOST_COMPARED] if pair[0] >= CLOSE * ranked[0][0]]
    best = ranked[0]
    if len(near) == 1:
        return ranked
    walks = {pair: stored_walks.stored(pair[1]) for pair in near}
    counts = {pair: _counts(compare(theirs, walk)) for pair, theirs in walks.items() if theirs}
    for pair in counts:
        if best in counts and all(map(lt, counts[pair], counts[best])):
            best = pair
    return [best, *(pair for pair in ranked if pair != best)]


def _counts(difference: Difference) -> tuple[int, int]:
    """In how many ways an answer is changed, and in how many places in all."""
    told = [
        change
        for block in difference.blocks
        for change in block.changes
        if change.group not in SILENT and not change.follows
    ]
    return len(told), sum(change.times for change in told)


def _sizes(ranked: list[tuple[float, str]], held: Mapping[str, Wiring], first: Graph) -> list[Size]:
    """The sizes of the nearest networks, with the subject's channels."""
    best = ranked[0][0]
    near = [name for score, name in ranked[:FEW] if score >= CLOSE * best]
    sizes = dict.fromkeys(_with_channels(held[name].size, first) for name in near)
    return [size for size in sizes if size != first.size][:MOST_SIZES]


def _with_channels(size: Size, graph: Graph) -> Size:
    return (*graph.size[:1], *size[1:])


def _walked(subject: Subject, size: Size) -> Walk | None:
    try:
        return subject.walk([size])
    except IdentifyError:  # a size that it does not run on
        return None


def _is_folded(graph: Graph, nearest: Wiring) -> bool:
    """Whether it has no batch norms where the nearest has them."""
    return all(node.op != NORM for node in graph.nodes) and nearest.exact.get(NORM, 0) > 0
