"""A long row of stages broken into columns that stand side by side, in bands of the height of a
page; with a title above and the legend below.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import log
from typing import NamedTuple

from convatlas.drawing.block import Block
from convatlas.drawing.boxes import SMALL, Scale
from convatlas.drawing.letters import width_of
from convatlas.drawing.palette import KINDS, LINES
from convatlas.drawing.rows import Style, chain_block
from convatlas.drawing.scene import Box, Item, Rect, Scene, Text, Wire, flat, moved
from convatlas.drawing.structure import Chain, Fan, Mesh
from convatlas.magnitude import short

WIDE = 1200
SHAPE = 1.3  # of a page: height over width
SHORT = 700  # a drawing of this height stays in one column
MARGIN = 24
GUTTER = 56  # between columns, where the wire goes up
TURN = 18  # below a column and above the next, where it turns
TOP = 98  # title and totals


class Column(NamedTuple):
    """A Block, and the text beside the wire that leaves it."""

    block: Block
    label: str


def paged(
    name: str, totals: str, chain: Chain, style: Style, scale: Scale, columns: int | None = None
) -> Scene:
    """`columns` side by side; by default as many as come nearest to the shape of a page."""
    parts = unbroken(chain)
    heights = [chain_block(part, style).height + style.labelled for part in parts]
    counts = range(1, 13) if columns is None else (columns,)
    if columns is None and sum(heights) <= SHORT:
        counts = (1,)
    choices = [
        _arranged(_columns(parts, heights, count, style)) for count in counts if count <= len(parts)
    ]
    items, width, height = min(
        choices or [_arranged(_columns(parts, heights, 1, style))], key=_misfit
    )
    head = moved(heading(name, totals), MARGIN, 0)
    wide = max(width + 2 * MARGIN, *(item.bounds[2] + MARGIN for item in head))
    body = moved(items, (wide - width) / 2, TOP)
    key, high = legend(_explained(items, scale), wide - 2 * MARGIN)
    y = TOP + height + 22
    whole = (*head, *body, *moved(key, MARGIN, y))
    return Scene(f"{name}: {totals}", round(wide), round(y + high + MARGIN), whole)


def _misfit(choice: tuple[list[Item], float, float]) -> float:
    """How far from the shape of a page; too wide is worst."""
    _, width, height = choice
    return abs(log((height + TOP) / width / SHAPE)) + 9 * max(0, log((width + 2 * MARGIN) / WIDE))


def unbroken(chain: Chain) -> list[Chain]:
    """The longest pieces without a place where a column may end: between two boxes in a row."""
    pieces: list[list] = [[]]
    for part, following in pairwise([*chain.parts, None]):
        pieces[-1].append(part)
        if not isinstance(part, Fan | Mesh) and following is not None:
            pieces.append([])
    return [Chain(tuple(piece)) for piece in pieces]


def _columns(parts: list[Chain], heights: list[float], count: int, style: Style) -> list[Column]:
    """Parts in so many columns, the longest as short as can be."""
    most = _least_height(heights, count)
    rows, total = [[]], 0.0
    for part, height in zip(parts, heights, strict=True):
        if rows[-1] and total + height > most:
            rows.append([])
            total = 0.0
        rows[-1] += part.parts
        total += height
    return [Column(chain_block(Chain(tuple(row)), style), _label(row[-1], style)) for row in rows]


def _label(last, style: Style) -> str:
    return style.label(last) if not isinstance(last, Fan | Mesh) else ""


def _least_height(heights: Sequence[float], count: int) -> float:
    """The least height of `count` columns that hold them all in order."""
    low, high = max(heights), sum(heights)
    while high - low > 1:
        middle = (low + high) / 2
        used, total = 1, 0.0
        for height in heights:
            used, total = (used + 1, height) if total + height > middle else (used, total + height)
        low, high = (low, middle) if used <= count else (middle, high)
    return high


def _arranged(columns: list[Column]) -> tuple[list[Item], float, float]:
    """Columns side by side, joined by wires; items, width and height."""
    items: list[Item] = []
    edge, axes = 0.0, []
    for column in columns:
        axes.append(edge + column.block.left)
        items += column.block.moved(axes[-1], 0).items
        edge += column.block.width + GUTTER
    for (upper, a), (lower, b) in pairwise(zip(columns, axes, strict=True)):
        gutter = a + upper.block.right + GUTTER / 2
        items += _turn(upper, lower, a, gutter, b)
    height = max(column.block.height for column in columns)
    return items, edge - GUTTER, height + (TURN if len(columns) > 1 else 0)


def _turn(upper: Column, lower: Column, a: float, gutter: float, b: float) -> list[Item]:
    """From below one column up to above the next, and into all that begins there."""
    begin, end = upper.block.height, -TURN
    a += upper.block.tails[0].x
    up = ((a, begin), (a, begin + TURN), (gutter, begin + TURN), (gutter, end))
    wires: list[Item] = [
        Wire((*up, (b + x, end), (b + x, 0.0)), ends=not is_open)
        for _, x, is_open in lower.block.heads
    ]
    label = Text(a + 7, begin + TURN - 5, upper.label, 11, "quiet")
    return [*wires, label] if upper.label and label.bounds[2] < gutter - 2 else wires


def _explained(items: Sequence[Item], scale: Scale) -> list[tuple[str, str]]:
    """What the colours and the bar mean, of what is drawn."""
    looks = looks_in(items)
    entries = [(look, words) for look, words in KINDS.items() if {look, f"bar_{look}"} & looks]
    if not scale.full:
        return entries
    bar = ("bar", "multiply-adds") if "bar" in looks else ("track", "multiply-adds by kind")
    return [*entries, (bar[0], f"{bar[1]}, full: {short(scale.full)}")]


def looks_in(items: Sequence[Item]) -> set[str]:
    """Of the boxes that are drawn."""
    boxes = (item for item in items if isinstance(item, Box))
    return {rect.look for rect in flat(boxes) if isinstance(rect, Rect)}


def heading(name: str, totals: str) -> list[Item]:
    """What stands above a drawing, TOP high."""
    return [Text(0, 38, name, 20, bold=True), Text(0, 59, totals, 12, "quiet")]


def legend(entries: Sequence[tuple[str, str]], room: float) -> tuple[list[Item], float]:
    """Looks and what they mean, in lines; and how high that is."""
    found: list[Item] = []
    x, y = 0.0, 0.0
    for look, words in entries:
        wide = 20 + width_of(words, SMALL) + 18
        if x and x + wide > room:
            x, y = 0.0, y + 18
        found.append(
            Rect(x, y + 4, 14, 4, look, 2) if look in LINES else Rect(x, y, 14, 12, look, 2)
        )
        found.append(Text(x + 20, y + 10, words, SMALL, "quiet"))
        x += wide
    return found, y + 14
