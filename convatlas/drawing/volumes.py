"""The classical figure: what each stage gives out as a body, to scale.

Height and depth are those of the map, the thickness is its channels; each of the two scales is one
for the whole picture, and both are printed under it. A vector has a height of its own, since one
pixel would not be seen.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from convatlas.anatomy.table import Layer
from convatlas.drawing.boxes import SIZE, SMALL, size_text, told
from convatlas.drawing.letters import DASH, shortened, width_of
from convatlas.drawing.pages import MARGIN, TOP, WIDE, heading
from convatlas.drawing.repeats import folded
from convatlas.drawing.scene import Box, Item, Rect, Scene, Shape, Text, moved
from convatlas.drawing.sketch import Piece, Step, pieces, plan
from convatlas.drawing.words import look_of, numbers_told, title_of

TALL = 190  # the largest map
THICK = (150, 120, 90, 60)  # the most channels: the first with which all stand in one line
AWAY = (0.42, 0.30)  # where a unit of depth goes, to the right and up
FLAT = 4  # a vector
GAP = 22
LONGEST = 150  # a name
ROUND = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)


class Body(NamedTuple):
    """What one or several stages in a row give out, all of one shape."""

    name: str
    output: tuple[int, ...]
    look: str
    piece: Piece


class Scale(NamedTuple):
    """Units for a pixel of a map, and for a channel."""

    pixel: float
    channel: float


def scene(graph, rows: Sequence[Layer], ends: Mapping) -> Scene:
    """Of a NetworkGraph (anatomy.network_graph), its layer table and what containers give out."""
    whole = folded(pieces(plan(graph, rows, ends)))
    bodies = _bodies(whole)
    sides = [side for body in bodies for side in body.output[1:]]
    scales = [_scale(bodies, max(sides, default=1), thick) for thick in THICK]
    scale = next((each for each in scales if len(_lines(bodies, each)) == 1), scales[0])
    totals = f"{numbers_told(whole.params, whole.macs)} · input {size_text(graph.size)}"
    items = moved(heading(graph.network, totals), MARGIN, 0)
    x, y, width = float(MARGIN), float(TOP), max(item.bounds[2] for item in items) + MARGIN
    for line in _lines(bodies, scale):
        high = max(_height(body, scale) for body in line)
        x = float(MARGIN)
        for body in line:
            items.append(_drawn(body, scale, x, y + high))
            x += _slot(body, scale)
        width = max(width, x - GAP + MARGIN)
        y += high + 52
    key = _key(scale, max(sides, default=1), max(body.output[0] for body in bodies))
    items += moved(key, MARGIN, y + 6)
    width = max([width, *(item.bounds[2] + MARGIN for item in items)])
    return Scene(f"{graph.network}: {totals}", round(width), round(y + 60), tuple(items))


def _scale(bodies: Sequence[Body], side: int, thick: float) -> Scale:
    return Scale(TALL / side, thick / max(body.output[0] for body in bodies))


def _bodies(whole: Piece) -> list[Body]:
    """Of the stages in order; of those of one shape in a row the last one's."""
    found = []
    for shape, group in groupby(whole.parts, key=lambda part: part.output):
        parts = list(group)
        names = list(
            dict.fromkeys(title_of(part) or _spoken(part) for part in (parts[0], parts[-1]))
        )
        found.append(Body(_joined(names), shape, _look(parts[0]), parts[-1]))
    return found


def _joined(names: list[str]) -> str:
    """ "inception_4a - 4c" """
    first, last = names[0], names[-1]
    start = first.rpartition("_")[0] + "_"
    return f"{first} {DASH} {last.removeprefix(start)}" if len(names) > 1 else first


def _spoken(part: Piece) -> str:
    step = part.parts[0]
    return "image" if step.kind == "input" else step.kind


def _look(part: Piece) -> str:
    """Of what costs most in the first of them."""
    steps = [step for step in part.steps if step.row]
    if not steps:
        return look_of(part.parts[0]) if isinstance(part.parts[0], Step) else "other"
    return look_of(max(steps, key=lambda step: step.macs))


def _lines(bodies: Sequence[Body], scale: Scale) -> list[list[Body]]:
    """As many side by side as a page holds."""
    lines: list[list[Body]] = [[]]
    x = float(MARGIN)
    for body in bodies:
        if lines[-1] and x + _slot(body, scale) > WIDE:
            lines.append([])
            x = float(MARGIN)
        lines[-1].append(body)
        x += _slot(body, scale)
    return lines


def _measures(body: Body, scale: Scale) -> tuple[float, float, float]:
    """Thickness, height and depth."""
    channels, *sides = body.output
    if len(sides) != 2 or set(sides) == {1}:
        return channels * scale.channel, FLAT, FLAT
    return channels * scale.channel, sides[0] * scale.pixel, sides[1] * scale.pixel


def _slot(body: Body, scale: Scale) -> float:
    thick, _, deep = _measures(body, scale)
    texts = (
        min(width_of(body.name, SIZE, bold=True), LONGEST),
        width_of(size_text(body.output), SMALL),
    )
    return max(thick + AWAY[0] * deep, *texts) + GAP


def _height(body: Body, scale: Scale) -> float:
    _, high, deep = _measures(body, scale)
    return high + AWAY[1] * deep


def _drawn(body: Body, scale: Scale, x: float, y: float) -> Box:
    """With its lower left corner at x, y, and its name below."""
    thick, high, deep = _measures(body, scale)
    a, b = AWAY[0] * deep, AWAY[1] * deep
    right = x + thick
    top = ((x, y - high), (x + a, y - high - b), (right + a, y - high - b), (right, y - high))
    side = ((right, y), (right + a, y - b), (right + a, y - high - b), (right, y - high))
    room = _slot(body, scale) - GAP
    items = (
        Rect(x, y - high - b, room, high + b + 40, "none"),
        Rect(x, y - high, thick, high, body.look),
        Shape(top, body.look),
        Shape(side, body.look),
        Text(x, y + 18, shortened(body.name, SIZE, LONGEST, bold=True), SIZE, bold=True),
        Text(x, y + 34, size_text(body.output), SMALL, "quiet"),
    )
    return Box(body.piece.path, items, told(body.piece))


def _key(scale: Scale, side: int, channels: int) -> list[Item]:
    """A bar for some pixels, and one for some channels."""
    items: list[Item] = []
    x = 0.0
    for unit, most, words in (
        (scale.pixel, side, "pixels high"),
        (scale.channel, channels, "channels thick"),
    ):
        count = max(number for number in ROUND if number <= max(most / 2, 1))
        label = f"{count} {words}"
        items += [
            Rect(x, 4, count * unit, 4, "bar"),
            Text(x + count * unit + 8, 11, label, SMALL, "quiet"),
        ]
        x += count * unit + width_of(label, SMALL) + 32
    words = "depth runs to the upper right; vectors have no height of their own"
    return [*items, Text(0, 31, words, SMALL, "quiet")]
