"""A scene on paper: PNG at twice its size, PDF on a page of A4. matplotlib paints; it brings the
letters along.
"""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from convatlas.drawing.palette import LOOKS
from convatlas.drawing.scene import Box, Rect, Scene, Shape, Text, Wire, flat
from convatlas.drawing.svg import HEAD

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHARP = 144  # dots an inch of a PNG: two for each unit
A4 = (8.27, 11.69)  # inches
EDGE = 0.4  # inches left free
LEAST = 0.4  # points a unit; below, letters are too small to be read


def png(scene: Scene, dark: bool = False) -> bytes:
    """Two dots for each unit of the scene."""
    whole = 0.0, float(scene.height)
    figure = _figure(scene, dark, (scene.width / 72, scene.height / 72), 1, whole)
    return _bytes(figure, format="png", dpi=SHARP, metadata={"Software": None})


def pdf(scene: Scene, dark: bool = False) -> bytes:
    """A page of A4, upright or across, as the drawing fits best, and never larger than one unit a
    point; of a drawing whose letters would be too small, several upright ones.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_pdf import PdfPages

    page = max((A4, A4[::-1]), key=lambda size: _fit(scene, size, scene.height))
    scale, pages = _fit(scene, page, scene.height), [(0.0, float(scene.height))]
    if scale < LEAST:
        page, scale = A4, 72 * (A4[0] - 2 * EDGE) / scene.width
        pages = _cut(scene, 72 * (A4[1] - 2 * EDGE) / scale)
    file, about = io.BytesIO(), {"CreationDate": None, "Title": scene.title}
    with mpl.rc_context({"pdf.fonttype": 42}), PdfPages(file, metadata=about) as book:
        for part in pages:
            book.savefig(_figure(scene, dark, page, min(scale, 1), part))
    return file.getvalue()


def _fit(scene: Scene, page: tuple[float, float], height: float) -> float:
    """Points a unit, with which so much of the height fits a page."""
    return 72 * min((page[0] - 2 * EDGE) / scene.width, (page[1] - 2 * EDGE) / height)


def _cut(scene: Scene, most: float) -> list[tuple[float, float]]:
    """The heights between which pages lie, each ended where no box and no text is cut."""
    spans = [
        (item.bounds[1], item.bounds[3])
        for item in scene.items
        if isinstance(item, Text) or (isinstance(item, Box) and not item.frame)
    ]
    pages, top = [], 0.0
    while scene.height - top > most:
        end = top + most
        while crossed := [low for low, high in spans if low < end < high and low > top + most / 2]:
            end = min(crossed) - 1
        pages.append((top, end))
        top = end
    return [*pages, (top, float(scene.height))]


def _bytes(figure: "Figure", **kwargs) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, facecolor=figure.get_facecolor(), **kwargs)
    return file.getvalue()


def _figure(
    scene: Scene,
    dark: bool,
    page: tuple[float, float],
    scale: float,
    part: tuple[float, float],
) -> "Figure":
    """The part of the scene between two heights, in the middle of a page so many inches wide and
    high, with `scale` points a unit.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    top, bottom = part
    with mpl.rc_context({"font.family": "DejaVu Sans"}):
        figure = Figure(figsize=page, facecolor=LOOKS["paper"].fill[dark])
        FigureCanvasAgg(figure)
        size = scale * scene.width / 72 / page[0], scale * (bottom - top) / 72 / page[1]
        axes = figure.add_axes(((1 - size[0]) / 2, (1 - size[1]) / 2, *size))
        axes.set_axis_off()
        axes.set_xlim(0, scene.width)
        axes.set_ylim(bottom, top)
        for depth, item in enumerate(flat(scene.items)):
            if item.bounds[1] < bottom and item.bounds[3] > top:
                _PAINTERS[type(item)](axes, item, dark, scale, depth)
    return figure


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
