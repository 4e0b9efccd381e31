"""Which network a file of weights is for: by the names and shapes in it, read as data.

Weights have no wiring. Networks that differ in a stride or an activation only have equal names and
shapes, and then all of them are named.
"""

from dataclasses import dataclass
from pathlib import Path

from convatlas import registry
from convatlas.verification import blueprint
from convatlas.weights import probe
from convatlas.weights.averages import open_checkpoint
from convatlas.weights.fitting import fits, shapes_in
from convatlas.weights.known import OURS, Known
from convatlas.weights.nearness import LEAST, nearest, refusal
from convatlas.weights.reading import Checkpoint

NO_WIRING = "weights have names and shapes only: strides, padding and activations are not in them"
SAME, DIFFERS, FAR = "same", "differs", "another family"


@dataclass(frozen=True)
class Holding:
    """What a file of weights is for. `networks` are all that have its names and shapes; where none
    has, the nearest. `kind` as a Verdict's.
    """

    subject: str
    kind: str
    networks: tuple[str, ...]
    said: str  # in a sentence
    notes: tuple[str, ...] = (NO_WIRING,)

    def __bool__(self) -> bool:
        return self.kind == SAME

    @property
    def network(self) -> str:
        return self.networks[0]

    def sentence(self) -> str:
        """The verdict in a sentence."""
        return self.said

    def __str__(self) -> str:
        return "\n".join([self.said, *self.notes])


def held_by(path: str | Path, against: str | None = None) -> Holding:
    """What a checkpoint, or the folder of a run, holds the weights of.

    Raises WeightsError for a file that cannot be read safely, UnknownNetwork for an `against` that
    is not in the atlas.
    """
    if against is not None:
        registry.require(against, registry.stored_facts())
    file = open_checkpoint(Path(path))
    found = fits(file.tensors, "", {})
    kinds = [kind for fit in found for kind in fit.kinds]
    if kinds and (against is None or any(kind.ours == against for kind in kinds)):
        return _whole(str(path), _named(file, kinds), kinds, against)
    return _nearly(str(path), file, against)


def _named(file: Checkpoint, kinds: list[Known]) -> list[Known]:
    """Those that the file itself says that it is, where it does."""
    said = file.metadata.get(probe.NETWORK)
    return [kind for kind in kinds if kind.source == OURS and kind.ours == said] or kinds


def _whole(path: str, kinds: list[Known], all_kinds: list[Known], against: str | None) -> Holding:
    names = list(dict.fromkeys(kind.ours for kind in kinds))
    if against in names:
        names.remove(against)
        names.insert(0, against)
    theirs = ", ".join(dict.fromkeys(str(kind) for kind in kinds if kind.source != OURS))
    words = f"{path} holds the weights of {names[0]}" + (f" ({theirs})" if theirs else "")
    if len(names) > 1:
        words += f", or of {' or '.join(names[1:])}, whose weights have the same names and shapes"
    others = {kind.ours for kind in all_kinds} - {*names}
    return Holding(path, SAME, (*names, *sorted(others)), words)


def _nearly(path: str, file: Checkpoint, against: str | None) -> Holding:
    share, name = nearest(file, _shapes)
    kind = DIFFERS if against or share >= LEAST else FAR
    name = against or name
    return Holding(path, kind, (name,), refusal(file, name, _shapes(name)))


def _shapes(network: str) -> dict[str, tuple[int, ...]]:
    return shapes_in(blueprint(network).state_dict())
