"""Which step of one network answers to which of another: stage by stage, unit by unit, step by
step.

Equal names decide first, then likeness. Where runs of stages or units have no counterpart, one by
one, but begin alike, they are compared as a whole: the stem of one network with the layers that
another one starts with.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import torch.nn as nn

from convatlas.anatomy.steps import Step, Walk

ALIKE = 0.55  # likeness from which parts of different names are compared

Pairs = list[tuple[Step | None, Step | None]]


@dataclass(frozen=True)
class Part:
    """A stage, a unit, or what the network itself does between its stages (path "")."""

    path: str
    steps: tuple[Step, ...]

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    @cached_property
    def told(self) -> Sequence[Step]:
        """The steps that say what this is: norms and activations only where there
        is nothing else.
        """
        return [
            step for step in self.steps if step.family not in ("norm", "activation")
        ] or self.steps

    @cached_property
    def kinds(self) -> set[str]:
        return {step.kind for step in self.told}

    @cached_property
    def bags(self) -> tuple[dict[object, float], dict[object, float]]:
        """The steps, exactly, and by kind and kernel, as shares."""
        return tuple(
            {key: count / len(self.told) for key, count in Counter(map(key_of, self.told)).items()}
            for key_of in (attrgetter("like"), attrgetter("kind", "kernel"))
        )


class Match(NamedTuple):
    """Parts that answer to each other, with their steps in order; None as the path of a side that
    has nothing.
    """

    a: str | None
    b: str | None
    pairs: Pairs


def align(a: Walk, b: Walk) -> list[Match]:
    """All steps of both, matched; None stands where one has no counterpart."""
    matches = []
    for left, right in _runs(_stages(a), _stages(b)):
        stacks = [
            _is_stack(walk, part.path) for walk, run in ((a, left), (b, right)) for part in run
        ]
        if len(left) <= 1 and len(right) <= 1 and all(stacks):
            units = [[unit for part in run for unit in _units(part)] for run in (left, right)]
            for pair in _runs(*units):
                matches += _matched(*pair)
        else:
            matches += _matched(left, right)
    return matches


def _stages(walk: Walk) -> list[Part]:
    opened = {
        path[:i]
        for path in getattr(walk.modules[""], "stages", ())
        for i, c in enumerate(path)
        if c == "."
    }

    def stage(step: Step) -> str:
        path, _, rest = step.name.partition(".")
        while path in opened and rest:
            head, _, rest = rest.partition(".")
            path = f"{path}.{head}"
        return path

    return [Part(path, tuple(steps)) for path, steps in groupby(walk.steps, key=stage)]


def _is_stack(walk: Walk, path: str) -> bool:
    """A plain sequence of units: nothing but modules that have parts of their own, or at least two
    of them.
    """
    module = walk.modules.get(path)  # None for a parameter at the top that only trains
    if not path or not isinstance(module, nn.Sequential | nn.ModuleList):
        return False
    units = [next(child.children(), None) is not None for child in module.children()]
    return all(units) or sum(units) > 1


def _units(stage: Part) -> list[Part]:
    def unit(step: Step) -> str:
        return ".".join(step.name.split(".")[: stage.path.count(".") + 2])

    return [Part(path, tuple(steps)) for path, steps in groupby(stage.steps, key=unit)]


def _runs(a: list[Part], b: list[Part]) -> list[tuple[list[Part], list[Part]]]:
    """Both lists cut into runs that belong together: one and one where parts match, else whatever
    lies between.
    """
    runs, i, j = [], 0, 0
    for k, m in [*best(a, b, _affinity), (len(a), len(b))]:
        runs += [(a[i:k], b[j:m])] if i < k or j < m else []
        runs += [(a[k : k + 1], b[m : m + 1])] if k < len(a) else []
        i, j = k + 1, m + 1
    return runs


def _matched(left: list[Part], right: list[Part]) -> list[Match]:
    if len(left) == len(right) == 1:
        return [Match(left[0].path, right[0].path, _step_pairs(left[0], right[0]))]
    a, b = (
        Part(
            ", ".join(part.path for part in side),
            tuple(step for part in side for step in part.steps),
        )
        for side in (left, right)
    )
    if left and right and _equal(a.steps, b.steps):
        return [Match(a.path, b.path, _same_ends(a.steps, b.steps))]
    return [
        *(Match(part.path, None, [(step, None) for step in part.steps]) for part in left),
        *(Match(None, part.path, [(None, step) for step in part.steps]) for part in right),
    ]


def _affinity(a: Part, b: Part) -> float:
    """How much speaks for comparing two stages or units; 0: nothing."""
    alike = likeness(a, b)
    if a.name == b.name and a.kinds & b.kinds:
        return alike + (
            0.25 if a.name.isdecimal() else 1
        )  # a number tells the place, not what is there
    same_map = a.steps[-1].output[1:] == b.steps[-1].output[1:]
    return alike * (1 if same_map else 0.5) if alike >= ALIKE else 0


def likeness(a: Part, b: Part) -> float:
    """From 0 to 1: the share of equal steps, and of steps of equal kind and
    kernel, one half each.
    """
    return (
        sum(
            min(share, there.get(key, 0))
            for here, there in zip(a.bags, b.bags, strict=True)
            for key, share in here.items()
        )
        / 2
    )


def _step_pairs(a: Part, b: Part) -> Pairs:
    pairs, i, j = [], 0, 0
    steps = [[(step, within(step.name, part.path)) for step in part.steps] for part in (a, b)]
    for k, m in [*best(*steps, _step_affinity), (len(a.steps), len(b.steps))]:
        pairs += [
            *((step, None) for step in a.steps[i:k]),
            *((None, step) for step in b.steps[j:m]),
        ]
        pairs += [(a.steps[k], b.steps[m])] if k < len(a.steps) else []
        i, j = k + 1, m + 1
    return pairs


def within(name: str, unit: str) -> str:
    """The path of a module inside its unit; "" is the unit itself."""
    return "" if name == unit else name.removeprefix(f"{unit}.")


def _step_affinity(one: tuple[Step, str], other: tuple[Step, str]) -> float:
    """How much speaks for comparing two steps; 0: nothing."""
    (a, name_a), (b, name_b) = one, other
    named = (
        1
        if name_a == name_b
        else 0.3
        if name_a.rpartition(".")[2] == name_b.rpartition(".")[2]
        else 0
    )
    if a.like == b.like:
        return (
            1 if a.family in ("norm", "activation") else 3
        ) + named  # these are alike everywhere
    if a.kind == b.kind:
        keys = {*a.own, *b.own}
        return 0.5 + sum(a.own.get(key) == b.own.get(key) for key in keys) / len(keys) + named
    return 0.5 + named if a.family == b.family else 0


def _same_ends(a: Sequence[Step], b: Sequence[Step]) -> Pairs:
    """The steps that both begin and end with are pairs; those between have no counterpart."""
    front = _equal(a, b)
    back = _equal(a[front:][::-1], b[front:][::-1])
    if not any(step.weighs for step in a[len(a) - back :]):  # a join or an activation is no reason
        back = 0
    ends = [len(a) - back, len(b) - back]
    return [
        *zip(a[:front], b[:front], strict=True),
        *((step, None) for step in a[front : ends[0]]),
        *((None, step) for step in b[front : ends[1]]),
        *zip(a[ends[0] :], b[ends[1] :], strict=True),
    ]


def _equal(a: Sequence[Step], b: Sequence[Step]) -> int:
    """How many steps are alike from the start on."""
    return next(
        (i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x.like != y.like),
        min(len(a), len(b)),
    )


def best(a: Sequence, b: Sequence, score: Callable[..., float]) -> list[tuple[int, int]]:
    """The pairs (i, j), in order on both sides, with the largest sum of scores; a score of 0 is no
    pair.
    """
    scores = [[score(x, y) for y in b] for x in a]
    sums = [[0.0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in reversed(range(len(a))):
        row, below, gains = sums[i], sums[i + 1], scores[i]
        for j in reversed(range(len(b))):
            row[j] = max(below[j], row[j + 1], below[j + 1] + gains[j])
    pairs, i, j = [], 0, 0
    while i < len(a) and j < len(b):
        if scores[i][j] and sums[i][j] == sums[i + 1][j + 1] + scores[i][j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif sums[i][j] == sums[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs
