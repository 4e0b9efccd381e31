"""Which checkpoints which network can read: the catalogue of weights/known.py, from the networks and the tables."""
from collections import defaultdict
from functools import cache

import torch

from convatlas import registry
from convatlas.verify import blueprint
from convatlas.weights.known import OURS, Known, names_of, shapes_of, text
from convatlas.weights.names import Twin
from convatlas.weights.sources import TABLES

CLASSES, CHANNELS = 7, 5            # unlike any paper's: what changes with them is a head or a stem


def kinds() -> dict[str, list[Known]]:
    """Every kind of checkpoint, by the fingerprint of its names."""
    found = defaultdict(list)
    for name in registry.catalogue():
        _add(found, OURS, name, Twin(name, ()))
    for source, table in TABLES.items():
        for theirs, twin in table.items():
            _add(found, source, theirs, twin)
    return dict(found)


def known_text() -> str:
    """What known.json must hold."""
    return text(kinds())


def _add(found: dict[str, list[Known]], source: str, theirs: str, twin: Twin) -> None:
    ours, head, stem = _shapes(twin.ours)
    names = twin.names(ours)
    shapes = {name: twin.their_shape(name, ours[key]) for key, name in names.items()}
    heads = tuple(names[key] for key in head if key in names)
    stems = names.get(stem, "")
    found[names_of(shapes)].append(Known(source, theirs, twin.ours, heads, stems, shapes_of(shapes, heads, stems)))


@cache
def _shapes(name: str) -> tuple[dict[str, tuple[int, ...]], tuple[str, ...], str]:
    """Shapes of a network's weights; which change with the classes; which changes with the channels."""
    shapes = {key: tuple(tensor.shape) for key, tensor in blueprint(name).state_dict().items()}
    with torch.device("meta"):
        other = registry.create_model(name, num_classes=CLASSES, in_channels=CHANNELS).state_dict()
    changed = [key for key, shape in shapes.items() if shape != tuple(other[key].shape)]
    stem = next((key for key in changed if shapes[key][1:2] != tuple(other[key].shape)[1:2]), "")
    return shapes, tuple(key for key in changed if key != stem), stem
