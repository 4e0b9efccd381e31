"""Walks of the atlas's networks as the index holds them, index/walks/NAME.json: what `diff`
compares without torch and without building either network.
"""

import json
from importlib import resources
from importlib.resources.abc import Traversable

from convatlas import registry
from convatlas.anatomy.steps import Walk
from convatlas.anatomy.walk_record import from_record


def holds(name: str) -> bool:
    """Whether the index holds the walk of a network of the atlas."""
    return name in registry.stored_facts() and _file(name).is_file()


def record(name: str) -> dict:
    """The stored record of a network that the index holds."""
    return json.loads(_file(name).read_bytes())


def stored(name: str) -> Walk | None:
    """The walk of a network at its own input size, without how its weights are drawn; None where
    the index holds none.
    """
    return from_record(record(name)) if holds(name) else None


def _file(name: str) -> Traversable:
    return resources.files("convatlas") / "index" / "walks" / f"{name}.json"
