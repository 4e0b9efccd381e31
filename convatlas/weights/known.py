"""Which checkpoint is whose: the keys and shapes of every file that some network here can read, as
fingerprints.

known.json is generated (`make index`). Two networks may share a fingerprint (ResNet-50 with its
stride in the 1x1 or in the 3x3): then the file must say which it is, or the caller.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path

OURS = "convatlas"  # the source of files with our own names
STORED = Path(__file__).with_name("known.json")
Shapes = Mapping[str, tuple[int, ...]]
# of batch norm; checkpoints from before PyTorch 0.4.1 lack it, and nothing reads it
COUNTER = "num_batches_tracked"


@dataclass(frozen=True)
class Known:
    """A kind of checkpoint: `theirs` in `source` is our network `ours`. `head` and `stem` are names
    in the file.
    """

    source: str
    theirs: str
    ours: str
    head: tuple[str, ...]  # tensors with one row a class
    stem: str  # the first convolution: one slice an input channel; "" if there is none
    shapes: str  # fingerprint of all shapes, but for classes and channels
    size: int = 0  # weights of the layers between
    sketch: str = ""  # of their names and shapes; see nearness
    axes: tuple[int, int] = (0, 1)  # of the head that counts classes, of the stem channels

    def __str__(self) -> str:
        return self.ours if self.source == OURS else f"{self.source}'s {self.theirs}"


def identify(shapes: Shapes) -> list[Known]:
    """The kinds of checkpoint that have these names and shapes, whatever the number of classes and
    channels.
    """
    return [
        kind
        for kind in known_checkpoints().get(names_of(shapes), ())
        if kind.shapes == shapes_of(shapes, kind.head, kind.stem, kind.axes)
    ]


def names_of(names: Iterable[str]) -> str:
    """Fingerprint of a set of names."""
    return _fingerprint(sorted(name for name in names if not name.endswith(COUNTER)))


def shapes_of(
    shapes: Shapes, head: Iterable[str], stem: str, axes: tuple[int, int] = (0, 1)
) -> str:
    """Fingerprint of names and shapes, without the number of classes and of input channels."""
    of_classes, of_channels = axes

    def free(name: str, shape: tuple[int, ...]) -> list:
        if name in head:
            return but(of_classes, shape, "*")
        return but(of_channels, shape, "*") if name == stem else list(shape)

    return _fingerprint(
        [
            [name, *free(name, tuple(shape))]
            for name, shape in sorted(shapes.items())
            if not name.endswith(COUNTER)
        ]
    )


def but(axis: int, shape: tuple[int, ...], instead: str) -> list:
    """The shape with something else in one place, where it has that place."""
    changed = list(shape)
    if -len(shape) <= axis < len(shape):
        changed[axis] = instead
    return changed


def text(kinds: Mapping[str, list[Known]]) -> str:
    """known.json: the kinds by the fingerprint of their names, one kind a line."""
    lines = (
        f"{json.dumps(names)}: [\n"
        + ",\n".join(f" {json.dumps(_row(kind))}" for kind in group)
        + "]"
        for names, group in sorted(kinds.items())
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _row(kind: Known) -> tuple:
    """All of it; without the axes where they are the usual ones."""
    return astuple(kind) if kind.axes != Known.axes else astuple(kind)[:-1]


def _fingerprint(value) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


@cache
def known_checkpoints() -> dict[str, list[Known]]:
    """All kinds, by the fingerprint of their names."""
    return read(STORED)


def read(file: Path) -> dict[str, list[Known]]:
    """What `text` wrote."""
    return {
        names: [
            Known(*(tuple(field) if isinstance(field, list) else field for field in row))
            for row in group
        ]
        for names, group in json.loads(file.read_bytes()).items()
    }
