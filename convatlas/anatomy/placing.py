"""Blocks of two networks that have no names in common, in pairs by their place: how often the map
has been halved by then, and the order of the blocks between one halving and the next.
"""

from collections.abc import Sequence
from math import log2
from typing import NamedTuple

from convatlas.anatomy.pairing import best, woven
from convatlas.anatomy.parts import Part, shared, stages_of, units_of
from convatlas.anatomy.steps import Step, Walk


class Place(NamedTuple):
    """A block, and where it stands."""

    block: Part
    before: int | None  # how often the map that it reads has been halved; None of no map
    after: int | None  # the same of the map that it gives out
    widens: bool  # it gives out other channels than it reads


def blocks_of(walk: Walk) -> list[Part]:
    """The units of stages that are stacks of units, and other stages as they are: so is one whose
    units are single layers, such as MobileNetV1's pairs of a depthwise and a 1x1 convolution.
    """
    found = []
    for stage in stages_of(walk):
        units = units_of(stage) if stage.path in walk.habits.stacks else [stage]
        several = any(sum(step.weighs for step in unit.steps) > 1 for unit in units)
        found += units if several else [stage]
    return found


def by_place(a: Walk, b: Walk) -> list[tuple[Part | None, Part | None]]:
    """Blocks that answer to each other, in the order of both; None for the side that has nothing at
    such a place.
    """
    sides = _places(a), _places(b)
    return [
        (left and left.block, right and right.block)
        for left, right in woven(*sides, best(*sides, _affinity))
    ]


def _places(walk: Walk) -> list[Place]:
    places = []
    shape: Sequence[int] = walk.size
    for block in blocks_of(walk):
        shapes = [step.output for step in block.steps if step.output]
        end = shapes[-1] if shapes else shape
        levels = _halvings(walk, shape), _halvings(walk, end)
        places.append(Place(block, *levels, tuple(end[:1]) != tuple(shape[:1])))
        shape = end
    return places


def _halvings(walk: Walk, shape: Sequence[int]) -> int | None:
    """56x56 of an image of 224x224: 2"""
    if len(shape) < 3 or len(walk.size) < 3:
        return None
    return round(log2(walk.size[-1] / max(shape[-1], 1)))


def _affinity(a: Place, b: Place) -> float:
    """How much speaks for comparing two blocks; 0: nothing. At the same place everything can be
    compared that has weights.
    """
    heavy = [any(map(_weighs, place.block.steps)) for place in (a, b)]
    if a.after != b.after or not all(heavy):
        kinds = a.block.kinds & b.block.kinds
        return float(a.after == b.after and not any(heavy) and bool(kinds))
    return (
        1 + (a.before == b.before) + 0.5 * (a.widens == b.widens) + 2 * _likeness(a.block, b.block)
    )


def _weighs(step: Step) -> bool:
    return step.weighs


def _likeness(a: Part, b: Part) -> float:
    """The share of steps of equal kind and window."""
    return shared(a.bags[1], b.bags[1])
