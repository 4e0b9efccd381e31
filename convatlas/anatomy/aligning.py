"""Which step of one network answers to which of another: stage by stage, unit by unit, step by
step.

Equal names decide first, then likeness. Where runs of stages or units have no counterpart, one by
one, but begin alike, they are compared as a whole: the stem of one network with the layers that
another one starts with.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

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


def align(a: Walk, b: Walk, known: Mapping[int, int]) -> list[Match]:
    """All steps of both, matched; None stands where one has no counterpart. `known` are the places
    of nodes that answer to each other whatever they are called.

    Networks whose stages and units are cut otherwise are compared step by step, where more of them
    agrees that way.
    """
    kin = Kin(a, b, known)
    staged = rejoined(_by_stages(a, b, kin), kin)
    if not all(_left_over(staged)):
        return staged
    flat = grouped(a, b, in_order(a, b, kin))
    return flat if _agreeing(flat) > _agreeing(staged) + 1 else staged


class Kin:
    """Which steps are known to answer to each other."""

    def __init__(self, a: Walk, b: Walk, known: Mapping[int, int]):
        there = {step.node: step for step in b.steps if step.node is not None}
        self.partners = {
            id(step): there[known[step.node]]
            for step in a.steps
            if known.get(step.node) in there
        }

    def are(self, a: Step, b: Step) -> bool:
        return self.partners.get(id(a)) is b


def _left_over(matches: list[Match]) -> tuple[int, int]:
    """Steps with weights of either side that have no counterpart."""
    pairs = [pair for match in matches for pair in match.pairs]
    return (
        sum(a is not None and a.weighs for a, b in pairs if not b),
        sum(b is not None and b.weighs for a, b in pairs if not a),
    )


def _agreeing(matches: list[Match]) -> int:
    pairs = [pair for match in matches for pair in match.pairs if all(pair)]
    return sum(a.weighs and a.like == b.like for a, b in pairs)


def rejoined(matches: list[Match], kin: Kin) -> list[Match]:
    """With steps that are known to answer to each other paired, where that was left undone."""
    lone = {id(b) for match in matches for a, b in match.pairs if not a}
    found = {
        id(a): kin.partners[id(a)]
        for match in matches
        for a, b in match.pairs
        if not b and id(kin.partners.get(id(a))) in lone
    }
    gone = {id(b) for b in found.values()}
    joined = [
        match._replace(
            pairs=[
                (a, found[id(a)]) if a and not b and id(a) in found else (a, b)
                for a, b in match.pairs
                if a or id(b) not in gone
            ]
        )
        for match in matches
    ]
    return [_both(match) for match in joined if match.pairs]


def _both(match: Match) -> Match:
    """A match that has got a counterpart for its only side."""
    if match.b is None and any(b for _, b in match.pairs):
        units = dict.fromkeys(b.name.rpartition(".")[0] or b.name for _, b in match.pairs if b)
        return match._replace(b=", ".join(units))
    return match


def in_order(a: Walk, b: Walk, kin: Kin) -> Pairs:
    """The steps of both paired in order, whatever they are called: first those with weights, then
    what lies between them.
    """

    def score(x: Step, y: Step) -> float:
        same_map = x.output[1:] == y.output[1:]
        return _step_affinity((x, x.name), (y, y.name), kin) + same_map

    sides = a.steps, b.steps
    heavy = [[i for i, step in enumerate(steps) if step.weighs] for steps in sides]
    found = best(*([steps[i] for i in each] for steps, each in zip(sides, heavy, strict=True)), score)
    anchors = [(heavy[0][i], heavy[1][j]) for i, j in found]
    pairs: Pairs = []
    i, j = 0, 0
    for k, m in [*anchors, tuple(map(len, sides))]:
        left = a.steps[i:k]
        right = b.steps[j:m]
        pairs += _woven(left, right, best(left, right, score))
        pairs += [(a.steps[k], b.steps[m])] if k < len(a.steps) else []
        i, j = k + 1, m + 1
    return pairs


def _woven(a: Sequence[Step], b: Sequence[Step], found: list[tuple[int, int]]) -> Pairs:
    pairs: Pairs = []
    i, j = 0, 0
    for k, m in [*found, (len(a), len(b))]:
        pairs += [*((step, None) for step in a[i:k]), *((None, step) for step in b[j:m])]
        pairs += [(a[k], b[m])] if k < len(a) else []
        i, j = k + 1, m + 1
    return pairs


def grouped(a: Walk, b: Walk, pairs: Pairs) -> list[Match]:
    """Pairs by the unit of `a` that they are in, or of `b` where that has no counterpart."""
    units = _unit_of(a), _unit_of(b)
    meets: dict[str, Counter] = {}
    for one, other in pairs:
        if one and other:
            meets.setdefault(units[1][id(other)], Counter())[units[0][id(one)]] += 1
    found: dict[tuple, list] = {}
    for one, other in pairs:
        unit = units[0][id(one)] if one else None
        if unit is None and (homes := meets.get(units[1][id(other)])):
            unit = homes.most_common(1)[0][0]
        key = (unit, None) if unit is not None else (None, units[1][id(other)])
        found.setdefault(key, []).append((one, other))
    return [
        Match(unit, _path_of(own, units[1]) if unit is not None else alone, own)
        for (unit, alone), own in found.items()
    ]


def _path_of(pairs: Pairs, units: Mapping[int, str]) -> str | None:
    """The units of b that the pairs are in; None where it has nothing there."""
    paths = dict.fromkeys(units[id(b)] for _, b in pairs if b)
    return ", ".join(paths) if paths else None


def _unit_of(walk: Walk) -> dict[int, str]:
    return {
        id(step): unit.path
        for stage in _stages(walk)
        for unit in (_units(stage) if stage.path in walk.stacks else [stage])
        for step in unit.steps
    }


def _by_stages(a: Walk, b: Walk, kin: Kin) -> list[Match]:
    matches = []
    for left, right in _runs(_stages(a), _stages(b), kin):
        stacks = [
            part.path in walk.stacks for walk, run in ((a, left), (b, right)) for part in run
        ]
        if len(left) <= 1 and len(right) <= 1 and all(stacks):
            units = [[unit for part in run for unit in _units(part)] for run in (left, right)]
            for pair in _runs(*units, kin):
                matches += _matched(*pair, kin)
        else:
            matches += _matched(left, right, kin)
    return matches


def _stages(walk: Walk) -> list[Part]:
    def stage(step: Step) -> str:
        path, _, rest = step.name.partition(".")
        while path in walk.opened and rest:
            head, _, rest = rest.partition(".")
            path = f"{path}.{head}"
        return path

    return [Part(path, tuple(steps)) for path, steps in groupby(walk.steps, key=stage)]


def _units(stage: Part) -> list[Part]:
    def unit(step: Step) -> str:
        return ".".join(step.name.split(".")[: stage.path.count(".") + 2])

    return [Part(path, tuple(steps)) for path, steps in groupby(stage.steps, key=unit)]


def _runs(a: list[Part], b: list[Part], kin: Kin) -> list[tuple[list[Part], list[Part]]]:
    """Both lists cut into runs that belong together: one and one where parts match, else whatever
    lies between.
    """
    runs, i, j = [], 0, 0
    for k, m in [*best(a, b, partial(_affinity, kin=kin)), (len(a), len(b))]:
        runs += [(a[i:k], b[j:m])] if i < k or j < m else []
        runs += [(a[k : k + 1], b[m : m + 1])] if k < len(a) else []
        i, j = k + 1, m + 1
    return runs


def _matched(left: list[Part], right: list[Part], kin: Kin) -> list[Match]:
    if len(left) == len(right) == 1:
        return [Match(left[0].path, right[0].path, _step_pairs(left[0], right[0], kin))]
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


def _affinity(a: Part, b: Part, kin: Kin) -> float:
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


def _step_pairs(a: Part, b: Part, kin: Kin) -> Pairs:
    steps = [[(step, within(step.name, part.path)) for step in part.steps] for part in (a, b)]
    return _woven(a.steps, b.steps, best(*steps, partial(_step_affinity, kin=kin)))


def within(name: str, unit: str) -> str:
    """The path of a module inside its unit; "" is the unit itself."""
    return "" if name == unit else name.removeprefix(f"{unit}.")


def _step_affinity(one: tuple[Step, str], other: tuple[Step, str], kin: Kin) -> float:
    """How much speaks for comparing two steps; 0: nothing."""
    (a, name_a), (b, name_b) = one, other
    named = (
        1
        if name_a == name_b
        else 0.3
        if name_a.rpartition(".")[2] == name_b.rpartition(".")[2]
        else 0
    ) + 2 * kin.are(a, b)
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
