"""Which step of one network answers to which of another: stage by stage, unit by unit, step by
step.

Equal names decide first, then likeness, and between networks that share neither, the place. Where
runs of stages or units have no counterpart, one by one, but begin alike, they are compared as a
whole: the stem of one network with the layers that another one starts with.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from convatlas.anatomy.pairing import (
    Kin,
    Match,
    Pairs,
    best,
    grouped,
    in_order,
    rejoined,
    step_affinity,
    woven,
)
from convatlas.anatomy.parts import Part, shared, stages_of, units_of, within
from convatlas.anatomy.placing import by_place
from convatlas.anatomy.steps import Step, Walk

ALIKE = 0.55  # likeness from which parts of different names are compared
OTHER = 0.5  # with less layers that have a like counterpart, networks share only places
DEARER = 1.25  # what blocks that are compared by their places may leave more than single steps
NOTHING = Part("", ())


def align(a: Walk, b: Walk, known: Mapping[int, int]) -> list[Match]:
    """All steps of both, matched; None stands where one has no counterpart. `known` are the places
    of nodes that answer to each other whatever they are called.

    Networks whose stages and units are cut otherwise are compared step by step, where more of them
    agrees that way.
    """
    kin = Kin(a, b, known)
    staged = rejoined(_by_stages(a, b, kin), kin)
    torn = not _share_names(a, b) and any(", " in (match.a or "") for match in staged)
    if not torn and not all(_left_over(staged)):
        return staged
    flat = rejoined(grouped(a, b, in_order(a, b, kin)), kin)
    better = _cost(flat) <= _cost(staged) if torn else _cost(flat) < _trust(a, b) * _cost(staged)
    closest = flat if better else staged
    placed = _by_place(a, b, kin) if _are_others(a, b, closest) else closest
    return placed if _cost(placed) <= DEARER * _cost(closest) else closest


def _are_others(a: Walk, b: Walk, closest: list[Match]) -> bool:
    """Networks of two papers, on images of one size: neither names tell what answers to what, nor
    have layers counterparts of their own window and width.
    """
    if a.size[1:] != b.size[1:] or _share_names(a, b):
        return False
    pairs = [pair for match in closest for pair in match.pairs]
    same = sum(x is not None and y is not None and _of_one_form(x, y) for x, y in pairs)
    return same < OTHER * min(sum(step.weighs for step in walk.steps) for walk in (a, b))


def _of_one_form(a: Step, b: Step) -> bool:
    return a.weighs and b.weighs and _form(a) == _form(b)


def _form(step: Step) -> tuple[object, ...]:
    return step.kind, step.kernel, step.own.get("channels"), step.own.get("groups")


def _by_place(a: Walk, b: Walk, kin: Kin) -> list[Match]:
    """Block by block, as they come between one halving of the map and the next."""
    affinity = partial(_affinity_in_a_block, kin=kin)
    return rejoined(
        [
            Match(x and x.path, y and y.path, _step_pairs(x or NOTHING, y or NOTHING, affinity))
            for x, y in by_place(a, b)
        ],
        kin,
    )


def _affinity_in_a_block(one: tuple[Step, str], other: tuple[Step, str], kin: Kin) -> float:
    """A depthwise convolution answers to one, whatever its window."""
    depthwise = one[0].own.get("groups") == other[0].own.get("groups") == "depthwise"
    return step_affinity(one, other, kin) + depthwise


def _share_names(a: Walk, b: Walk) -> bool:
    """Half of the layers of the smaller network are in both."""
    names = [{step.name for step in walk.steps if step.weighs} for walk in (a, b)]
    return 2 * len(names[0] & names[1]) >= min(map(len, names))


def _trust(a: Walk, b: Walk) -> float:
    """How much better an alignment must be than one by stages. Where layers share their names, the
    stages tell more.
    """
    return 0.5 if _share_names(a, b) else 0.85


def _left_over(matches: list[Match]) -> tuple[int, int]:
    """Steps with weights of either side that have no counterpart."""
    pairs = [pair for match in matches for pair in match.pairs]
    return (
        sum(a is not None and a.weighs for a, b in pairs if not b),
        sum(b is not None and b.weighs for a, b in pairs if not a),
    )


def _cost(matches: list[Match]) -> float:
    """How much is left without a counterpart or differs from it; a layer with weights is dear."""
    cost = 0.0
    for match in matches:
        for a, b in match.pairs:
            if a and b:
                cost += a.like != b.like
            elif not (a or b).trains:
                cost += 2 if (a or b).weighs else 0.75
    return cost


def _by_stages(a: Walk, b: Walk, kin: Kin) -> list[Match]:
    matches = []
    for left, right in _runs(stages_of(a), stages_of(b), kin):
        stacks = [
            part.path in walk.habits.stacks for walk, run in ((a, left), (b, right)) for part in run
        ]
        if len(left) <= 1 and len(right) <= 1 and all(stacks):
            units = [[unit for part in run for unit in units_of(part)] for run in (left, right)]
            for pair in _runs(*units, kin):
                matches += _matched(*pair, kin)
        else:
            matches += _matched(left, right, kin)
    return matches


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
        affinity = partial(step_affinity, kin=kin)
        return [Match(left[0].path, right[0].path, _step_pairs(left[0], right[0], affinity))]
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
    return (shared(a.bags[0], b.bags[0]) + shared(a.bags[1], b.bags[1])) / 2


def _step_pairs(a: Part, b: Part, affinity: Callable[..., float]) -> Pairs:
    steps = [[(step, within(step.name, part.path)) for step in part.steps] for part in (a, b)]
    return woven(a.steps, b.steps, best(*steps, affinity))


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
