"""What a contact sheet shows: rows of pictures with words, whatever it is written as."""

from dataclasses import dataclass

import numpy as np

from convatlas.anatomy.unit_fields import Rectangle, UnitFields, unit_fields
from convatlas.errors import InputError
from convatlas.explanation.colours import (
    enlarged,
    filter_tiles,
    in_grey,
    mosaic,
    outlined,
    overlay,
)
from convatlas.explanation.explaining import Explanation
from convatlas.explanation.inside import convolution_path, feature_maps, filters
from convatlas.explanation.mistakes import Mistake, Mistakes
from convatlas.explanation.watching import called, layer_path

MOST_MAPS = 256
MOST_FILTERS = 64


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture, and the words under it."""

    picture: np.ndarray  # uint8 (H, W, 3)
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Row:
    """Pictures side by side; `bars` are named shares of 1."""

    title: str
    panels: tuple[Panel, ...]
    bars: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, eq=False)
class Sheet:
    """All of it, under a title; `notes` say what is shown and how."""

    title: str
    notes: tuple[str, ...]
    rows: tuple[Row, ...]


def explanation_row(found: Explanation, more: tuple[Panel, ...] = ()) -> Row:
    """The picture, the evidence on it, the likeliest classes."""
    where = f" at {found.layer}" if found.layer else ""
    panels = (
        Panel(found.picture, ("as the network saw it",)),
        Panel(found.overlay(), (f"for {found.target_name}", f"{found.method}{where}")),
        *more,
    )
    bars = tuple(zip(found.classes, found.probabilities, strict=True))
    return Row(found.name, panels, bars)


def maps_panel(net, x, layer: str) -> Panel:
    """All feature maps of a layer for one prepared image, (1, C, H, W), each from black at its
    lowest value to white at its highest.
    """
    maps = feature_maps(net, x, layer)[0]
    shown = in_grey(maps[:MOST_MAPS])
    count, height, width = maps.shape
    of = f"{MOST_MAPS} of {count}" if count > MOST_MAPS else f"all {count}"
    return Panel(mosaic(list(shown)), (f"{layer}: {of} maps of {height}x{width}",))


def filters_row(net, layer: str | None) -> Row:
    """The filters of a convolution."""
    picture, said = filter_tiles(filters(net, layer), MOST_FILTERS)
    path = convolution_path(net, layer)
    return Row(f"filters of {path}", (Panel(enlarged(picture, 192), said),))


def field_panel(net, picture: np.ndarray, unit: str, channels: int) -> Panel:
    """The receptive field of a unit, "LAYER" or "LAYER@ROW,COLUMN", on a picture that the network
    would see, uint8 (H, W, 3).
    """
    height, width = picture.shape[:2]
    path, fields, place = unit_of(net, unit, (channels, height, width))
    field = fields.of(*place)
    return Panel(outlined(picture, field), _said(path, fields, place, field, (height, width)))


def unit_of(
    net, unit: str, input_size: tuple[int, int, int]
) -> tuple[str, UnitFields, tuple[int, int]]:
    """(the layer's path, what its units see, row and column) of a unit as somebody names it.

    Raises InputError for a layer or a place that does not exist.
    """
    layer, _, place = unit.partition("@")
    path = layer_path(net, layer)
    fields = unit_fields(net, input_size).get(path)
    if fields is None:
        raise InputError(
            f"the layer {path!r} of {called(net)} has no units that each see a part of the "
            "picture; choose a layer of maps"
        )
    rows, columns = fields.size
    chosen = (rows // 2, columns // 2)
    if place:
        row, _, column = place.partition(",")
        if not (row.strip().isdecimal() and column.strip().isdecimal()):
            raise InputError(
                f"{unit!r} names no unit; write LAYER or LAYER@ROW,COLUMN, such as {path}@0,0"
            )
        chosen = (int(row), int(column))
    if not (chosen[0] < rows and chosen[1] < columns):
        raise InputError(
            f"{path} has no unit {chosen[0]},{chosen[1]}: its maps are {rows}x{columns}, and rows "
            "and columns count from 0"
        )
    return path, fields, chosen


def _said(
    path: str,
    fields: UnitFields,
    place: tuple[int, int],
    field: Rectangle,
    size: tuple[int, int],
) -> tuple[str, ...]:
    height, width = field.bottom - field.top, field.right - field.left
    seen = field.within(*size)
    inside = (seen.bottom - seen.top, seen.right - seen.left)
    lines = (
        f"{path}, unit {place[0]},{place[1]} of {fields.size[0]}x{fields.size[1]}",
        f"sees {height}x{width} pixels",
    )
    if inside == (height, width):
        return lines
    return (*lines, f"{inside[0]}x{inside[1]} of them in the picture")


def mistake_row(mistake: Mistake, classes: tuple[str, ...]) -> Row:
    """One mistake: the picture, both classes' evidence, the nearest right picture."""
    answer, truth = classes[mistake.answer], classes[mistake.truth]
    panels = [
        Panel(mistake.picture, (f"truth: {truth}", f"answer: {answer}")),
        Panel(
            overlay(mistake.picture, mistake.answer_heat),
            (f"for the answer, {answer}", f"{100 * mistake.confidence:.1f} %"),
        ),
        Panel(
            overlay(mistake.picture, mistake.truth_heat),
            (f"for the truth, {truth}", f"{100 * mistake.truth_probability:.1f} %"),
        ),
    ]
    if mistake.right:
        said = ("nearest right picture", f"cosine {mistake.right.cosine:.3f}")
        panels.append(Panel(mistake.right.picture, said))
    return Row(mistake.name, tuple(panels))


def mistakes_note(found: Mistakes, where: str) -> str:
    """ "71 of 6,000 validation pictures answered wrongly; here the 9 most certain, worst first" """
    said = f"{found.wrong:,} of {found.count:,} {where} answered wrongly"
    if not found.worst:
        return said
    count = len(found.worst)
    few = f"the {count} most certain, worst first" if count > 1 else "the most certain"
    return f"{said}; here {few}"
