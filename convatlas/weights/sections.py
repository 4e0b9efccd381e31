"""Which part of what a trainer saved is the state of a network: the raw weights, their average, a
teacher, ...
"""

from collections.abc import Mapping
from typing import Any

from convatlas.errors import WeightsError

COMMON = ("state_dict", "model", "model_state_dict", "net", "network", "weights", "params")
DEEP = 3  # how far inside one another sections are looked for
STATE = "save net.state_dict(), or put it under 'state_dict'"


def sections(held: Any, kind: type) -> dict[str, dict[str, Any]]:
    """The mappings that hold tensors (values of that kind), by their dotted place in the file: ""
    is the whole of it. What is no tensor in them (an epoch, an option) is left out.
    """
    found = {}
    seen = set()
    waiting = [("", held, 0)]
    for place, value, depth in waiting:
        if not isinstance(value, Mapping) or id(value) in seen:
            continue
        seen.add(id(value))
        tensors = {str(name): part for name, part in value.items() if isinstance(part, kind)}
        if tensors:
            found[place] = tensors
        if depth < DEEP:
            begin = f"{place}." if place else ""
            waiting += [(f"{begin}{name}", part, depth + 1) for name, part in value.items()]
    return found


def chosen(found: Mapping[str, Mapping], held: Any, wanted: str | None = None) -> str:
    """The section that was asked for; else the first of the common names; else the largest.

    Raises WeightsError where there is none, naming what there is.
    """
    if wanted is not None and wanted in found:
        return wanted
    if wanted is not None:
        there = ", ".join(map(_called, found)) or "none"
        raise WeightsError(f"has no section {wanted!r} that holds tensors; there are: {there:.300}")
    if isinstance(held, Mapping) and not held:
        raise WeightsError("holds no tensors; download or copy it again")
    if not found:
        kind = type(held).__name__
        there = ", ".join(sorted(map(str, held))[:5]) if isinstance(held, Mapping) else kind
        raise WeightsError(f"holds no state_dict (but {there:.300}); {STATE}")
    return next((name for name in COMMON if name in found), None) or max(
        found, key=lambda name: len(found[name])
    )


def _called(place: str) -> str:
    return place or "'' (the whole file)"
