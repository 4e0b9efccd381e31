"""The drawings that pages show, from the drawing room: each network's stages stand in its page; of
every unit there is a file, in a full site.
"""

import json
import re
from collections.abc import Callable
from functools import partial

from convatlas import drawing, registry

SHEET = "drawing.css"
TOLD = re.compile(r' data-(?:params|macs|field)="[^"]*"')
QUOTED = re.compile(r'="([\w.-]+)"(?=[ >])')
NAMESPACE = ' xmlns="http://www.w3.org/2000/svg"'
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
    """The stages of a network in one column, as SVG for a page, without the figures that the table
    beside it holds, and without the quotes that HTML does not ask for.
    """
    text = TOLD.sub("", drawing.draw(name, level="stage", columns=1).inline)
    return QUOTED.sub(r"=\1", text.replace(NAMESPACE, ""))


def units(name: str) -> bytes:
    """All that is inside the stages, repeats once, as SVG for a page."""
    return drawing.draw(name, level="unit").inline.encode()


def _sheet() -> bytes:
    return drawing.stylesheet().encode()


def _held(unit: bool) -> bytes:
    return json.dumps({"unit": unit}).encode()
