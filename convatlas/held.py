"""Whether a network is still the one that the index holds: its layer table row by row, what reads
what, and what it computes. `convatlas verify` and tests/test_golden.py ask here.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from convatlas import index, registry
from convatlas.anatomy import Summary
from convatlas.index import function, graphs
from convatlas.verification import measure


@dataclass(frozen=True)
class Held:
    network: str
    what: str  # "layers", "graph" or "function"
    compared: str  # "161 rows"; "at 3x49x67 and 3x48x36"; "" where the network is new to the index
    difference: str  # the first thing that is not as recorded, in words; "" where all is

    def __str__(self) -> str:
        if self.difference:
            return f"{self.network}: {self.what} not as recorded, {self.difference}"
        if not self.compared:
            return f"{self.what} not recorded yet (`python -m convatlas.index {self.network}`)"
        return f"{self.what} as recorded ({self.compared})"


def held(
    name: str | None = None, progress: Callable[[int, int], None] = lambda done, of: None
) -> list[Held]:
    """Layer table, graph and function of one network, or of all, beside those recorded. `progress`
    is called before each network with the number done and the number of all.  UnknownNetwork if
    there is no such name.
    """
    networks = registry.entries()
    if name is not None:
        registry.require(name, networks)
    names = [name] if name else list(networks)
    found: list[Held] = []
    for done, network in enumerate(names):
        progress(done, len(names))
        new = network not in registry.stored_facts()
        found += (
            [Held(network, what, "", "") for what in ("layers", "graph", "function")]
            if new
            else [layers(network), wired(network), computed(network)]
        )
    return found


def layers(name: str) -> Held:
    file = index.HERE / "layers" / f"{name}.json"
    if not file.is_file():
        return Held(name, "layers", "", f"the index holds none; {renewal(name)}")
    stored = json.loads(file.read_text(encoding="utf-8"))
    measured = measure(name)
    changed = first_change(stored, index.rows_of(measured)) or unread_change(name, measured)
    rows = f"{len(stored['rows'])} rows"
    return Held(name, "layers", rows, changed and f"{changed}; {renewal(name)}")


def wired(name: str) -> Held:
    stored = graphs.stored(name)
    if not stored:
        return Held(name, "graph", "", f"the index holds none; {renewal(name)}")
    changed = first_change(stored, graphs.graph(name))
    boxes = f"{len(stored['reads'])} boxes"
    return Held(name, "graph", boxes, changed and f"{changed}; {renewal(name)}")


def computed(name: str) -> Held:
    stored = function.stored(name)
    if not stored:
        return Held(name, "function", "", f"the index holds none; {renewal(name)}")
    changed = function.first_difference(stored, function.function(name))
    at = f"at {' and '.join(stored)}"
    return Held(name, "function", at, changed and f"{changed}; {renewal(name)}")


def first_change(stored: dict, measured: dict) -> str:
    """The first thing in which two records differ, rows before all else; "" where none does."""
    rows = zip(stored.get("rows", []), measured.get("rows", []), strict=False)
    for i, (old, new) in enumerate(rows, start=1):
        if old != new:
            return f"row {i}: stored {old}, measured {new}"
    for key in {**stored, **measured}:
        if stored.get(key) != measured.get(key):
            return f"{key}: stored {stored.get(key)!r:.200}, measured {measured.get(key)!r:.200}"
    return ""


def unread_change(name: str, measured: Summary) -> str:
    """What differs in the parameters that evaluation does not read, and that have no row."""
    stored = registry.stored_facts()[name]["idle"]
    if stored == measured.idle:
        return ""
    return f"idle parameters: stored {stored}, measured {measured.idle}"


def renewal(name: str) -> str:
    return f"if the change is meant, `python -m convatlas.index {name}` renews it"
