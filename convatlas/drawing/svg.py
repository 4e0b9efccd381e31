"""A scene as SVG: text stays text, colours follow the reader's light or dark setting unless one is
fixed.
"""

from collections.abc import Iterable
from html import escape
from itertools import pairwise, product

from convatlas.drawing.palette import LINES, LOOKS, THICK
from convatlas.drawing.scene import Box, Item, Point, Rect, Scene, Shape, Text, Wire, flat

FONT = 'var(--draw-font,"DejaVu Sans",Verdana,system-ui,sans-serif)'
USUAL = 12  # the size of most letters
PLAIN = (USUAL, "ink", "start", False)  # most letters
SIZES, INKS, ANCHORS = (11, 12, 13, 15, 20), ("ink", "quiet", "times"), ("start", "middle", "end")
ROUND = 4  # the radius of most corners, in the style sheet
HEAD = (3, 6)  # half the width and the length of an arrow's head


def svg(scene: Scene, dark: bool | None = None) -> str:
    """A whole file. `dark` fixes the colours; with None the reader's setting decides."""
    size = f' width="{_n(scene.width)}" height="{_n(scene.height)}"'
    return _drawn(scene, size, f"<style>{_style(scene.items, dark)}</style>")


def inline(scene: Scene) -> str:
    """For a page that has the stylesheet() and decides how wide it is."""
    return _drawn(scene, "", "")


def _drawn(scene: Scene, size: str, style: str) -> str:
    view = f'viewBox="0 0 {_n(scene.width)} {_n(scene.height)}"{size}'
    paper = '<rect class="d-paper" width="100%" height="100%" rx="0"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {view} role="img" class="drawing">'
        f"<title>{escape(scene.title)}</title>{style}{paper}{''.join(_items(scene.items))}</svg>\n"
    )


def stylesheet() -> str:
    """Of all drawings: their colours as variables, --d-NAME, after the reader's setting or the
    nearest data-theme, "dark" or "light".
    """
    names = list(LOOKS)
    light, dark = ("".join(_colours(names, number)) for number in (0, 1))
    return "\n".join(
        [
            f".drawing{{{light}}}",
            f"@media(prefers-color-scheme:dark){{.drawing{{{dark}}}}}",
            f"[data-theme=light] .drawing{{{light}}}",
            f"[data-theme=dark] .drawing{{{dark}}}",
            *_rules(set(product(SIZES, INKS, ANCHORS, (False, True))) - {PLAIN}, names),
            "",
        ]
    )


def _items(items: Iterable[Item]) -> Iterable[str]:
    """Frames, then all wires, then boxes and letters, then the bars in the boxes: what looks alike
    shares a path.
    """
    frames, wires, others = [], [], []
    for item in items:
        is_frame = isinstance(item, Box) and item.frame
        (wires if isinstance(item, Wire) else frames if is_frame else others).append(item)
    yield from map(_item, frames)
    for look in dict.fromkeys(wire.look for wire in wires):
        yield _path(look, (_line(wire) for wire in wires if wire.look == look))
    yield _path("head", (_head(wire) for wire in wires if wire.ends))
    yield from map(_item, others)
    bars = [part for part in flat(others) if isinstance(part, Rect) and part.look in LINES]
    for look in dict.fromkeys(bar.look for bar in bars):
        yield _path(
            look, (f"M{_n(b.x)} {_n(b.y + b.h / 2)}h{_n(b.w, 1)}" for b in bars if b.look == look)
        )


def _path(look: str, lines: Iterable[str]) -> str:
    path = "".join(dict.fromkeys(lines))
    return f'<path class="d-{look}" d="{path}"/>' if path else ""


def _line(wire: Wire) -> str:
    (x, y), *rest = _corners(wire.points)
    text = f"M{_n(x)} {_n(y)}"
    for a, b in rest:
        text += f"V{_n(b)}" if a == x else f"H{_n(a)}" if b == y else f"L{_n(a)} {_n(b)}"
        x, y = a, b
    return text


def _corners(points: tuple[Point, ...]) -> list[Point]:
    """Without the points on the way."""
    kept = [points[0]]
    for point, following in pairwise([*points[1:], None]):
        (x, y), (a, b) = kept[-1], point
        if following and ((x == a == following[0]) or (y == b == following[1])):
            continue
        if point != kept[-1]:
            kept.append(point)
    return kept


