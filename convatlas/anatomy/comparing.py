"""What sets two networks apart: only the differences, each with its cost in parameters and
multiply-adds.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import torch.nn as nn

from convatlas.anatomy.aligning import Match, align, within
from convatlas.anatomy.steps import CLASSES, Step, Walk
from convatlas.anatomy.table import by
from convatlas.anatomy.wording import NONE, made_of, numbers, ranges, what, words

TOP = "top level"  # what the network does itself, between its stages
WITH_NORM = " + norm"
NEAR = 6  # steps from one place to another of what has only moved


@dataclass(frozen=True)
class Side:
    """One of the two networks."""

    name: str
    input_size: tuple[int, ...]
    params: int
    macs: int


@dataclass(frozen=True)
class Change:
    """One difference, in all places of its block. `params` and `macs` are b's minus a's, summed
    over those places.
    """

    inside: str  # path inside the unit, b's where a has none; "" is the unit itself
    what: str  # the step that changes: "3x3 conv"; "" where a and b name whole steps
    a: str  # what sets a's form apart: "stride 2"; NONE where it has nothing there
    b: str
    params: int
    macs: int
    times: int = 1
    steps: tuple[str, ...] = ()  # all of them, where one network has them alone
    values: tuple[
        tuple[tuple, ...], ...
    ] = ()  # a's and b's numbers, one a step: what it reads, its map

    @property
    def key(self) -> tuple:
        """Changes of equal key are the same difference; where they have values, those do not
        matter.
        """
        return self.inside, self.what, bool(self.values) or (self.a, self.b, self.steps)


@dataclass(frozen=True)
class Block:
    """Units that differ in the same way. `places` are pairs of a's and b's path; None where one has
    nothing.
    """

    places: tuple[tuple[str | None, str | None], ...]
    changes: tuple[Change, ...]

    @property
    def where(self) -> tuple[str, str]:
        """The places in a and in b, in short: "conv3_x.1-3", "conv3_x.0, conv4_x.0"."""
        return tuple(
            ", ".join(ranges(path or TOP for path in paths if path is not None))
            for paths in zip(*self.places, strict=True)
        )


@dataclass(frozen=True)
class Difference:
    """All differences; their params and macs add up to the difference of the totals. `print` tells
    them.
    """

    a: Side
    b: Side
    blocks: tuple[Block, ...]

    def __bool__(self) -> bool:
        return bool(self.blocks)

    def __str__(self) -> str:
        lines = [
            f"{self.a.name} -> {self.b.name}: {self.b.params - self.a.params:+,} parameters, "
            f"{self.b.macs - self.a.macs:+,} MACs"
        ]
        for block in self.blocks:
            where = " | ".join(filter(None, dict.fromkeys(block.where)))
            lines += [
                ": ".join(
                    filter(None, (where, change.inside, change.what, f"{change.a} -> {change.b}"))
                )
                + f" ({change.params:+,} parameters, {change.macs:+,} MACs)"
                for change in block.changes
            ]
        return "\n".join(lines)


def diff(a: nn.Module, b: nn.Module, input_size: tuple[int, ...] | None = None) -> Difference:
    """How `b` differs from `a` in evaluation, for one image of `input_size` (C, H, W); by default
    each one's own.

    False where every step agrees: such networks differ in weights, in training or not at all.
    Raises ValueError as `summary` does.
    """
    return compare(Walk.of(a, input_size), Walk.of(b, input_size))


def compare(a: Walk, b: Walk) -> Difference:
    """The same for networks that have been traced already."""
    image = (
        []
        if a.size == b.size
        else [Block((("input", "input"),), (Change("", "image", by(a.size), by(b.size), 0, 0),))]
    )
    return Difference(_side(a), _side(b), tuple(image + _fold(_blocks(align(a, b)))))


def _side(walk: Walk) -> Side:
    return Side(walk.kind, walk.size, walk.params, sum(row.macs for row in walk.rows))


def _blocks(matches: Iterable[Match]) -> Iterator[Block]:
    for match in matches:
        changes = tuple(_one_sided(match) if None in (match.a, match.b) else _Unit(match).changes())
        if changes:
            yield Block(((match.a, match.b),), changes)


def _one_sided(match: Match) -> list[Change]:
    return [_alone("", *_sides(match.pairs))]


def _alone(inside: str, gone: list[Step], new: list[Step]) -> Change:
    return Change(
        inside,
        "",
        made_of(gone),
        made_of(new),
        *_cost(gone, new),
        steps=tuple(map(str, gone + new)),
    )


def _sides(pairs) -> tuple[list[Step], list[Step]]:
    return [a for a, _ in pairs if a], [b for _, b in pairs if b]


def _cost(a: Iterable[Step], b: Iterable[Step]) -> tuple[int, int]:
    return (
        sum(step.params for step in b) - sum(step.params for step in a),
        sum(step.macs for step in b) - sum(step.macs for step in a),
    )


class _Unit:
    """The changes inside one pair of units."""

    def __init__(self, match: Match):
        self.match, self.sides = match, _sides(match.pairs)
        self.found: dict[int, Change] = {}  # by the place of their first step
        self.weights: int | None = (
            None  # the last convolution or linear layer, if it is among those found
        )

    def changes(self) -> list[Change]:
        moved = {id(step): pair for pair in _moves(self.match) for step in pair}
        lone = []
        for i, (a, b) in enumerate(self.match.pairs):
            if a and b:
                self._pair(i, a, b)
            elif id(a or b) not in moved:
                lone.append((i, a, b))
            elif a:
                self.found[i] = self._moved(*moved[id(a)])
        self._lone(lone)
        return _merge(change for _, change in sorted(self.found.items()))

    def _pair(self, i: int, a: Step, b: Step) -> None:
        cost = _cost([a], [b])
        if a.family == "norm" and self.weights is not None:
            self._charge(cost)
            cost = 0, 0
        if a.like != b.like:
            self.found[i] = _own_change(self._inside(a, 0), a, b, cost)
        elif cost != (0, 0):
            self.found[i] = _follow_up(self._inside(a, 0), a, b, cost)
        if a.weighs or b.weighs:
            self.weights = i if a.like != b.like else None

    def _charge(self, cost: tuple[int, int]) -> None:
        """A norm has as many channels as the layer before it, whose change it follows."""
        if cost != (0, 0):
            change = self.found[self.weights]
            step = f"{change.what.removesuffix(WITH_NORM)}{WITH_NORM}"
            self.found[self.weights] = replace(
                change, what=step, params=change.params + cost[0], macs=change.macs + cost[1]
            )

    def _moved(self, a: Step, b: Step) -> Change:
        return Change(
            self._inside(a, 0),
            f"order of {b}",
            _behind(a, self.sides[0]),
            _behind(b, self.sides[1]),
            *_cost([a], [b]),
        )

    def _lone(self, lone: list[tuple[int, Step | None, Step | None]]) -> None:
        """Steps that one side has alone: a line for each module that does nothing else, and for
        each other step.

        What such a module does for one that is only partly new (a second branch and its sum) goes
        into that one's line.
        """
        sides = [{id(step) for entry in lone if (step := entry[side])} for side in (1, 2)]
        groups: dict[object, list] = {}
        for i, a, b in lone:
            side = 0 if a else 1
            home = self._home(a or b, side, sides[side])
            groups.setdefault((side, i) if home is None else home, []).append((i, a, b))
        for home, group in groups.items():
            gone, new = _sides([pair for _, *pair in group])
            inside = home if isinstance(home, str) else self._inside((gone or new)[0], home[0])
            self.found[group[0][0]] = _alone(inside, gone, new)

    def _home(self, step: Step, side: int, lone: set[int]) -> str | None:
        """The outermost module inside the unit that runs lone steps only, or works itself only on
        them.
        """
        names = self._path(step, side).split(".")
        for depth in range(1, len(names) + 1):
            module = ".".join(names[:depth])
            own = [other for other in self.sides[side] if self._path(other, side) == module]
            every = [
                other
                for other in self.sides[side]
                if f"{self._path(other, side)}.".startswith(f"{module}.")
            ]
            if module and all(id(other) in lone for other in own or every):
                return module
        return None

    def _path(self, step: Step, side: int) -> str:
        return within(step.name, self.match[side])

    def _inside(self, step: Step, side: int) -> str:
        """Where the step is; of a module with one convolution or linear layer, its path stands for
        that layer's.
        """
        path = self._path(step, side)
        parent = path.rpartition(".")[0]
        heavy = [self._path(other, side) for other in self.sides[side] if other.weighs]
        alone = sum(not parent or other.startswith(f"{parent}.") for other in heavy) == 1
        return parent if step.weighs and alone else path


def _merge(changes: Iterable[Change]) -> list[Change]:
    """The same change of several steps of a unit is told once."""
    same: dict[tuple, list[Change]] = {}
    for change in changes:
        same.setdefault((change.what, change.a, change.b, change.steps), []).append(change)
    return [
        replace(_sum(tuple(group)), inside=", ".join(ranges(change.inside for change in group)))
        for group in same.values()
    ]


def _moves(match: Match) -> Iterator[tuple[Step, Step]]:
    """Steps that both have, in one module, but at another place in its order."""
    pairs = list(match.pairs)
    for i, (a, b) in enumerate(pairs):
        if a and not b:
            home = within(a.name, match.a).rpartition(".")[0]
            for j in range(max(0, i - NEAR), min(len(pairs), i + NEAR + 1)):
                gone, other = pairs[j]
                if (
                    not gone
                    and other.like == a.like
                    and within(other.name, match.b).rpartition(".")[0] == home
                ):
                    pairs[j] = (other, other)
                    yield a, other
                    break


def _behind(step: Step, steps: list[Step]) -> str:
    place = next(i for i, other in enumerate(steps) if other is step)
    return f"after {steps[place - 1]}" if place else "first"


def _own_change(inside: str, a: Step, b: Step, cost: tuple[int, int]) -> Change:
    """A step with other settings. Rates of dropping, which grow from unit to unit, are numbers that
    fold.
    """
    change = Change(inside, what(a, b), *words(a, b), *cost)
    rates = a.kind == b.kind and {
        key for key in (*a.own, *b.own) if a.own.get(key) != b.own.get(key)
    } == {"p"}
    return (
        replace(change, values=tuple(((float(step.own["p"]),),) for step in (a, b)))
        if rates
        else change
    )


def _follow_up(inside: str, a: Step, b: Step, cost: tuple[int, int]) -> Change:
    """A step that is the same, but on what other steps have changed."""
    values = ((a.reads,), (b.reads,)) if a.reads != b.reads else (a.output[1:], b.output[1:])
    told = tuple((value,) for value in values) if values[0] != values[1] else ()
    texts = (f"{a.params:,} params", f"{b.params:,} params") if not told else map(numbers, told)
    return Change(inside, what(a, b), *texts, *cost, values=told)


def _fold(blocks: Iterable[Block]) -> list[Block]:
    """Blocks with the same changes become one, where the first of them was."""
    folded: dict[tuple, list[Block]] = {}
    for block in _spread(list(blocks)):
        one_sided = tuple(path is None for path in block.places[0])
        folded.setdefault((one_sided, *(change.key for change in block.changes)), []).append(block)
    return [
        Block(
            tuple(place for block in same for place in block.places),
            tuple(map(_sum, zip(*(block.changes for block in same), strict=True))),
        )
        for same in folded.values()
    ]


def _sum(same: tuple[Change, ...]) -> Change:
    total = replace(
        same[0],
        params=sum(change.params for change in same),
        macs=sum(change.macs for change in same),
        times=sum(change.times for change in same),
    )
    if not total.values:
        return total
    values = tuple(
        tuple(value for change in same for value in change.values[side]) for side in (0, 1)
    )
    return replace(total, values=values, a=numbers(values[0]), b=numbers(values[1]))


def _spread(blocks: list[Block]) -> list[Block]:
    """Takes out what is the same at several places of a unit and has no numbers of its own: a block
    for each.

    Another epsilon of all norms, a norm after all convolutions.
    """
    plain: dict[tuple, list[tuple[tuple, Change]]] = {}
    for block in blocks:
        for change in filter(_is_plain, block.changes):
            plain.setdefault((change.what, change.a, change.b), []).append(
                (block.places[0], change)
            )
    spread = [found for found in plain.values() if len({change.inside for _, change in found}) > 1]
    taken = {id(change) for found in spread for _, change in found}
    rest = [
        Block(block.places, left)
        for block in blocks
        if (left := tuple(change for change in block.changes if id(change) not in taken))
    ]
    return rest + [
        Block(
            tuple(dict.fromkeys(place for place, _ in found)),
            (replace(_sum(tuple(change for _, change in found)), inside=""),),
        )
        for found in spread
    ]


def _is_plain(change: Change) -> bool:
    if change.what:
        return not (change.params or change.macs or change.values)
    return (
        NONE in (change.a, change.b)
        and {change.a, change.b} & (CLASSES["norm"] | CLASSES["activation"]) != set()
    )
