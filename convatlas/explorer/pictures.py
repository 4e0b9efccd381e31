"""The drawings that pages show, from the drawing room: each network's stages stand in its page; of
every unit there is a file, in a full site.
"""

import json
from collections.abc import Callable
from functools import partial

from convatlas import drawing, registry

SHEET = "drawing.css"
HELD = "data/drawings.json"  # what the page may ask for


def files() -> dict[str, Callable[[], bytes]]:
    return {f"static/{SHEET}": _sheet, HELD: partial(_held, False)}


def every_unit() -> dict[str, Callable[[], bytes]]:
    """What a full site holds beside: more than the rest of it together."""
    found = {where(name): partial(units, name) for name in registry.stored_facts()}
    return found | {HELD: partial(_held, True)}


def where(name: str) -> str:
    return f"drawings/{name}.svg"


def drawn(name: str) -> str:
    """The stages of a network in one column, as SVG for a page."""
    return drawing.draw(name, level="stage", columns=1).inline


def units(name: str) -> bytes:
    """All that is inside the stages, repeats once, as SVG for a page."""
    return drawing.draw(name, level="unit").inline.encode()


def _sheet() -> bytes:
    return drawing.stylesheet().encode()


def _held(unit: bool) -> bytes:
    return json.dumps({"unit": unit}).encode()
