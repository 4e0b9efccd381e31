"""Walks of the atlas's networks as the index holds them, index/walks/NAME.json: what `diff`
compares without torch and without building either network.
"""

import json
from importlib import resources

from convatlas import registry
from convatlas.anatomy.steps import Walk
from convatlas.anatomy.walk_record import from_record


def record(name: str) -> dict | None:
    """The stored record of a network; None where the index holds none of it. Raises UnknownNetwork
    for a name that is not in the atlas.
    """
    file = resources.files("convatlas") / "index" / "walks" / f"{name}.json"
    if name not in registry.stored_facts() or not file.is_file():
        registry.require(name, registry.stored_facts())
        return None
    return json.loads(file.read_bytes())


def stored(name: str) -> Walk | None:
    """The walk of a network at its own input size, without how its weights are drawn; None and
    UnknownNetwork as for `record`.
    """
    kept = record(name)
    return from_record(kept) if kept is not None else None
