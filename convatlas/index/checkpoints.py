"""Which checkpoints which network can read: the catalogue of weights/known.py, from the networks
and the tables.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import cache

from convatlas import registry
from convatlas.shapes_only import shapes_only
from convatlas.verification import blueprint
from convatlas.weights.known import OURS, Known, names_of, shapes_of, text
from convatlas.weights.names import Twin
from convatlas.weights.nearness import sketch
from convatlas.weights.sources import TABLES

CLASSES, CHANNELS = 7, 5  # unlike any paper's: what changes with them is a head or a stem


def kinds(name: str) -> list[tuple[str, Known]]:
    """Every kind of checkpoint that this network can read, after the fingerprint of its names."""
    tables = {OURS: {name: Twin(name, ())}, **TABLES}
    return [
        _kind(source, theirs, twin)
        for source, table in tables.items()
        for theirs, twin in table.items()
        if twin.ours == name
    ]


def known_text(renewed: Collection[str], before: Mapping[str, list[Known]]) -> str:
    """What known.json must hold: of `renewed` what they read today, of the others what stood there
    before.
    """
    kept, found = defaultdict(list), defaultdict(list)
    for names, group in before.items():
        for kind in group:
            kept[kind.ours].append((names, kind))
    for network in registry.entries():
        for names, kind in kinds(network) if network in renewed else kept[network]:
            found[names].append(kind)
    return text(found)


def _kind(source: str, theirs: str, twin: Twin) -> tuple[str, Known]:
    ours, head, stem = _shapes(twin.ours)
    names = twin.names(ours)
    shapes = twin.shapes(ours)
    heads = tuple(names[key] for key in head if key in names)
    return names_of(shapes), Known(
        source,
        theirs,
        twin.ours,
        heads,
        names.get(stem, ""),
        shapes_of(shapes, heads, names.get(stem, ""), twin.axes),
        *sketch(shapes, (*heads, names.get(stem, ""))),
        twin.axes,
    )


@cache
def _shapes(name: str) -> tuple[dict[str, tuple[int, ...]], tuple[str, ...], str]:
    """Shapes of a network's weights; which change with the classes; which changes with the
    channels.
    """
    shapes = {key: tuple(tensor.shape) for key, tensor in blueprint(name).state_dict().items()}
    with shapes_only():
        other = registry.create_model(name, num_classes=CLASSES, in_channels=CHANNELS).state_dict()
    changed = [key for key, shape in shapes.items() if shape != tuple(other[key].shape)]
    stem = next((key for key in changed if shapes[key][1:2] != tuple(other[key].shape)[1:2]), "")
    return shapes, tuple(key for key in changed if key != stem), stem
