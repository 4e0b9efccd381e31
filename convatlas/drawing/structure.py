"""The series-parallel structure of a piece of wiring between one source and one sink.

Layers in a row are a Chain, branches side by side a Fan. What is neither, such as the cells of
NASNet or the hierarchy of Res2Net, is a Mesh: the smallest piece around it that one wire enters and
one leaves.
"""

from collections.abc import Hashable, Iterable
from typing import NamedTuple

Key = Hashable


class Chain(NamedTuple):
    """Keys, Fans and Meshes in the order they run; with no parts, a plain wire."""

    parts: tuple = ()


class Fan(NamedTuple):
    """Branches that begin at one place and end at one."""

    branches: tuple[Chain, ...]


class Mesh(NamedTuple):
    """`keys` in the order they run, and (from, to, chain between) for each wire; None is the
    source, and the sink.
    """

    keys: tuple[Key, ...]
    wires: tuple[tuple[Key | None, Key | None, Chain], ...]


Wire = tuple[Key, Key, Chain]


def structure(
    keys: Iterable[Key], wires: Iterable[tuple[Key, Key]], source: Key, sink: Key
) -> Chain:
    """Of the wiring from source to sink; keys in an order in which they can run, the source first
    and the sink last.

    Every key lies on a way from source to sink.
    """
    place = {key: number for number, key in enumerate(keys)}
    left: list[Wire] = [(a, b, Chain()) for a, b in dict.fromkeys(wires)]
    while True:
        left = _reduced(left, place, source, sink)
        if len(left) == 1:
            return left[0][2]
        left = _meshed(left, place, sink)


def _reduced(wires: list[Wire], place: dict[Key, int], source: Key, sink: Key) -> list[Wire]:
    """As far as rows and branches go."""
    while True:
        before = len(wires)
        wires = _in_rows(_side_by_side(wires), place, source, sink)
        if len(wires) == before:
            return wires


def _side_by_side(wires: list[Wire]) -> list[Wire]:
    """Wires with the same ends become one."""
    together: dict[tuple[Key, Key], list[Chain]] = {}
    for a, b, chain in wires:
        together.setdefault((a, b), []).append(chain)
    return [
        (a, b, chains[0] if len(chains) == 1 else Chain((Fan(tuple(_branches(chains))),)))
        for (a, b), chains in together.items()
    ]


def _branches(chains: list[Chain]) -> Iterable[Chain]:
    """Of fans among the chains, their branches."""
    for chain in chains:
        if len(chain.parts) == 1 and isinstance(chain.parts[0], Fan):
            yield from chain.parts[0].branches
        else:
            yield chain


def _in_rows(wires: list[Wire], place: dict[Key, int], source: Key, sink: Key) -> list[Wire]:
    """Keys that one wire enters and one leaves become part of a chain."""
    enters: dict[Key, list[Wire]] = {}
    leaves: dict[Key, list[Wire]] = {}
    for wire in wires:
        leaves.setdefault(wire[0], []).append(wire)
        enters.setdefault(wire[1], []).append(wire)
    inner = {key for key in enters if len(enters[key]) == 1 and len(leaves.get(key, ())) == 1} - {
        source,
        sink,
    }
    result = []
    for first in wires:
        if first[0] in inner:
            continue
        a, b, parts = first[0], first[1], first[2].parts
        while b in inner:
            following = leaves[b][0]
            parts, b = (*parts, b, *following[2].parts), following[1]
        result.append((a, b, Chain(parts)))
    return result


def _meshed(wires: list[Wire], place: dict[Key, int], sink: Key) -> list[Wire]:
    """The smallest piece that one wire enters and one leaves becomes a wire."""
    after: dict[Key, list[Key]] = {}
    before: dict[Key, list[Key]] = {}
    for a, b, _ in wires:
        after.setdefault(a, []).append(b)
        before.setdefault(b, []).append(a)
    best = None
    for key in sorted(after, key=place.__getitem__, reverse=True):
        inside, end = _until_together(key, after, place)
        closed = all(a == key or a in inside for b in inside for a in before[b])
        if inside and closed and (best is None or len(inside) < len(best[1])):
            best = key, inside, end
    if best is None:
        raise ValueError(f"no way from the source reaches the sink {sink!r}")
    start, inside, end = best
    mine = [wire for wire in wires if wire[0] in inside or wire[1] in inside]
    mesh = Mesh(
        tuple(sorted(inside, key=place.__getitem__)),
        tuple((None if a == start else a, None if b == end else b, chain) for a, b, chain in mine),
    )
    others = [wire for wire in wires if wire not in mine]
    return [*others, (start, end, Chain((mesh,)))]


def _until_together(
    key: Key, after: dict[Key, list[Key]], place: dict[Key, int]
) -> tuple[set, Key]:
    """The keys that follow, up to the first one through which all ways lead; and that one."""
    waiting, passed = set(after[key]), set()
    while len(waiting) > 1:
        first = min(waiting, key=place.__getitem__)
        waiting.remove(first)
        passed.add(first)
        waiting |= set(after.get(first, ()))
    return passed, waiting.pop()
