"""Steps of two networks in pairs: by all that is known of them, whatever their modules are
called.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from convatlas.anatomy.parts import unit_of
from convatlas.anatomy.steps import TRAINING, Step, Walk

Pairs = list[tuple[Step | None, Step | None]]


class Match(NamedTuple):
    """Parts that answer to each other, with their steps in order; None as the path of a side that
    has nothing.
    """

    a: str | None
    b: str | None
    pairs: Pairs


class Kin:
    """Which steps are known to answer to each other."""

    def __init__(self, a: Walk, b: Walk, known: Mapping[int, int]):
        there = {step.node: step for step in b.steps if step.node is not None}
        self.partners = {
            id(step): there[known[step.node]] for step in a.steps if known.get(step.node) in there
        }

    def are(self, a: Step, b: Step) -> bool:
        return self.partners.get(id(a)) is b


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
        return step_affinity((x, x.name), (y, y.name), kin) + same_map

    sides = a.steps, b.steps
    heavy = [[i for i, step in enumerate(steps) if step.weighs] for steps in sides]
    found = best(
        *([steps[i] for i in each] for steps, each in zip(sides, heavy, strict=True)), score
    )
    anchors = [(heavy[0][i], heavy[1][j]) for i, j in found]
    pairs: Pairs = []
    i, j = 0, 0
    for k, m in [*anchors, tuple(map(len, sides))]:
        left = a.steps[i:k]
        right = b.steps[j:m]
        pairs += woven(left, right, best(left, right, score))
        pairs += [(a.steps[k], b.steps[m])] if k < len(a.steps) else []
        i, j = k + 1, m + 1
    return pairs


def woven(a: Sequence[Step], b: Sequence[Step], found: list[tuple[int, int]]) -> Pairs:
    pairs: Pairs = []
    i, j = 0, 0
    for k, m in [*found, (len(a), len(b))]:
        pairs += [*((step, None) for step in a[i:k]), *((None, step) for step in b[j:m])]
        pairs += [(a[k], b[m])] if k < len(a) else []
        i, j = k + 1, m + 1
    return pairs


def same_steps(a: Walk, b: Walk, nodes: Mapping[int, int]) -> Pairs:
    """The steps of two networks whose graphs match, by the places of their nodes; what only trains
    is paired in order.
    """
    there = {step.node: step for step in b.steps if not step.trains}
    ends = _training(a, nodes), _training(b, None)
    found = best(*ends, _training_affinity)
    partner = {id(ends[0][i][0]): ends[1][j][0] for i, j in found}
    paired = {id(step) for step in partner.values()}
    pairs: Pairs = [
        (step, partner.get(id(step)) if step.trains else there.get(nodes[step.node]))
        for step in a.steps
    ]
    return pairs + [(None, step) for step, _ in ends[1] if id(step) not in paired]


def _training(walk: Walk, nodes: Mapping[int, int] | None) -> list[tuple[Step, int | None]]:
    """What only trains, each with the node before it, as b counts them."""
    found = []
    before = None
    for step in walk.steps:
        if step.trains:
            found.append((step, before))
        else:
            before = nodes[step.node] if nodes else step.node
    return found


def _training_affinity(one: tuple[Step, int | None], other: tuple[Step, int | None]) -> float:
    (a, place_a), (b, place_b) = one, other
    if (a.kind == TRAINING) != (b.kind == TRAINING):
        return 0
    if a.kind == TRAINING:
        return 3 if a.params == b.params else 1
    return 1 + 2 * (place_a == place_b) + (a.like == b.like)


def grouped(a: Walk, b: Walk, pairs: Pairs) -> list[Match]:
    """Pairs by the unit of `a` that they are in, or of `b` where that has no counterpart."""
    units = unit_of(a), unit_of(b)
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


def step_affinity(one: tuple[Step, str], other: tuple[Step, str], kin: Kin) -> float:
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
