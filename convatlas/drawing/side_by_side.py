"""Two networks side by side: what answers to each other at one height, what differs in colour."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from convatlas.anatomy.beside import ALONE, CHANGED, Pair
from convatlas.anatomy.difference import Change
from convatlas.anatomy.wording import NONE
from convatlas.drawing.block import Block, is_frame, of_one_width
from convatlas.drawing.boxes import Scale
from convatlas.drawing.pages import MARGIN, TOP, heading, legend, looks_in, unbroken
from convatlas.drawing.picture import drawing_of, structure_of, whole_of
from convatlas.drawing.rows import Style, between, chain_block, label
from convatlas.drawing.scene import Item, Scene, moved
from convatlas.drawing.sketch import Piece
from convatlas.drawing.structure import Chain, Fan, Mesh
from convatlas.drawing.words import numbers_told

BETWEEN = 72  # the two networks
ONLY = ("only_a", "only_b")
LEGEND = {
    "same": "the same in both",
    "changed": "changed",
    "only_a": "in {a} alone",
    "only_b": "in {b} alone",
}


class Side(NamedTuple):
    """One of the two: its name, what is drawn of it, and how."""

    name: str
    whole: Piece
    style: Style


def scene(networks: Sequence[tuple], pairs: Sequence[Pair], level: str) -> Scene:
    """Of two networks, each (graph, rows, ends), and their units as anatomy.beside pairs them."""
    wholes = [
        whole_of(graph, rows, ends, level, _marks(pairs, number, graph, level))
        for number, (graph, rows, ends) in enumerate(networks)
    ]
    drawers = [
        drawing_of(whole, level, rows) for whole, (_, rows, _) in zip(wholes, networks, strict=True)
    ]
    for drawer in drawers:  # one length of bar means one cost
        drawer.scale = Scale(max(each.scale.full for each in drawers), drawer.scale.total)
    sides = [
        Side(network[0].network, whole, drawer.style(whole))
        for network, whole, drawer in zip(networks, wholes, drawers, strict=True)
    ]
    stacks = [_pieces(side) for side in sides]
    tops = _aligned(stacks, _answering([side.whole for side in sides], pairs, stacks))
    return _drawn(sides, stacks, tops)


def _marks(pairs: Sequence[Pair], number: int, graph, level: str) -> Callable[[str], str]:
    """What is said of a path: at the level of stages, of its whole unit."""
    marks = Marks(pairs, number, {box.name for box in graph.boxes})
    return marks.of_unit if level == "stage" else marks.of


class Marks:
    """What is said of each step of one of the networks: "same", "changed", "only_a" or "only_b"."""

    def __init__(self, pairs: Sequence[Pair], number: int, paths: set[str]):
        self.units: dict[str, str] = {}
        self.wholes: dict[str, str] = {}
        self.steps: dict[str, str] = {}
        for pair in pairs:
            unit, other = pair[number], pair[1 - number]
            if unit is None:
                continue
            self.units[unit] = ONLY[number] if pair.mark == ALONE else "same"
            self.wholes[unit] = "changed" if pair.mark == CHANGED else self.units[unit]
            if pair.mark == CHANGED:
                self._mark(pair.changes, unit, other or "", number, paths)

    def _mark(
        self, changes: Sequence[Change], unit: str, other: str, number: int, paths: set[str]
    ) -> None:
        for change in changes:
            alone = NONE in (change.a, change.b)
            if change.follows or (change.a, change.b)[number] == NONE:
                continue
            mark = ONLY[number] if alone else "changed"
            places = (
                {_moved(path, other, unit) for path in change.paths}
                if number and not alone
                else change.paths
            )
            found = [
                path
                for path in places
                if path in paths or any(p.startswith(f"{path}.") for p in paths)
            ]
            for path in found or [unit]:
                self.steps[path] = mark

    def of(self, path: str) -> str:
        return _nearest(path, self.steps) or _nearest(path, self.units) or "same"

    def of_unit(self, path: str) -> str:
        return _nearest(path, self.wholes) or "same"


def _nearest(path: str, found: Mapping[str, str]) -> str:
    """What is said of the path, or of the nearest module around it."""
    names = path.split(".")
    above = (".".join(names[:end]) for end in range(len(names), 0, -1))
    return next((found[prefix] for prefix in above if prefix in found), "")


def _moved(path: str, a: str, b: str) -> str:
    """A path in the unit a as it would be in the unit b."""
    return b + path[len(a) :] if path == a or path.startswith(f"{a}.") else path


def _pieces(side: Side) -> list[tuple[Chain, Block]]:
    """What may be moved apart, with frames of one width."""
    chains = unbroken(structure_of(side.whole))
    blocks = [chain_block(chain, side.style) for chain in chains]
    framed = [
        len(chain.parts) == 1 and is_frame(block)
        for chain, block in zip(chains, blocks, strict=True)
    ]
    return list(zip(chains, of_one_width(blocks, framed), strict=True))


def _answering(wholes: Sequence[Piece], pairs: Sequence[Pair], stacks) -> list[tuple[int, int]]:
    """Pieces of both that answer to each other, by their places in the stacks, in order."""
    place = [_places(whole, stack) for whole, stack in zip(wholes, stacks, strict=True)]
    found: list[tuple[int, int]] = [(0, 0)]
    for pair in pairs:
        if pair.a and pair.b:
            a, b = (place[n].get(path.partition(".")[0]) for n, path in enumerate(pair[:2]))
            if a is not None and b is not None and a > found[-1][0] and b > found[-1][1]:
                found.append((a, b))
    return found


def _places(whole: Piece, stack: Sequence[tuple[Chain, Block]]) -> dict[str, int]:
    """The names at the top of the network, by the number of the piece that draws them."""
    found: dict[str, int] = {}
    for number, (chain, _) in enumerate(stack):
        for part in chain.parts:
            if not isinstance(part, Fan | Mesh):
                found.setdefault(whole.parts[part].path.partition(".")[0], number)
    return found


def _aligned(stacks, answering: list[tuple[int, int]]) -> list[list[float]]:
    """Where each piece of both begins, those that answer to each other at one height."""
    tops: list[list[float]] = [[], []]
    ends = [0.0, 0.0]
    for goals in [*answering, tuple(map(len, stacks))]:
        for side in (0, 1):
            while len(tops[side]) < goals[side]:
                number = len(tops[side])
                tops[side].append(ends[side])
                ends[side] += stacks[side][number][1].height + 34
        ends = [max(ends)] * 2
    return tops


def _drawn(sides: Sequence[Side], stacks, tops) -> Scene:
    items: list[Item] = []
    x = float(MARGIN)
    for side, stack, places in zip(sides, stacks, tops, strict=True):
        head = heading(side.name, numbers_told(side.whole.params, side.whole.macs))
        left = max(block.left for _, block in stack)
        width = max(
            left + max(block.right for _, block in stack), *(text.bounds[2] for text in head)
        )
        items += [*moved(head, x, 0), *moved(_stacked(side.style, stack, places), x + left, TOP)]
        x += width + BETWEEN
    width = x - BETWEEN + MARGIN
    y = TOP + max(
        p + block.height
        for s, t in zip(stacks, tops, strict=True)
        for (_, block), p in zip(s, t, strict=True)
    )
    names = {"a": sides[0].name, "b": sides[1].name}
    looks = looks_in(items)
    entries = [(look, words.format(**names)) for look, words in LEGEND.items() if look in looks]
    key, high = legend(entries, width - 2 * MARGIN)
    items += moved(key, MARGIN, y + 22)
    return Scene(
        f"{names['a']} and {names['b']}", round(width), round(y + 22 + high + MARGIN), tuple(items)
    )


def _stacked(
    style: Style, stack: Sequence[tuple[Chain, Block]], tops: Sequence[float]
) -> list[Item]:
    items: list[Item] = []
    for number, ((chain, block), top) in enumerate(zip(stack, tops, strict=True)):
        items += moved(block.items, 0, top)
        if number + 1 == len(stack):
            break
        end, following = top + block.height, stack[number + 1][1]
        items += between(block.tails, following, end, tops[number + 1] - end)
        last = chain.parts[-1]
        words = "" if isinstance(last, Fan | Mesh) else style.label(last)
        items += label(words, end, min(tops[number + 1] - end, 34), len(following.heads) > 1, style)
    return items
