"""Which part of a file is a network: under which prefix its names stand, what lies beside it, what
it lacks.

A file may hold more than the network (a queue, a projection head, a profiler's counters), or a
trunk without its classifier. What is taken must be whole but for classifiers and auxiliary heads,
and nothing may stand between its layers that is not the network's.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

from convatlas.weights.averages import is_average
from convatlas.weights.known import COUNTER, OURS, Known, Shapes, but, identify, known_checkpoints
from convatlas.weights.names import Twin
from convatlas.weights.reading import Checkpoint
from convatlas.weights.sources import SURPLUS, TABLES, up_to_date

SHARE = 0.1  # of a file's tensors, that a prefix must have to be tried
# of a profiler (thop), of an averaged model, of a loss, of TensorFlow's optimisers: no part of any
# network
COMPANY = re.compile(
    r"(?:^|\.)(?:total_ops|total_params|n_averaged)$|^(?:criterion|loss\w*)\.|"
    r"^(?:global_step|beta[12]_power)$|/(?:RMSProp|Momentum|Adam|Adagrad|Ftrl)(?:_\d)?$"
)
AUXILIARY = re.compile(r"^aux")  # our names of heads that only training reads


@dataclass(frozen=True)
class Fit:
    """A part of a file that fits some networks."""

    under: str  # the prefix of its names in the file
    tensors: Mapping[str, Tensor]  # without the prefix
    kinds: tuple[Known, ...]
    beside: tuple[str, ...] = ()  # whole names in the file of what has no place in the network
    lacks: tuple[str, ...] = ()  # their names of what the file does not give
    own: bool = False  # whether something of `beside` stands among the names of the network


@dataclass(frozen=True)
class Found:
    """The part of a file that is meant, and what kind of checkpoint it is."""

    file: Checkpoint  # with the tensors of that part, by the names of its source
    kind: Known
    fit: Fit
    average: str = ""  # in words, where it is an average or has one beside it


@dataclass(frozen=True)
class Place:
    """What one kind of checkpoint gives the network at hand: its names and shapes there."""

    kind: Known
    alike: tuple[Known, ...]  # all kinds of these names and shapes
    shapes: Shapes
    optional: frozenset[str]  # auxiliary heads

    def is_head(self, name: str) -> bool:
        """Whether a name, or what somebody put in its place, is of a classifier or an auxiliary
        head.
        """
        modules = (f"{head.rpartition('.')[0]}." for head in self.kind.head)
        return name in self.kind.head or name in self.optional or name.startswith(tuple(modules))

    @property
    def trunk(self) -> list[str]:
        return [name for name in self.shapes if not self.is_head(name)]

    def matches(self, name: str, shape: tuple[int, ...]) -> bool:
        """Whether a tensor of the file is this one, whatever the number of classes and channels."""
        wanted = self.shapes[name]
        of_classes, of_channels = self.kind.axes
        if name in self.kind.head:
            return but(of_classes, shape, "*") == but(of_classes, wanted, "*")
        if name == self.kind.stem:
            return but(of_channels, shape, "*") == but(of_channels, wanted, "*")
        return shape == wanted


def fits(tensors: Mapping[str, Tensor], network: str, own: Shapes) -> list[Fit]:
    """Every part of the file that is a network: a whole one of any name, or the network of this
    name without its heads, whose names and shapes are `own`. Only these count where there are any.
    """
    places = list(places_for(network, own))
    found: list[Fit] = []
    for prefix in prefixes(tensors):
        part = under(tensors, prefix)
        fit = _whole(tensors, prefix, part) or _partial(tensors, prefix, part, places)
        if fit and all(_leaves(other, prefix) for other in found):
            found.append(fit)
            if not fit.beside:
                break
    mine = [fit for fit in found if any(kind.ours == network for kind in fit.kinds)]
    return mine or found


def _leaves(fit: Fit, prefix: str) -> bool:
    """Whether what stands under a prefix is no part of this fit. `_orig_mod.` may be one, for it is
    a prefix that is left out inside a name as well.
    """
    return any(name.startswith(prefix) for name in fit.beside)


def prefixes(names: Mapping[str, Tensor]) -> list[str]:
    """The dotted prefixes that a fair share of the names has, the shortest first; "" is one."""
    counts = Counter({"": len(names)})
    for name in names:
        counts.update(name[: dot.end()] for dot in re.finditer(r"\.", name))
    return sorted((p for p, count in counts.items() if count >= SHARE * len(names)), key=len)


def under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """What stands under a prefix, without it and without what belongs to no network, by the names
    that their source gives them today.
    """
    return up_to_date(
        {
            name[len(prefix) :]: tensor
            for name, tensor in tensors.items()
            if name.startswith(prefix) and not COMPANY.search(name[len(prefix) :])
        }
    )


def shapes_in(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def places_for(network: str, own: Shapes) -> Iterator[Place]:
    """The names and shapes of the network's weights in each kind of checkpoint that it can read."""
    for group in known_checkpoints().values():
        for kind in group:
            if kind.ours == network:
                twin = twin_of(kind)
                names = twin.names(own)
                yield Place(
                    kind,
                    tuple(other for other in group if other.shapes == kind.shapes),
                    twin.shapes({key: own[key] for key in names if not key.endswith(COUNTER)}),
                    frozenset(name for key, name in names.items() if AUXILIARY.search(key)),
                )


def twin_of(kind: Known) -> Twin:
    """The rules that translate this kind of checkpoint."""
    return Twin(kind.ours, ()) if kind.source == OURS else TABLES[kind.source][kind.theirs]


def matters(name: str) -> bool:
    """Whether a name in the file stands for anything that a network here could hold."""
    return not name.endswith(COUNTER) and not any(re.search(pattern, name) for pattern in SURPLUS)


def _whole(tensors: Mapping[str, Tensor], prefix: str, part: dict[str, Tensor]) -> Fit | None:
    """The part as a network of the atlas: all of its names, or without what means nothing in one of
    the tables.
    """
    shapes = shapes_in(part)
    fewer = (
        {name: shape for name, shape in shapes.items() if not re.search(pattern, name)}
        for pattern in SURPLUS
    )
    for kept in (shapes, *(some for some in fewer if len(some) < len(shapes))):
        if kinds := identify(kept):
            return Fit(prefix, part, tuple(kinds), _beside(tensors, prefix))
    return None


def _partial(
    tensors: Mapping[str, Tensor], prefix: str, part: dict[str, Tensor], places: list[Place]
) -> Fit | None:
    """The part as the network at hand without its heads, or with other company."""
    shapes = shapes_in(part)
    for place in places:
        trunk = place.trunk
        if not trunk or not all(n in shapes and place.matches(n, shapes[n]) for n in trunk):
            continue
        known = {n for n in shapes if n in place.shapes and place.matches(n, shapes[n])}
        inside = {_top(name) for name in trunk}
        others = [n for n in shapes if n not in known and not n.endswith(COUNTER)]
        if any(_top(name) in inside and not place.is_head(name) for name in others):
            continue
        return Fit(
            prefix,
            {name: tensor for name, tensor in part.items() if name not in others},
            place.alike,
            (*(prefix + name for name in others), *_beside(tensors, prefix)),
            tuple(name for name in place.shapes if name not in known),
            not all(is_average(name) for name in others),
        )
    return None


def _beside(tensors: Mapping[str, Tensor], prefix: str) -> tuple[str, ...]:
    return tuple(
        name
        for name in tensors
        if not name.endswith(COUNTER)
        and (not name.startswith(prefix) or COMPANY.search(name[len(prefix) :]))
    )


def _top(name: str) -> str:
    return name.partition(".")[0]
