"""The head of a model card, in the part of YAML that every reader of it shares: every text is
quoted as JSON quotes it, so that no name can say more than itself.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def front_matter(about: Mapping[str, Any]) -> str:
    """`about` between its two lines of dashes; what is empty is left out."""
    lines = ["---", *_mapping(about, ""), "---"]
    return "\n".join(lines) + "\n"


def _mapping(about: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, value in about.items():
        if value in ("", None, [], {}, ()):
            continue
        if isinstance(value, Mapping):
            yield f"{indent}{name}:"
            yield from _mapping(value, indent + "  ")
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield f"{indent}{name}:"
            yield from _sequence(value, indent)
        else:
            yield f"{indent}{name}: {json.dumps(value)}"


def _sequence(values: Sequence[Any], indent: str) -> Iterator[str]:
    for value in values:
        if not isinstance(value, Mapping):
            yield f"{indent}- {json.dumps(value)}"
            continue
        first, *rest = _mapping(value, indent + "  ")
        yield f"{indent}- {first.strip()}"
        yield from rest
