"""What the site holds, of all its parts: path -> what makes its bytes, when asked."""

from collections.abc import Callable
from importlib import import_module

Files = dict[str, Callable[[], bytes]]
PARTS = (  # modules of this room; each has `files() -> Files`
    "shelf",
    "front",
    "networks",
    "papers",
    "pictures",
    "live",
    "sources",
    "tree",
    "chart",
    "differences",
    "tours",
)


def site(full: bool = False) -> Files:
    """The whole site; a `full` one also has the drawing of every unit of each network. Two parts
    that claim one path are a defect: ValueError names both.
    """
    found: Files = {}
    owner: dict[str, str] = {}
    for part in PARTS:
        for path, make in import_module(f"convatlas.explorer.{part}").files().items():
            if path in found:
                raise ValueError(f"{path} is written by {owner[path]} and by {part}")
            found[path], owner[path] = make, part
    if full:
        from convatlas.explorer.pictures import every_unit

        found |= every_unit()
    return found
