"""The layers of a network whose filters can go, each with those that must go with it, and what is
left of the network's tensors when they do.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor, nn

from convatlas.narrowing.rules import RULES
from convatlas.narrowing.surgery import Shapes, on_meta
from convatlas.narrowing.tracing import Place, Trace, traced

LEAST = 2  # channels that every layer keeps: of one a convolution would look depthwise
MULTIPLE = 8  # of filters, as NetAdapt's code tries them
FROM = 64  # filters; a layer with fewer may have any number


@dataclass(frozen=True)
class Group:
    """Layers whose filters go together, the least important first."""

    name: str  # its first layer
    layers: tuple[str, ...]  # names of their weights
    order: tuple[int, ...]  # what can go: the atoms, a filter and all that goes with it each
    places: Mapping[Place, Tensor]  # after how many of them each channel goes; -1: never
    reason: str = ""  # why nothing can go

    @cached_property
    def filters(self) -> list[int]:
        """Filters of the first layer, by how many of `order` are gone."""
        return self._left((self.layers[0], 0))

    def _left(self, place: Place) -> list[int]:
        gone = self.places[place]
        counts = torch.bincount(gone[gone >= 0], minlength=len(self.order))
        return (len(gone) - torch.cat([counts.new_zeros(1), counts.cumsum(0)])).tolist()

    @cached_property
    def choices(self) -> list[int]:
        """How many of `order` may be gone, the fewest first: multiples of 8 filters stay of 64 and
        more, and 2 channels everywhere.
        """
        left = {place: self._left(place) for place in self.places}
        most = [
            max(gone for gone, count in enumerate(counts) if count >= min(LEAST, counts[0]))
            for counts in left.values()
        ]
        legal = range(1, min(most, default=0) + 1)
        if self.filters[0] >= FROM:
            return [gone for gone in legal if self.filters[gone] % MULTIPLE == 0]
        return list(legal)

    def keeps(self, gone: int) -> dict[Place, Tensor]:
        """The numbers of the channels that stay."""
        return {
            place: ((after < 0) | (after >= gone)).nonzero().flatten()
            for place, after in self.places.items()
        }

    def shapes(self, gone: int, full: Shapes) -> dict[str, tuple[int, ...]]:
        """The shapes of the group's tensors, of those that `full` has."""
        found = {name: list(full[name]) for name, _ in self.places}
        for place in self.places:
            name, axis = place
            found[name][axis] = self._left(place)[gone]
        return {name: tuple(shape) for name, shape in found.items()}


@dataclass(frozen=True)
class Anatomy:
    """What can be narrowed of a network, and what each layer costs."""

    groups: tuple[Group, ...]
    trace: Trace
    shapes: Shapes  # of all tensors

    @property
    def narrowable(self) -> tuple[Group, ...]:
        return tuple(group for group in self.groups if not group.reason and group.choices)

    def macs(self, changed: Shapes | None = None) -> int:
        """Multiply-adds for one image, with tensors of changed shapes."""
        shapes = {**self.shapes, **(changed or {})}
        return self.trace.other_macs + sum(
            positions * torch.Size(shapes[name]).numel() for name, positions in self.trace.calls
        )


def dissected(net: nn.Module, size: tuple[int, ...]) -> Anatomy:
    """The groups of a network on any device, for images of `size`, (C, H, W)."""
    trace = traced(on_meta(net), RULES, size)
    state = net.state_dict()
    bound = {place: trace.labels.roots(labels) for place, labels in trace.bound.items()}
    homes: dict[int, set[Place]] = {}
    for place, atoms in bound.items():
        for atom in set(atoms.tolist()):
            homes.setdefault(atom, set()).add(place)
    groups = [_group(trace, layers, bound, homes, state) for layers in _together(trace)]
    return Anatomy(tuple(groups), trace, {name: tuple(t.shape) for name, t in state.items()})


def _together(trace: Trace) -> list[list[str]]:
    """Names of weights, those together whose filters share an atom; in the network's order."""
    first: dict[int, int] = {}  # atom -> the set that it is in
    sets: dict[int, list[str]] = {}
    for number, (name, layer) in enumerate(trace.layers.items()):
        atoms = {trace.labels.root(label) for label in layer.fresh}
        if not atoms:
            continue
        old = sorted({first[atom] for atom in atoms if atom in first})
        home = old[0] if old else number
        sets[home] = [*(name for one in old for name in sets.pop(one)), name]
        moved = {*old, home}
        first = {atom: home if place in moved else place for atom, place in first.items()}
        first |= dict.fromkeys(atoms, home)
    return [sets[number] for number in sorted(sets)]


def _group(
    trace: Trace,
    layers: list[str],
    bound: Mapping[Place, Tensor],
    homes: Mapping[int, set[Place]],
    state: Mapping[str, Tensor],
) -> Group:
    atoms = sorted({trace.labels.root(label) for n in layers for label in trace.layers[n].fresh})
    free = [atom for atom in atoms if not trace.labels.reason(atom)]
    norms = dict.fromkeys(free, 0.0)
    for name in layers:
        squares = state[name].detach().double().square().flatten(1).sum(1).tolist()
        for atom, square in zip(bound[name, 0].tolist(), squares, strict=True):
            if atom in norms:
                norms[atom] += square
    order = sorted(free, key=lambda atom: (norms[atom], atom))
    name = layers[0].removesuffix("weight").removesuffix(".")
    own = {(one, 0) for one in layers}
    places = _places(order, bound, own.union(*(homes[atom] for atom in order)))
    reason = ""
    if not free:
        reason = trace.labels.reason(atoms[0])
    elif len(atoms) == 1:
        reason = trace.labels.tie(atoms) or "a single filter"
    group = Group(name, tuple(layers), tuple(order), places, reason)
    return group if reason or group.choices else replace(group, reason="too few filters")


def _places(
    order: list[int], bound: Mapping[Place, Tensor], touched: set[Place]
) -> dict[Place, Tensor]:
    """After how many of the atoms each channel of these places goes."""
    rank = {atom: number for number, atom in enumerate(order)}
    return {
        place: torch.tensor([rank.get(atom, -1) for atom in bound[place].tolist()])
        for place in sorted(touched)
    }


def fewest(
    group: Group, cost: Callable[[Shapes], float], full: Shapes, target: float
) -> int | None:
    """How many of the group's filters must go at least for the network to cost `target` or less,
    found by halves, as if fewer never cost more; None where all that can go are not enough.
    """
    choices = group.choices
    if not choices or cost(group.shapes(choices[-1], full)) > target:
        return None
    return choices[
        bisect_left(choices, True, key=lambda gone: cost(group.shapes(gone, full)) <= target)
    ]
