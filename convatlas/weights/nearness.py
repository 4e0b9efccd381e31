"""How near a file that is refused was: which network most of it fits, and what does not."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from convatlas.weights.fitting import Place, places_for, prefixes, shapes_in, under
from convatlas.weights.known import COUNTER, OURS, Known, Shapes, known_checkpoints
from convatlas.weights.reading import Checkpoint
from convatlas.weights.sources import TABLES

KEPT = 32  # hashes of a sketch
DIGITS = 6  # of a hash
LEAST = 0.2  # of a network that must fit for it to be called near
CLOSE = 0.8  # of the best share: others that may be nearer in truth, for shares are estimates
COMPARED = 8  # of them
FEW = 3  # differences that are named
TURNED = (
    "; dimensions stand in another order there than its source writes them: transpose such weights "
    "first"
)
FOLDED = (
    "; its norms were folded into its convolutions, which cannot be undone: give the checkpoint "
    "that it was made from"
)


class Near(NamedTuple):
    """How much of a file and of a network is the same, from 0 to 1."""

    share: float
    kind: Known


@dataclass(frozen=True)
class Compared:
    """A part of a file beside the network at hand."""

    place: Place
    same: int
    differences: tuple[str, ...]
    remedy: str = ""  # what to do, where norms were folded or dimensions stand in another order

    @property
    def share(self) -> float:
        return self.same / max(self.same + len(self.differences), 1)


def sketch(shapes: Shapes, free: tuple[str, ...]) -> tuple[int, str]:
    """How many weights, and the smallest hashes of their names and shapes, without those that
    change with classes or channels (`free`): enough to tell how much two networks share.
    """
    hashes = sorted(
        _hashed(name, shape)
        for name, shape in shapes.items()
        if name not in free and not name.endswith(COUNTER)
    )
    return len(hashes), "".join(hashes[:KEPT])


def refusal(file: Checkpoint, network: str, own: Shapes) -> str:
    """Why the file fits no network: what of the one at hand, or which other network is nearer."""
    parts = [shapes_in(under(file.tensors, prefix)) for prefix in prefixes(file.tensors)]
    here = max(_compared(parts, network, own), key=lambda found: found.share, default=None)
    there = max(_near(parts), key=lambda near: near.share)
    is_here = here and (here.share >= there.share or here.place.kind.sketch == there.kind.sketch)
    if here and (here.remedy == FOLDED or (is_here and here.share >= LEAST)):
        return f"{file.path} fits no network of the atlas: {_nearly(here)}"
    if there.share >= LEAST:
        return (
            f"{file.path} fits no network of the atlas as it is; nearest is {_named(there.kind)}, "
            f"with about {there.share:.0%} of the names and shapes; loaded into "
            f"{there.kind.ours}, it is compared name by name"
        )
    return (
        f"{file.path} fits no network of the atlas under any names that are known here "
        f"({', '.join([OURS, *TABLES])}); its first tensor is {next(iter(file.tensors))}"
    )


def _compared(parts: list[dict], network: str, own: Shapes) -> Iterator[Compared]:
    for place in places_for(network, own):
        for shapes in parts:
            yield _beside(place, shapes)


def _beside(place: Place, shapes: Shapes) -> Compared:
    differences, missing = [], []
    turned = False
    for name, wanted in place.shapes.items():
        if name not in shapes:
            differences.append(f"{name} (missing)")
            missing.append(name)
        elif not place.matches(name, shapes[name]):
            differences.append(f"{name} ({_size(shapes[name])} instead of {_size(wanted)})")
            turned |= name != place.kind.stem and sorted(shapes[name]) == sorted(wanted)
    unknown = [n for n in shapes if n not in place.shapes and not n.endswith(COUNTER)]
    same = len(place.shapes) - len(differences)
    everything = (*differences, *(f"{name} (unknown there)" for name in unknown))
    remedy = FOLDED if _are_norms(missing, place.shapes) else TURNED if turned else ""
    return Compared(place, same, everything, remedy)


def nearest(file: Checkpoint, own: Callable[[str], Shapes]) -> tuple[float, str]:
    """The network of which a file has most names and shapes, and which share. `own` gives the names
    and shapes of a network: those that may be it are compared whole.
    """
    parts = [shapes_in(under(file.tensors, prefix)) for prefix in prefixes(file.tensors)]
    ranked = sorted(_near(parts), key=lambda near: -near.share)
    close = [near.kind.ours for near in ranked if near.share >= CLOSE * ranked[0].share]
    names = list(dict.fromkeys(close))[:COMPARED]
    shares = {n: max(found.share for found in _compared(parts, n, own(n))) for n in names}
    best = max(names, key=shares.__getitem__)
    return shares[best], best


def _near(parts: list[dict]) -> Iterator[Near]:
    """Estimates, from the sketches, for every kind of checkpoint."""
    hashed = [
        {_hashed(name, shape) for name, shape in shapes.items() if not name.endswith(COUNTER)}
        for shapes in parts
    ]
    for group in known_checkpoints().values():
        for kind in group:
            kept = [kind.sketch[i : i + DIGITS] for i in range(0, len(kind.sketch), DIGITS)]
            for hashes in hashed:
                common = kind.size * sum(one in hashes for one in kept) / max(len(kept), 1)
                yield Near(common / max(kind.size + len(hashes) - common, 1), kind)


def _nearly(found: Compared) -> str:
    kind, named = found.place.kind, ", ".join(found.differences[:FEW])
    if len(found.differences) <= FEW:
        return f"all but {named} fits {_named(kind)}{found.remedy}"
    return (
        f"{found.share:.0%} of it fits {_named(kind)}, but not {named} and "
        f"{len(found.differences) - FEW} more{found.remedy}"
    )


def _are_norms(missing: list[str], shapes: Shapes) -> bool:
    """Whether all that a file lacks is norms: statistics, and layers that hold no matrix."""
    matrices = {name.rpartition(".")[0] for name, shape in shapes.items() if len(shape) > 1}
    return any(name.endswith(".running_mean") for name in missing) and not any(
        name.rpartition(".")[0] in matrices for name in missing
    )


def _named(kind: Known) -> str:
    return str(kind) if kind.source == OURS else f"{kind} ({kind.ours} here)"


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "one number"


def _hashed(name: str, shape: tuple[int, ...]) -> str:
    return hashlib.sha256(f"{name} {_size(tuple(shape))}".encode()).hexdigest()[:DIGITS]
