"""Which part of what a trainer saved is the state of a network: the raw weights, their average, a
teacher, ...
"""

from collections.abc import Callable, Mapping
from typing import Any

from convatlas.errors import WeightsError

COMMON = ("state_dict", "model", "model_state_dict", "net", "network", "weights", "params")
DEEP = 2  # how far inside one another sections are looked for
MANY = 1_000
AVERAGE = "/ExponentialMovingAverage"
STATE = "save net.state_dict(), or put it under 'state_dict'"


def sections(held: Any, is_tensor: Callable[[Any], bool]) -> dict[str, dict[str, Any]]:
    """The mappings that hold tensors, by their dotted place in the file: "" is the whole of it.
    What is no tensor in them (an epoch, an option) is left out.
    """
    found = {}
    seen = {}  # each mapping is looked through once, however often the file refers to it
    waiting = [((), held)] if isinstance(held, Mapping) else []
    for place, mapping in waiting:
        if id(mapping) not in seen:
            seen[id(mapping)] = {name: part for name, part in mapping.items() if is_tensor(part)}
            if len(place) < DEEP:
                inside = [item for item in mapping.items() if isinstance(item[1], Mapping)]
                waiting += [((*place, name), part) for name, part in inside]
        if seen[id(mapping)]:
            found[".".join(place)] = seen[id(mapping)]
        if len(found) > MANY:
            raise WeightsError(f"holds tensors in more than {MANY:,} places; {STATE}")
    return found


def apart(found: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The same places, but an average that stands beside each weight, under its name with an
    ending (TensorFlow's way), in a place of its own, with all that has none as it is.
    """
    parted = {}
    for place, held in found.items():
        raw = {name: part for name, part in held.items() if not name.endswith(AVERAGE)}
        parted[place] = raw
        averaged = {name: held[name + AVERAGE] for name in raw if name + AVERAGE in held}
        if averaged:
            parted[".".join([*([place] if place else []), AVERAGE[1:]])] = raw | averaged
    return parted


def chosen(found: Mapping[str, Mapping], held: Any, wanted: str | None = None) -> str:
    """The section that was asked for; else the first of the common names; else the largest.

    Raises WeightsError where there is none, naming what there is.
    """
    if wanted is not None and wanted in found:
        return wanted
    if isinstance(held, Mapping) and not held and not hasattr(held, "state"):
        raise WeightsError("holds no tensors; download or copy it again")
    if not found:
        raise WeightsError(f"holds {_instead(held)}; {STATE}")
    if wanted is not None:
        there = ", ".join(place or "'' (the whole file)" for place in found)
        raise WeightsError(f"has no section {wanted!r} that holds tensors, but {there:.300}")
    return next((name for name in COMMON if name in found), None) or max(
        found, key=lambda name: len(found[name])
    )


def _instead(held: Any) -> str:
    """What a file without a state holds."""
    for value in [held, *(held.values() if isinstance(held, Mapping) else ())]:
        state = getattr(value, "state", None)
        if isinstance(state, Mapping) and ("_modules" in state or "_parameters" in state):
            return f"a whole network ({value.kind:.100}), which needs the code that made it"
    if isinstance(held, Mapping) and held:
        there = ", ".join(sorted(name if name.isprintable() else ascii(name) for name in held)[:5])
        return f"no state_dict (but {there:.300})"
    return f"no state_dict (but {getattr(held, 'kind', type(held).__name__):.100})"
