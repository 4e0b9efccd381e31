"""Steps of two networks in pairs: by all that is known of them, whatever their modules are
called.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from convatlas.anatomy.parts import unit_of
from convatlas.anatomy.steps import TRAINING, Step, Walk
from convatlas.wiring.graph import COMMUTATIVE

Pairs = list[tuple[Step | None, Step | None]]


class Match(NamedTuple):
    """Parts that answer to each other, with their steps in order; None as the path of a side that
    has nothing.
    """

    a: str | None
    b: str | None
    pairs: Pairs


class Kin:
    """Which steps are known to answer to each other: by their nodes, and what only trains by its
    place behind these.
    """

    def __init__(self, a: Walk, b: Walk, known: Mapping[int, int]):
        self.walks = a, b
        there = {step.node: step for step in b.steps if not step.trains}
        self.partners = {
            id(step): there[known[step.node]]
            for step in a.steps
            if not step.trains and known.get(step.node) in there
        }
        ends = _training(a, known), _training(b, None)
        for i, j in best(*ends, _training_affinity):
            (one, place), (other, there_too) = ends[0][i], ends[1][j]
            alike = one.params == other.params if one.kind == TRAINING else place == there_too
            if one.kind == other.kind and alike:
                self.partners[id(one)] = other

    def reads(self, side: int, step: Step) -> tuple[int, ...]:
        """Places of the nodes that a step of a (0) or b (1) reads."""
        return self.walks[side].graph.nodes[step.node].reads

    def are(self, a: Step, b: Step) -> bool:
        return self.partners.get(id(a)) is b


def rejoined(matches: list[Match], kin: Kin) -> list[Match]:
    """With steps paired that were left alone: those that are known to answer to each other, layers
    that are the same under one name, and steps of one family that read what is a pair already.
    """
    pairs = [pair for match in matches for pair in match.pairs]
    lone = {id(b): b for a, b in pairs if not a}
    named = {(b.name, b.like): b for b in lone.values() if b.weighs}
    found: dict[int, Step] = {}
    for a, b in pairs:
        if a and not b:
            partner = kin.partners.get(id(a)) or named.get((a.name, a.like))
            if partner is not None and lone.pop(id(partner), None):
                found[id(a)] = partner
    found |= _by_reading(pairs, found, lone, kin)
    gone = {id(b) for b in found.values()}
    joined = [
        match._replace(
            pairs=[(a, b or found.get(id(a))) for a, b in match.pairs if a or id(b) not in gone]
        )
        for match in matches
    ]
    return [_both(match) for match in joined if match.pairs]


def _by_reading(
    pairs: Pairs, found: Mapping[int, Step], lone: Mapping[int, Step], kin: Kin
) -> dict[int, Step]:
    """Steps that nothing has been found for, with those of their family that follow the same."""
    partner = {a.node: b.node for a, b in pairs if a and b}
    partner |= {a.node: found[id(a)].node for a, _ in pairs if a and id(a) in found}
    waiting: dict[int, list[Step]] = {}
    for b in lone.values():
        if not b.trains and kin.reads(1, b):
            waiting.setdefault(kin.reads(1, b)[0], []).append(b)
    more: dict[int, Step] = {}
    for a, b in pairs:
        if not a or b or id(a) in found or a.trains or not kin.reads(0, a):
            continue
        others = waiting.get(partner.get(kin.reads(0, a)[0], -1), [])
        same = next((other for other in others if _may_be(a, other)), None)
        if same is not None:
            others.remove(same)
            more[id(a)] = same
            partner[a.node] = same.node
    return more


def _may_be(a: Step, b: Step) -> bool:
    """Whether two steps that read the same may answer to each other."""
    if a.weighs:
        return a.kind == b.kind and any(
            a.own.get(key) == b.own.get(key) for key in ("kernel", "channels")
        )
    return a.family == b.family


def _both(match: Match) -> Match:
    """A match that has got a counterpart for its only side."""
    if match.b is None and any(b for _, b in match.pairs):
        units = dict.fromkeys(b.name.rpartition(".")[0] or b.name for _, b in match.pairs if b)
        return match._replace(b=", ".join(units))
    return match


def in_order(a: Walk, b: Walk, kin: Kin) -> Pairs:
    """The steps of both paired in the order of their graphs, whatever they are called: first those
    with weights, then what lies between them.
    """

    def score(x: Step, y: Step) -> float:
        same_map = x.output[1:] == y.output[1:]
        return step_affinity((x, x.name), (y, y.name), kin) + same_map

    def heavy_score(x: Step, y: Step) -> float:
        same = [x.own.get(key) == y.own.get(key) for key in ("kernel", "channels")]
        return score(x, y) if x.kind == y.kind and any(same) else 0

    sides = _by_graph(a), _by_graph(b)
    heavy = [[i for i, step in enumerate(steps) if step.weighs] for steps in sides]
    layers = ([steps[i] for i in each] for steps, each in zip(sides, heavy, strict=True))
    found = [(heavy[0][i], heavy[1][j]) for i, j in best(*layers, heavy_score)]
    pairs: Pairs = []
    i, j = 0, 0
    for k, m in [*found, (len(sides[0]), len(sides[1]))]:
        left = sides[0][i:k]
        right = sides[1][j:m]
        pairs += woven(left, right, best(left, right, partial(_light_score, score)))
        pairs += [(sides[0][k], sides[1][m])] if k < len(sides[0]) else []
        i, j = k + 1, m + 1
    return pairs


def _light_score(score: Callable[..., float], x: Step, y: Step) -> float:
    """Layers with weights that have no counterpart by now have none."""
    return 0 if x.weighs or y.weighs else score(x, y)


def _by_graph(walk: Walk) -> list[Step]:
    """The steps in an order that depends on the graph alone: of branches the deepest comes first,
    in whatever order they ran.
    """
    nodes = walk.graph.nodes
    depth: list[int] = []
    for node in nodes:
        depth.append(1 + max((depth[read] for read in node.reads), default=0))
    rank: dict[int, int] = {}
    waiting = list(walk.graph.outputs)[::-1]
    while waiting:
        place = waiting[-1]
        left = [read for read in nodes[place].reads if read not in rank]
        if left and place not in rank:
            if nodes[place].op in COMMUTATIVE:
                left.sort(key=depth.__getitem__)
            else:
                left.reverse()
            waiting += left
            continue
        waiting.pop()
        rank.setdefault(place, len(rank))
    return _ranked(walk.steps, rank)


def _ranked(steps: Sequence[Step], rank: Mapping[int, int]) -> list[Step]:
    """By rank; what only trains stays behind the step before it."""
    keyed = []
    before = -1
    for i, step in enumerate(steps):
        before = before if step.trains else rank.get(step.node, before)
        keyed.append((len(rank) if step.kind == TRAINING else before, i, step))
    return [step for *_, step in sorted(keyed, key=lambda entry: entry[:2])]


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
            before = step.node if nodes is None else nodes.get(step.node, -1)
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
    return ", ".join(filter(None, paths)) if paths else None


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
