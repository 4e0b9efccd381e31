"""What is drawn: rectangles, texts and wires with exact places, in units of which a page is 1,200
wide; x runs to the right, y down. Knows nothing of networks; every writer (SVG, PNG, PDF) draws the
same scene.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from convatlas.drawing.letters import width_of

Point = tuple[float, float]
Look = str  # a name of palette.LOOKS


@dataclass(frozen=True)
class Rect:
    x: float
    y: float
    w: float
    h: float
    look: Look
    radius: float = 0

    def moved(self, dx: float, dy: float) -> "Rect":
        return Rect(self.x + dx, self.y + dy, self.w, self.h, self.look, self.radius)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        return self.x, self.y, self.x + self.w, self.y + self.h


@dataclass(frozen=True)
class Line:
    """Straight pieces from point to point."""

    points: tuple[Point, ...]
    look: Look

    def moved(self, dx: float, dy: float) -> Self:
        return replace(self, points=tuple((x + dx, y + dy) for x, y in self.points))

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        xs, ys = zip(*self.points, strict=True)
        return min(xs), min(ys), max(xs), max(ys)


class Shape(Line):
    """A closed one."""


@dataclass(frozen=True)
class Text:
    """A line of text; `y` is its baseline, `x` its beginning, middle or end."""

    x: float
    y: float
    words: str
    size: float
    look: Look = "ink"
    anchor: str = "start"  # "middle", "end"
    bold: bool = False

    def moved(self, dx: float, dy: float) -> "Text":
        x, y = self.x + dx, self.y + dy
        return Text(x, y, self.words, self.size, self.look, self.anchor, self.bold)

    @property
    def width(self) -> float:
        return width_of(self.words, self.size, self.bold)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        left = self.x - {"start": 0, "middle": 0.5, "end": 1}[self.anchor] * self.width
        return left, self.y - 0.76 * self.size, left + self.width, self.y + 0.24 * self.size


@dataclass(frozen=True)
class Wire(Line):
    """Along the axes, from one box to another."""

    look: Look = "wire"
    ends: bool = False  # with an arrow's head at its last point


@dataclass(frozen=True)
class Box:
    """What belongs together under one address: the first rectangle is its border.

    `told` are the numbers that a page reads of it; `frame` is true where others lie inside it. A
    join has the `path` of the module that joins, which is the address of another box.
    """

    path: str
    items: tuple[Rect | Shape | Text, ...]
    told: Mapping[str, object] = field(default_factory=dict)
    frame: bool = False
    join: bool = False

    def moved(self, dx: float, dy: float) -> "Box":
        items = tuple(item.moved(dx, dy) for item in self.items)
        return Box(self.path, items, self.told, self.frame, self.join)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        return self.items[0].bounds


Item = Rect | Shape | Text | Wire | Box


@dataclass(frozen=True)
class Scene:
    """Items in the order in which they are painted."""

    title: str
    width: float
    height: float
    items: tuple[Item, ...]
    breaks: tuple[float, ...] = ()  # heights at which a page may end


def moved(items: Iterable[Item], dx: float, dy: float) -> list[Item]:
    return [item.moved(dx, dy) for item in items]


def flat(items: Iterable[Item]) -> list[Rect | Shape | Text | Wire]:
    """With what is in boxes in their place."""
    return [part for item in items for part in (item.items if isinstance(item, Box) else (item,))]
