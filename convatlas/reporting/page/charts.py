"""Figures of a report as SVG that takes its colours from the page: text stays text, and the same
numbers give the same bytes on every machine.

Every chart is WIDE units wide, to be read at that many pixels and at twice as many.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from convatlas.magnitude import short
from convatlas.reporting.page.markup import text
from convatlas.reporting.page.scales import Scale

WIDE, HIGH = 400, 260
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 24, 38
COLOURS = 8  # of the page, --c0 to --c7; then they come again with dashed lines
LETTER = 6.6  # units of a letter's width, about
FEW = 16  # values of a curve that are marked one by one
LINE = 13  # units between two labels
DOT = 6  # units around a point, and
SIDE = 2  # beside a whisker, in which no name may stand
Words = Callable[[float], str]
Box = tuple[float, float, float, float]  # left, right, top, bottom


@dataclass(frozen=True)
class Curve:
    """A mean and the band around it, by x; None is a gap."""

    name: str
    colour: int
    xs: Sequence[float]
    mean: Sequence[float | None]
    low: Sequence[float | None]
    high: Sequence[float | None]


@dataclass(frozen=True)
class Point:
    """A value with its interval, which may be None."""

    name: str
    colour: int
    x: float
    y: float
    low: float | None = None
    high: float | None = None


def percent(value: float) -> str:
    return f"{value:g}"


def size(value: float) -> str:
    """1.2 M; smaller numbers with three digits."""
    if value < 1000:
        return f"{value:.3g}"
    number, unit = short(round(value)).split()
    return f"{float(number):g} {unit}"


def curves(
    title: str,
    found: Sequence[Curve],
    x: Scale,
    y: Scale,
    across: str,
    up: str,
    diagonal: bool = False,
) -> str:
    """Lines with bands; `across` and `up` name the axes. With `diagonal` also where both agree."""
    frame = _Frame(x, y)
    parts = [frame.grid(percent, percent, across, up)]
    if diagonal:
        ends = _line(frame, (x.low, x.high), (y.low, y.high))
        parts.append(f'<path class="ideal" d="{ends}"/>')
    parts += (_band(frame, curve) for curve in found)
    parts += (_drawn_line(frame, curve) for curve in found)
    for curve in found:
        parts += _dots(frame, curve) if len(curve.xs) <= FEW else ()
    return _svg(title, parts)


def _drawn_line(frame: "_Frame", curve: Curve) -> str:
    """A line, or a dot where it has one value only."""
    told, kind = _title(curve.name), look(curve.colour)
    known = [(x, y) for x, y in zip(curve.xs, curve.mean, strict=True) if y is not None]
    if len(known) == 1:
        x, y = units(frame.x(known[0][0])), units(frame.y(known[0][1]))
        return f'<circle class="dot {kind}" cx="{x}" cy="{y}" r="4">{told}</circle>'
    line = _line(frame, curve.xs, curve.mean)
    return f'<path class="line {kind}" d="{line}">{told}</path>'


def _dots(frame: "_Frame", curve: Curve) -> Iterable[str]:
    """Each value of a short curve."""
    kind = look(curve.colour)
    for x, y in zip(curve.xs, curve.mean, strict=True):
        if y is not None:
            place = f'cx="{units(frame.x(x))}" cy="{units(frame.y(y))}"'
            yield f'<circle class="dot {kind}" {place} r="2.6"/>'


def points(title: str, found: Sequence[Point], x: Scale, y: Scale, across: str, up: str) -> str:
    """Named points with whiskers."""
    frame = _Frame(x, y)
    parts = [frame.grid(size, percent, across, up)]
    for point in found:
        at, kind = frame.x(point.x), look(point.colour)
        if point.low is not None and point.high is not None:
            reach = f"M{units(at)} {units(frame.y(point.low))}V{units(frame.y(point.high))}"
            parts.append(f'<path class="whisker {kind}" d="{reach}"/>')
        told = f"{point.name}: {up} {point.y:.3g}, {across} {size(point.x)}"
        dot = f'<circle class="dot {kind}" cx="{units(at)}" cy="{units(frame.y(point.y))}" r="4.5">'
        parts.append(f"{dot}{_title(told)}</circle>")
    parts += _labels(frame, found)
    return _svg(title, parts)


class _Frame:
    """Where values stand between the margins, and what is drawn behind them."""

    def __init__(self, x: Scale, y: Scale):
        self.across, self.up = x, y

    def x(self, value: float) -> float:
        return LEFT + self.across.place(value) * (WIDE - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return HIGH - BOTTOM - self.up.place(value) * (HIGH - TOP - BOTTOM)

    def grid(self, x_words: Words, y_words: Words, across: str, up: str) -> str:
        """Lines, numbers and the names of the axes."""
        parts = []
        for tick in self.up.ticks:
            at = units(self.y(tick))
            parts.append(
                f'<path class="grid" d="M{LEFT} {at}H{WIDE - RIGHT}"/>'
                f'<text x="{LEFT - 6}" y="{at}" dy=".35em" text-anchor="end">{y_words(tick)}</text>'
            )
        low = HIGH - BOTTOM
        for tick in self.across.ticks:
            at = units(self.x(tick))
            parts.append(
                f'<path class="axis" d="M{at} {low}v4"/>'
                f'<text x="{at}" y="{low + 16}" text-anchor="middle">{x_words(tick)}</text>'
            )
        parts.append(
            f'<path class="axis" d="M{LEFT} {low}H{WIDE - RIGHT}"/>'
            f'<text class="name" x="2" y="12">{text(up)}</text>'
            f'<text class="name" x="{WIDE - RIGHT}" y="{HIGH - 4}" text-anchor="end">'
            f"{text(across)}</text>"
        )
        return "".join(parts)


def _line(frame: _Frame, xs: Sequence[float], ys: Sequence[float | None]) -> str:
    """The path through all values; it begins anew after a gap."""
    path, pen = "", "M"
    for x, y in zip(xs, ys, strict=True):
        if y is None:
            pen = "M"
            continue
        path += f"{pen}{units(frame.x(x))} {units(frame.y(y))}"
        pen = "L"
    return path


def _band(frame: _Frame, curve: Curve) -> str:
    """Between low and high, as far as both are known."""
    parts, piece = [], []
    for x, low, high in [*zip(curve.xs, curve.low, curve.high, strict=True), (0, None, None)]:
        if low is not None and high is not None:
            piece.append((frame.x(x), frame.y(low), frame.y(high)))
            continue
        if len(piece) > 1:
            there = "L".join(f"{units(x)} {units(high)}" for x, _, high in piece)
            back = "L".join(f"{units(x)} {units(low)}" for x, low, _ in reversed(piece))
            parts.append(f'<path class="band {look(curve.colour)}" d="M{there}L{back}z"/>')
        piece = []
    return "".join(parts)


def _labels(frame: _Frame, found: Sequence[Point]) -> Iterable[str]:
    """A name by each point that has room for it; colour tells the others."""
    taken = [box for point in found for box in _marks(frame, point)]
    for point in found:
        name = shortened(point.name)
        free = (
            box
            for box in _places(frame, point, LETTER * len(name))
            if not any(_meet(box, other) for other in taken)
        )
        if box := next(free, None):
            taken.append(box)
            left, _, top, bottom = box
            at = f'x="{units(left)}" y="{units((top + bottom) / 2)}" dy=".35em"'
            yield f'<text class="label" {at}>{text(name)}</text>'


def _marks(frame: _Frame, point: Point) -> list[Box]:
    """What a point and its whisker cover."""
    x, y = frame.x(point.x), frame.y(point.y)
    dot = (x - DOT, x + DOT, y - DOT, y + DOT)
    if point.low is None or point.high is None:
        return [dot]
    return [dot, (x - SIDE, x + SIDE, frame.y(point.high), frame.y(point.low))]


def _places(frame: _Frame, point: Point, wide: float) -> Iterable[Box]:
    """Where a name may stand: right of the point before left of it, level before up or down; then
    above its whisker and below.
    """
    x, y, half = frame.x(point.x), frame.y(point.y), LINE / 2
    *_, tops, bottoms = zip(*_marks(frame, point), strict=True)
    middle = min(max(LEFT, x - wide / 2), WIDE - wide)
    asked = [
        *((left, level) for level in (y, y - LINE, y + LINE) for left in (x + 9, x - 9 - wide)),
        *((middle, level) for level in (min(tops) - half - 1, max(bottoms) + half + 1)),
    ]
    for left, level in asked:
        if left >= 0 and left + wide <= WIDE and TOP < level < HIGH - BOTTOM:
            yield left, left + wide, level - half, level + half


def _meet(one: Box, other: Box) -> bool:
    left, right, top, bottom = one
    return left < other[1] and other[0] < right and top < other[3] and other[2] < bottom


def shortened(name: str, longest: int = 34) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _svg(title: str, parts: Iterable[str]) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{text(title)}">'
        f"{''.join(parts)}</svg>"
    )


def look(colour: int) -> str:
    """The classes of a colour."""
    return f"c{colour % COLOURS}" + (" again" if colour >= COLOURS else "")


def _title(told: str) -> str:
    return f"<title>{text(told)}</title>"


def units(value: float) -> str:
    """A length, in tenths at most."""
    return f"{value:.1f}".removesuffix(".0")
