"""JSON as its standard has it: no NaN, no Infinity, no name twice. A number that is not finite is
written as null.
"""

import hashlib
import json
import math
from typing import Any


def dumps(value: Any, indent: int | None = None) -> str:
    return json.dumps(_finite(value), indent=indent, allow_nan=False)


def loads(content: bytes) -> Any:
    """Raises ValueError for all that is not strict JSON in UTF-8, however deep it is nested."""
    try:
        return json.loads(
            content.decode("utf-8"), object_pairs_hook=_without_twins, parse_constant=_refuse
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None


def digest(value: Any) -> str:
    """sha256, in hex, of what is written of it."""
    return hashlib.sha256(dumps(value).encode()).hexdigest()


def loads_signed(content: bytes) -> dict[str, Any]:
    """An object whose "sha256" is the digest of all else in it, as of a run's metrics.json; older
    runs wrote none. Raises ValueError for any other.
    """
    found = loads(content)
    if not isinstance(found, dict):
        raise ValueError("it is no object")
    rest = {name: value for name, value in found.items() if name != "sha256"}
    if found.get("sha256", expected := digest(rest)) != expected:
        raise ValueError("it says another thing than was written")
    return found


def _without_twins(pairs: list[tuple[str, Any]]) -> dict:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _refuse(token: str) -> None:
    raise ValueError(f"{token} is not JSON")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return value
