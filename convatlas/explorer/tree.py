"""The family tree: who builds on whom, years downward, each step a link to the difference."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from convatlas import registry
from convatlas.explorer import frame
from convatlas.explorer.frame import word

TYPED = Path(__file__).with_name("lineage.toml")
HIGH, LETTER = 26, 7.0  # of a box; of a letter in it
COLUMN, ROW, YEAR, TOP = 162, 46, 58, 34  # from box to box; room for the years; for the headings
HOW = (
    "A line is a step from one network to the next; it leads to what changes, layer by layer, and "
    "what that costs."
)
LANES = {
    "plain": "plain stacks",
    "inception": "Inception",
    "residual": "residual",
    "branches": "dense, grouped",
    "gates": "gates and attention",
    "small": "small",
    "searched": "searched and scaled",
}
Edge = tuple[str, str, str]  # older, newer, what the step is


@dataclass(frozen=True)
class Place:
    row: int
    column: int

    @property
    def middle(self) -> int:
        return YEAR + self.column * COLUMN + COLUMN // 2

    @property
    def top(self) -> int:
        return TOP + self.row * ROW


def files() -> dict[str, Callable[[], bytes]]:
    return {"tree.html": page}


@cache
def lineage() -> tuple[dict[str, str], tuple[Edge, ...]]:
    """Network -> lane, and the edges, as typed."""
    typed = tomllib.loads(TYPED.read_text(encoding="utf-8"))
    lanes = {name: lane for lane, names in typed["lanes"].items() for name in names}
    return lanes, tuple((older, newer, step) for older, newer, step in typed["edges"])


def year(name: str) -> int:
    return registry.stored_facts()[name]["paper"]["year"]


def ends() -> tuple[str, str]:
    """The first year of the tree and the last."""
    years = [year(name) for name in lineage()[0]]
    return str(min(years)), str(max(years))


def places() -> dict[str, Place]:
    """Where each network stands: below all it builds on, no two in one place."""
    lanes, edges = lineage()
    columns = list(LANES)
    found: dict[str, Place] = {}
    row = 0
    for at in sorted({year(name) for name in lanes}):
        left, base = {name for name in lanes if year(name) == at}, row
        while left:
            waits = {newer for older, newer, _ in edges if older in left and newer in left}
            taken: set[int] = set()
            for name in [name for name in lanes if name in left - waits]:
                column = columns.index(lanes[name])
                if column not in taken:
                    taken.add(column)
                    found[name] = Place(row, column)
                    left.discard(name)
            row += 1
        row = max(row, base + 1)
    return found


def page() -> bytes:
    lanes, edges = lineage()
    body = (
        f"<h1>{word('tree.title', 'Who builds on whom')}</h1>"
        f"<p>{word('tree.how', HOW)}"
        f"<div class=scroll tabindex=0 role=group aria-label=tree>{picture()}</div>"
        f"<h2>{word('tree.steps', 'All steps')}</h2><ul class=steps>"
        f"{''.join(_step(edge) for edge in sorted(edges, key=lambda edge: year(edge[1])))}</ul>"
    )
    return frame.page(
        "tree.html",
        "Family tree of the convolutional networks",
        body,
        description=f"{len(lanes)} networks, {' to '.join(ends())}, and {len(edges)} steps between "
        "them.",
        module="tree.js",
    )


def _step(edge: Edge) -> str:
    older, newer, step = edge
    return (
        f'<li data-older={older} data-newer={newer}>{year(newer)} <a href="networks/{older}.html">'
        f'{older}</a> → <a href="networks/{newer}.html">{newer}</a>: {escape(step, quote=False)}. '
        f'<a href="diff.html?a={older}&amp;b={newer}">{word("tree.diff", "the difference")}</a>'
    )


def picture() -> str:
    """The tree as SVG; a line carries the names of both its ends."""
    at, (_, edges) = places(), lineage()
    rows = max(place.row for place in at.values()) + 1
    years = "-".join(ends())
    size = (YEAR + len(LANES) * COLUMN, TOP + rows * ROW)
    heads = "".join(
        f"<text class=lane x={Place(0, n).middle} y=18 text-anchor=middle "
        f'data-word="tree.{lane}">{text}</text>'
        for n, (lane, text) in enumerate(LANES.items())
    )
    return (
        f'<svg class=tree viewBox="0 0 {size[0]} {size[1]}" width={size[0]} height={size[1]} '
        f"role=group aria-labelledby=tree-title><title id=tree-title>{years}</title>{heads}"
        f"{_years(at)}{''.join(_line(edge, at) for edge in edges)}"
        f"{''.join(_box(name, place) for name, place in at.items())}</svg>"
    )


def _years(at: dict[str, Place]) -> str:
    first: dict[int, int] = {}
    for name, place in at.items():
        first[year(name)] = min(first.get(year(name), place.top), place.top)
    return "".join(
        f'<path class=year d="M0 {top - 10}H{YEAR + len(LANES) * COLUMN}"/>'
        f"<text class=year x=0 y={top + 18}>{at}</text>"
        for at, top in first.items()
    )


def _line(edge: Edge, at: dict[str, Place]) -> str:
    older, newer, step = edge
    start, end = at[older], at[newer]
    path = _curve(start, end, _passed(start, end, at))
    return (
        f'<a href="diff.html?a={older}&amp;b={newer}" class=edge data-older={older} '
        f"data-newer={newer} tabindex=-1 aria-hidden=true>"
        f"<title>{older} → {newer}: {escape(step)}</title>"
        f'<path class=wide d="{path}"/><path d="{path}"/></a>'
    )


def _curve(start: Place, end: Place, aside: float) -> str:
    """From the foot of a box to the head of another; past boxes of its column, aside."""
    x, y, u, v = start.middle, start.top + HIGH, end.middle, end.top
    if aside:
        return f"M{x} {y}C{x + aside:g} {y + 20} {u + aside:g} {v - 20} {u} {v}"
    bend = max(14, (v - y) // 2)
    return f"M{x} {y}C{x} {y + bend} {u} {v - bend} {u} {v}"


def _passed(start: Place, end: Place, at: dict[str, Place]) -> float:
    """How far a line must bow so as to pass beside the boxes between its ends; 0 where none are."""
    between = [
        _wide(name)
        for name, place in at.items()
        if start.column == place.column == end.column and start.row < place.row < end.row
    ]
    return 0.75 * max(between) if between else 0


def _wide(name: str) -> float:
    return LETTER * len(name) + 12


def _box(name: str, place: Place) -> str:
    wide = _wide(name)
    title = registry.stored_facts()[name]["paper"]["title"]
    return (
        f'<a href="networks/{name}.html" class=node data-name={name}>'
        f"<title>{escape(title)}</title>"
        f'<rect x="{place.middle - wide / 2:g}" y={place.top} width="{wide:g}" height={HIGH} '
        "rx=5 />"
        f"<text x={place.middle} y={place.top + 17} text-anchor=middle>{name}</text></a>"
    )
