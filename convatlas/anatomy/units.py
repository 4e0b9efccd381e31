"""The changes inside one pair of units."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from operator import itemgetter

from convatlas.anatomy.difference import Change
from convatlas.anatomy.gathering import merged
from convatlas.anatomy.pairing import Match
from convatlas.anatomy.parts import within
from convatlas.anatomy.rewired import Wires
from convatlas.anatomy.steps import Step
from convatlas.anatomy.wording import group_of, made_of, numbers, unlike, what, words

WITH_NORM = " + norm"
NEAR = 8  # steps from one place to another of what has only moved


def told(inside: str, words: tuple[str, str, str], a: list[Step], b: list[Step], **more) -> Change:
    """A change of these steps: `words` are what changes, and a's and b's form of it."""
    paths = dict.fromkeys(step.name for step in a or b)
    more.setdefault("group", group_of(a, b))
    return Change(inside, *words, *_cost(a, b), paths=tuple(paths), **more)


def alone(inside: str, gone: list[Step], new: list[Step]) -> Change:
    """Steps that one side has alone; of layers that drop the rates are numbers that fold."""
    if all({"p"} == {*step.own} for step in gone + new):
        rates = tuple(tuple((float(step.own["p"]),) for step in side) for side in (gone, new))
        words = " and ".join(dict.fromkeys(step.kind for step in gone + new)), *map(numbers, rates)
        return told(inside, words, gone, new, values=rates, times=len(gone + new))
    words = "", made_of(gone), made_of(new)
    return told(inside, words, gone, new, steps=tuple(map(str, gone + new)))


def sides(pairs) -> tuple[list[Step], list[Step]]:
    """The steps of a, and those of b."""
    return [a for a, _ in pairs if a], [b for _, b in pairs if b]


def _cost(a: Iterable[Step], b: Iterable[Step]) -> tuple[int, int]:
    return (
        sum(step.params for step in b) - sum(step.params for step in a),
        sum(step.macs for step in b) - sum(step.macs for step in a),
    )


class Unit:
    """The changes inside one pair of units."""

    def __init__(self, match: Match, wires: Wires):
        self.match = match
        self.wires = wires
        self.sides = sides(match.pairs)
        self.found: dict[int, Change] = {}  # by the place of their first step
        self.read: list[tuple[int, Change]] = []  # of steps that read something else
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
        found = sorted([*self.found.items(), *self.read], key=itemgetter(0))
        return merged(change for _, change in found)

    def _pair(self, i: int, a: Step, b: Step) -> None:
        differ = a.kind != b.kind or unlike(a, b)
        change = _own_change if differ else _follow_up
        found = change(self._inside(a, 0), a, b)
        if a.family == "norm" and self.weights is not None:
            self._charge((found.params, found.macs))
            found = replace(found, params=0, macs=0)
        if differ or (found.params, found.macs) != (0, 0):
            self.found[i] = found
        if words := self.wires.told(a, b):
            change = told(self._inside(a, 0), words, [a], [b], group="structure")
            self.read.append((i, replace(change, params=0, macs=0)))
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
        words = f"order of {b}", _behind(a, self.sides[0]), _behind(b, self.sides[1])
        group = "training" if a.trains else "structure"
        return told(self._inside(a, 0), words, [a], [b], group=group)

    def _lone(self, lone: list[tuple[int, Step | None, Step | None]]) -> None:
        """Steps that one side has alone: a line for each module that does nothing else, and for
        each other step.

        What such a module does for one that is only partly new (a second branch and its sum) goes
        into that one's line.
        """
        known = [{id(step) for entry in lone if (step := entry[side])} for side in (1, 2)]
        groups: dict[object, list] = {}
        for i, a, b in lone:
            side = 0 if a else 1
            home = self._home(a or b, side, known[side])
            groups.setdefault((side, i) if home is None else home, []).append((i, a, b))
        for home, group in groups.items():
            gone, new = sides([pair for _, *pair in group])
            inside = home if isinstance(home, str) else self._inside((gone or new)[0], home[0])
            self.found[group[0][0]] = alone(inside, gone, new)

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


def _moves(match: Match) -> Iterator[tuple[Step, Step]]:
    """Steps that both have, in one module, but at another place in its order."""
    pairs = list(match.pairs)
    inside = {within(b.name, match.b) for _, b in pairs if b}
    for i, (a, b) in enumerate(pairs):
        if a and not b:
            for j in range(max(0, i - NEAR), min(len(pairs), i + NEAR + 1)):
                gone, other = pairs[j]
                if not gone and other.like == a.like and _may_be(a, other, match, inside):
                    pairs[j] = (other, other)
                    yield a, other
                    break


def _may_be(a: Step, b: Step, match: Match, inside: set[str]) -> bool:
    """Both in one module; or b's modules are called otherwise, and nothing can be said."""
    path = within(a.name, match.a)
    if within(b.name, match.b).rpartition(".")[0] == path.rpartition(".")[0]:
        return True
    return path not in inside and (a.params, a.output) == (b.params, b.output)


def _behind(step: Step, steps: list[Step]) -> str:
    place = next(i for i, other in enumerate(steps) if other is step)
    return f"after {steps[place - 1]}" if place else "first"


def _own_change(inside: str, a: Step, b: Step) -> Change:
    """A step with other settings. Rates of dropping, which grow from unit to unit, are numbers that
    fold.
    """
    change = told(inside, (what(a, b), *words(a, b)), [a], [b])
    if a.kind == b.kind and unlike(a, b) == ["p"]:
        return replace(change, values=tuple(((float(step.own["p"]),),) for step in (a, b)))
    return change


def _follow_up(inside: str, a: Step, b: Step) -> Change:
    """A step that is the same, but on what other steps have changed."""
    values = ((a.reads,), (b.reads,)) if a.reads != b.reads else (a.output[1:], b.output[1:])
    folds = tuple((value,) for value in values) if all(values) and values[0] != values[1] else ()
    texts = map(numbers, folds) if folds else (f"{a.params:,} params", f"{b.params:,} params")
    return told(inside, (what(a, b), *texts), [a], [b], values=folds, follows=True)
