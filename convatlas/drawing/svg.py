"""A scene as SVG: text stays text, colours follow the reader's light or dark setting unless one is fixed."""

from collections.abc import Iterable
from html import escape

from convatlas.drawing.palette import LINES, LOOKS, THICK
from convatlas.drawing.scene import Box, Item, Rect, Scene, Shape, Text, Wire

FONT = 'var(--draw-font,"DejaVu Sans",Verdana,system-ui,sans-serif)'
USUAL = 12  # the size of most letters
HEAD = (3, 6)  # half the width and the length of an arrow's head


def svg(scene: Scene, dark: bool | None = None) -> str:
    """`dark` fixes the colours; with None the reader's setting decides."""
    size = f'width="{_n(scene.width)}" height="{_n(scene.height)}"'
    body = "".join(_items(scene.items))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(scene.width)} {_n(scene.height)}" {size} '
        f'role="img" class="drawing"><title>{escape(scene.title)}</title>'
        f"<style>{_style(_looks(scene.items), dark)}</style>"
        f'<rect class="d-paper" width="100%" height="100%"/>{body}</svg>\n'
    )


def _items(items: Iterable[Item]) -> Iterable[str]:
    """Frames, then all wires, then boxes and letters, then the bars in the boxes: what looks alike shares a path."""
    frames, wires, others = [], [], []
    for item in items:
        is_frame = isinstance(item, Box) and item.frame
        (wires if isinstance(item, Wire) else frames if is_frame else others).append(item)
    yield from map(_item, frames)
    for look in dict.fromkeys(wire.look for wire in wires):
        yield _path(look, (_line(wire) for wire in wires if wire.look == look))
    yield _path("head", (_head(wire) for wire in wires if wire.ends))
    yield from map(_item, others)
    bars = [bar for item in items for bar in _bars(item)]
    for look in dict.fromkeys(bar.look for bar in bars):
        yield _path(look, (f"M{_n(b.x)} {_n(b.y + b.h / 2)}h{_n(b.w, 1)}" for b in bars if b.look == look))


def _path(look: str, lines: Iterable[str]) -> str:
    path = "".join(dict.fromkeys(lines))
    return f'<path class="d-{look}" d="{path}"/>' if path else ""


def _bars(item: Item) -> list[Rect]:
    inside = item.items if isinstance(item, Box) else (item,)
    return [rect for rect in inside if isinstance(rect, Rect) and rect.look in LINES]


def _line(wire: Wire) -> str:
    (x, y), *rest = wire.points
    text = f"M{_n(x)} {_n(y)}"
    for a, b in rest:
        text += (f"V{_n(b)}" if b != y else "") if a == x else f"H{_n(a)}" if b == y else f"L{_n(a)} {_n(b)}"
        x, y = a, b
    return text


def _head(wire: Wire) -> str:
    (a, b), (x, y) = wire.points[-2:]
    half, length = HEAD
    if a == x:
        back = -length if y > b else length
        return f"M{_n(x)} {_n(y)}l{-half} {back}h{2 * half}z".replace(" -", "-")
    back = -length if x > a else length
    return f"M{_n(x)} {_n(y)}l{back}-{half}v{2 * half}z"


def _item(item: Rect | Shape | Text | Box) -> str:
    if isinstance(item, Box) and not item.path:
        return "".join(map(_item, item.items))
    if isinstance(item, Box):
        data = "".join(f' data-{key}="{escape(str(value))}"' for key, value in item.told.items())
        inside = "".join(map(_item, item.items))
        return f'<g class="{"frame" if item.frame else "box"}" data-path="{escape(item.path)}"{data}>{inside}</g>'
    if isinstance(item, Rect):
        if item.look in LINES:
            return ""
        radius = f' rx="{_n(item.radius)}"' if item.radius else ""
        return (
            f'<rect class="d-{item.look}" x="{_n(item.x)}" y="{_n(item.y)}" width="{_n(item.w)}" '
            f'height="{_n(item.h)}"{radius}/>'
        )
    if isinstance(item, Shape):
        points = " ".join(f"{_n(x)},{_n(y)}" for x, y in item.points)
        return f'<polygon class="d-{item.look}" points="{points}"/>'
    classes = [] if item.size == USUAL else [f"s{_n(item.size)}".replace(".", "_")]
    classes += [f"d-{item.look}"] if item.look != "ink" else []
    classes += [{"middle": "m", "end": "e"}[item.anchor]] if item.anchor != "start" else []
    classes += ["b"] if item.bold else []
    named = f' class="{" ".join(classes)}"' if classes else ""
    return f'<text{named} x="{_n(item.x)}" y="{_n(item.y)}">{escape(item.words)}</text>'


def _n(value: float, digits: int = 0) -> str:
    """Whole units are enough."""
    return f"{round(value, digits):g}" if abs(value) < 1e5 else f"{value:.0f}"


def _looks(items: Iterable[Item]) -> list[str]:
    found: dict[str, None] = {"paper": None, "ink": None, "wire": None, "head": None}
    waiting = list(items)
    while waiting:
        item = waiting.pop()
        found[getattr(item, "look", "ink")] = None
        waiting += item.items if isinstance(item, Box) else ()
    sizes = sorted({item.size for item in _texts(items)} - {USUAL})
    return [*sorted(found, key=list(LOOKS).index), *[f"s{_n(size)}" for size in sizes]]


def _texts(items: Iterable[Item]) -> Iterable[Text]:
    for item in items:
        if isinstance(item, Box):
            yield from _texts(item.items)
        elif isinstance(item, Text):
            yield item


def _style(looks: list[str], dark: bool | None) -> str:
    sizes = [name for name in looks if name not in LOOKS]
    names = [name for name in looks if name in LOOKS]
    rules = [f".drawing text{{font:{USUAL}px {FONT};fill:var(--d-ink)}}"]
    rules += [f".drawing .{name.replace('.', '_')}{{font-size:{name[1:]}px}}" for name in sizes]
    rules += [".drawing .m{text-anchor:middle}.drawing .e{text-anchor:end}.drawing .b{font-weight:bold}"]
    rules += [_rule(name) for name in names]
    light, darker = (f".drawing{{{''.join(_colours(names, number))}}}" for number in (0, 1))
    if dark is None:
        return "".join([light, f"@media(prefers-color-scheme:dark){{{darker}}}", *rules])
    return "".join([darker if dark else light, *rules])


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