def _head(wire: Wire) -> str:
    (a, b), (x, y) = wire.points[-2:]
    half, length = HEAD
    if a == x:
        back = -length if y > b else length
        return f"M{_n(x)} {_n(y)}l{-half} {back}h{2 * half}z".replace(" -", "-")
    back = -length if x > a else length
    return f"M{_n(x)} {_n(y)}l{back}-{half}v{2 * half}z"


def _item(item: Rect | Shape | Text | Box) -> str:
    if isinstance(item, Box) and (item.join or not item.path):
        return "".join(map(_item, item.items))
    if isinstance(item, Box):
        data = "".join(f' data-{key}="{escape(str(value))}"' for key, value in item.told.items())
        inside = "".join(map(_item, item.items))
        kind = "frame" if item.frame else "box"
        return f'<g class="{kind}" data-path="{escape(item.path)}"{data}>{inside}</g>'
    if isinstance(item, Rect):
        if item.look in LINES:
            return ""
        radius = f' rx="{_n(item.radius)}"' if item.radius != ROUND else ""
        return (
            f'<rect class="d-{item.look}" x="{_n(item.x)}" y="{_n(item.y)}" width="{_n(item.w)}" '
            f'height="{_n(item.h)}"{radius}/>'
        )
    if isinstance(item, Shape):
        points = " ".join(f"{_n(x)},{_n(y)}" for x, y in item.points)
        return f'<polygon class="d-{item.look}" points="{points}"/>'
    named = "" if _kind(item) == PLAIN else f' class="{_class(_kind(item))}"'
    return f'<text{named} x="{_n(item.x)}" y="{_n(item.y)}">{escape(item.words)}</text>'


def _kind(text: Text) -> tuple[float, str, str, bool]:
    return text.size, text.look, text.anchor, text.bold


def _class(kind: tuple[float, str, str, bool]) -> str:
    """ "q11e": quiet, 11 high, at its end"""
    size, look, anchor, bold = kind
    return f"{look[0]}{_n(size)}{anchor[0] if anchor != 'start' else ''}{'b' if bold else ''}"


def _rule_of(kind: tuple[float, str, str, bool]) -> str:
    size, look, anchor, bold = kind
    rules = [f"font-size:{_n(size)}px"] if size != USUAL else []
    rules += [f"fill:var(--d-{look})"] if look != "ink" else []
    rules += [f"text-anchor:{anchor}"] if anchor != "start" else []
    rules += ["font-weight:bold"] if bold else []
    return f".drawing .{_class(kind)}{{{';'.join(rules)}}}"


def _n(value: float, digits: int = 0) -> str:
    """Whole units are enough."""
    return f"{round(value, digits):g}" if abs(value) < 1e5 else f"{value:.0f}"


def _style(items: Iterable[Item], dark: bool | None) -> str:
    parts = flat(items)
    kinds = {_kind(item) for item in parts if isinstance(item, Text)} - {PLAIN}
    looks = {item.look for item in parts} | {"paper", "ink", "wire", "head"}
    names = [name for name in LOOKS if name in looks]
    shapes = {item.look for item in parts if not isinstance(item, Text)} | {"paper", "head", "wire"}
    rules = _rules(kinds, [name for name in names if name in shapes])
    light, darker = (f".drawing{{{''.join(_colours(names, number))}}}" for number in (0, 1))
    if dark is None:
        return "".join([light, f"@media(prefers-color-scheme:dark){{{darker}}}", *rules])
    return "".join([darker if dark else light, *rules])


def _rules(kinds: Iterable[tuple], names: Iterable[str]) -> list[str]:
    """Of kinds of text, and of looks."""
    return [
        f".drawing text{{font:{USUAL}px {FONT};fill:var(--d-ink)}}",
        f".drawing rect:not([rx]){{rx:{ROUND}px}}",
        *(_rule_of(kind) for kind in sorted(kinds)),
        *map(_rule, names),
    ]


def _rule(name: str) -> str:
    look = LOOKS[name]
    if name in LINES:
        return f".drawing .d-{name}{{stroke:var(--d-{name});stroke-width:{THICK}}}"
    fill = f"fill:var(--d-{name})" if look.fill[0] else "fill:none"
    line = f";stroke:var(--d-{name}-line);stroke-width:{look.width}" if look.line[0] else ""
    return f".drawing .d-{name}{{{fill}{line}}}"


def _colours(names: list[str], number: int) -> Iterable[str]:
    for name in names:
        look = LOOKS[name]
        yield f"--d-{name}:{look.fill[number]};" if look.fill[0] else ""
        yield f"--d-{name}-line:{look.line[number]};" if look.line[0] else ""
