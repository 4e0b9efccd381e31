"""A scene on paper: PNG at twice its size, PDF on a page of A4. matplotlib paints; it brings the
letters along.
"""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from convatlas.drawing.palette import LOOKS
from convatlas.drawing.scene import Box, Item, Rect, Scene, Shape, Text, Wire
from convatlas.drawing.svg import HEAD

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHARP = 144  # dots an inch of a PNG: two for each unit
A4 = (8.27, 11.69)  # inches
EDGE = 0.4  # inches left free


def png(scene: Scene, dark: bool = False) -> bytes:
    """Two dots for each unit of the scene."""
    figure = _figure(scene, dark, scene.width / 72, scene.height / 72, 1)
    return _bytes(figure, format="png", dpi=SHARP, metadata={"Software": None})


def pdf(scene: Scene, dark: bool = False) -> bytes:
    """A page of A4, upright or across, as the drawing fits best; never larger than one unit a
    point.
    """
    pages = ((wide, high) for wide, high in (A4, A4[::-1]))
    wide, high = max(pages, key=lambda page: _fit(scene, *page))
    scale = min(_fit(scene, wide, high), 1)
    figure = _figure(scene, dark, wide, high, scale)
    return _bytes(figure, format="pdf", metadata={"CreationDate": None, "Title": scene.title})


def _fit(scene: Scene, wide: float, high: float) -> float:
    """Points a unit."""
    return 72 * min((wide - 2 * EDGE) / scene.width, (high - 2 * EDGE) / scene.height)


def _bytes(figure: "Figure", **kwargs) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, facecolor=figure.get_facecolor(), **kwargs)
    return file.getvalue()


def _figure(scene: Scene, dark: bool, wide: float, high: float, scale: float) -> "Figure":
    """The scene in the middle of a figure that many inches wide and high, with `scale` points a
    unit.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context({"pdf.fonttype": 42, "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(wide, high), facecolor=LOOKS["paper"].fill[dark])
        FigureCanvasAgg(figure)
        part = scale * scene.width / 72 / wide, scale * scene.height / 72 / high
        axes = figure.add_axes(((1 - part[0]) / 2, (1 - part[1]) / 2, *part))
        axes.set_axis_off()
        axes.set_xlim(0, scene.width)
        axes.set_ylim(scene.height, 0)
        for depth, item in enumerate(_flat(scene.items)):
            _PAINTERS[type(item)](axes, item, dark, scale, depth)
    return figure


def _flat(items) -> list[Item]:
    found = []
    for item in items:
        found += item.items if isinstance(item, Box) else [item]
    return found


def _colours(look: str, dark: bool, scale: float) -> dict:
    fill, line, width = LOOKS[look]
    return {
        "facecolor": fill[dark] or "none",
        "edgecolor": line[dark] or "none",
        "linewidth": width * scale if line[dark] else 0,
    }


def _rect(axes: "Axes", item: Rect, dark: bool, scale: float, depth: int) -> None:
    from matplotlib.patches import Ellipse, FancyBboxPatch

    if item.radius >= item.w / 2 == item.h / 2:
        middle = item.x + item.w / 2, item.y + item.h / 2
        axes.add_patch(
            Ellipse(middle, item.w, item.h, **_colours(item.look, dark, scale), zorder=depth)
        )
        return
    rounded = f"round,pad=0,rounding_size={min(item.radius, item.w / 2, item.h / 2)}"
    box = FancyBboxPatch(
        (item.x, item.y), item.w, item.h, boxstyle=rounded if item.radius else "square,pad=0"
    )
    box.set(**_colours(item.look, dark, scale), zorder=depth)
    axes.add_patch(box)


def _shape(axes: "Axes", item: Shape, dark: bool, scale: float, depth: int) -> None:
    from matplotlib.patches import Polygon

    axes.add_patch(
        Polygon(item.points, closed=True, **_colours(item.look, dark, scale), zorder=depth)
    )


def _text(axes: "Axes", item: Text, dark: bool, scale: float, depth: int) -> None:
    axes.text(
        item.x,
        item.y,
        item.words,
        fontsize=item.size * scale,
        color=LOOKS[item.look].fill[dark],
        ha={"start": "left", "middle": "center", "end": "right"}[item.anchor],
        va="baseline",
        weight="bold" if item.bold else "normal",
        parse_math=False,
        zorder=depth,
    )


def _wire(axes: "Axes", item: Wire, dark: bool, scale: float, depth: int) -> None:
    from matplotlib.patches import Polygon

    look = LOOKS[item.look]
    xs, ys = zip(*item.points, strict=True)
    axes.plot(xs, ys, color=look.line[dark], linewidth=look.width * scale, zorder=depth)
    if item.ends:
        corners = _head(item.points[-2], item.points[-1])
        axes.add_patch(Polygon(corners, closed=True, **_colours("head", dark, scale), zorder=depth))


def _head(before: tuple[float, float], tip: tuple[float, float]) -> list[tuple[float, float]]:
    """The corners of an arrow's head, on a wire along an axis."""
    (a, b), (x, y), (half, length) = before, tip, HEAD
    if a == x:
        back = y - length if y > b else y + length
        return [(x, y), (x - half, back), (x + half, back)]
    back = x - length if x > a else x + length
    return [(x, y), (back, y - half), (back, y + half)]


_PAINTERS: dict[type, Callable] = {Rect: _rect, Shape: _shape, Text: _text, Wire: _wire}
