"""What is kept of each network that runs in the page. Nothing here imports torch."""

import json
from pathlib import Path

from convatlas.errors import Error

FOLDER = Path(__file__).parent / "weights"


def names() -> tuple[str, ...]:
    """The networks that run in the page."""
    return tuple(sorted(path.name.removesuffix(".json") for path in _abouts()))


def about(name: str) -> dict:
    """What NAME.json says: network, classes, preprocess, data, licence, test, recipe, seed, and
    the row of the ledger that the run is of.
    """
    return json.loads(_path(name, ".json").read_text(encoding="utf-8"))


def program(name: str) -> dict:
    """The network as the page's interpreter runs it: see live/program.py."""
    return json.loads(_path(name, ".program.json").read_text(encoding="utf-8"))


def weights(name: str) -> bytes:
    """A safetensors file: matrices and kernels in 16 bits, the rest in 32."""
    return _path(name, ".safetensors").read_bytes()


def _abouts() -> list[Path]:
    return [path for path in FOLDER.glob("*.json") if not path.name.endswith(".program.json")]


def _path(name: str, ending: str) -> Path:
    path = FOLDER / f"{name}{ending}"
    if name not in names() or not path.is_file():
        raise Error(f"no weights of {name} run in the page; those of {', '.join(names())} do")
    return path
