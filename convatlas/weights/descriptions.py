"""What a description that lies in the same folder as a file of weights says of it."""

import json
from collections.abc import Mapping

from convatlas.weights.reading import Checkpoint

LARGEST = 1_000_000  # bytes that are read at all


def beside(file: Checkpoint, name: str) -> Mapping:
    """What the JSON file of that name says; nothing where it cannot be read."""
    path = file.path.with_name(name)
    try:
        held = json.loads(path.read_bytes()) if path.stat().st_size <= LARGEST else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return held if isinstance(held, dict) else {}
