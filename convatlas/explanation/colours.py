"""Numbers as colours: heat over a picture, maps and filters side by side, a rectangle drawn.

Pictures here are uint8 (H, W, 3), as Pillow and matplotlib take them.
"""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from convatlas.anatomy.unit_fields import Rectangle

RAMP = np.array(  # matplotlib's magma at five points: even steps of lightness, also for the
    [[0, 0, 4], [81, 18, 124], [183, 55, 121], [252, 137, 97], [252, 253, 191]]
)  # colour-blind
OPAQUE = 0.75  # of the colour at the strongest place; the picture shows through
SIGNS = "red above 0, blue below"
GAP = 1  # pixels between tiles
GROUND = 96  # their grey
FIELD = (255, 140, 0)  # of a receptive field's outline
SMALLEST = 256  # pixels of the shorter side of a picture that is drawn on


def as_picture(image: np.ndarray) -> np.ndarray:
    """uint8 (1 or 3, H, W), as the network is given it -> uint8 (H, W, 3)."""
    return np.ascontiguousarray(np.broadcast_to(image, (3, *image.shape[1:])).transpose(1, 2, 0))


def coloured(shares: np.ndarray) -> np.ndarray:
    """float (H, W) in [0, 1] -> uint8 (H, W, 3): dark for 0, bright for 1."""
    points = np.linspace(0, 1, len(RAMP))
    channels = [np.interp(shares, points, RAMP[:, channel]) for channel in range(3)]
    return np.stack(channels, -1).round().astype(np.uint8)


def overlay(picture: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3): the picture in grey, coloured where `heat`, float (H, W) in [0, 1], is
    high.
    """
    grey = picture.mean(-1, keepdims=True)
    share = OPAQUE * heat[..., None] ** 0.7  # weak evidence is seen, too
    return ((1 - share) * grey + share * coloured(heat)).round().astype(np.uint8)


def in_grey(maps: np.ndarray) -> np.ndarray:
    """float (C, h, w) -> uint8 (C, h, w, 3): black at the lowest value of each, white at its
    highest.
    """
    low = maps.min((1, 2), keepdims=True)
    span = maps.max((1, 2), keepdims=True) - low
    shares = np.divide(maps - low, span, out=np.zeros(maps.shape), where=span > 0)
    return np.repeat((255 * shares).round().astype(np.uint8)[..., None], 3, -1)


def signed(values: np.ndarray) -> np.ndarray:
    """float (..., h, w) -> uint8 (..., h, w, 3): white for 0, blue below it and red above it, to
    one scale for all.
    """
    top = np.abs(values).max()
    shares = values / top if top > 0 else np.zeros_like(values)
    faded = 1 - np.abs(shares)
    red, blue = np.where(shares < 0, faded, 1), np.where(shares > 0, faded, 1)
    return (255 * np.stack([red, faded, blue], -1)).round().astype(np.uint8)


def mosaic(tiles: Sequence[np.ndarray], columns: int | None = None) -> np.ndarray:
    """Pictures of one size, uint8 (h, w, 3), row by row in one, as square as may be."""
    count = len(tiles)
    columns = columns or int(np.ceil(np.sqrt(count)))
    height, width = (side + GAP for side in tiles[0].shape[:2])
    rows = -(-count // columns)
    whole = np.full((rows * height - GAP, columns * width - GAP, 3), GROUND, np.uint8)
    for i, tile in enumerate(tiles):
        top, left = height * (i // columns), width * (i % columns)
        whole[top : top + height - GAP, left : left + width - GAP] = tile
    return whole


def enlarged(picture: np.ndarray, smallest: int = SMALLEST) -> np.ndarray:
    """Each pixel as a square of so many that the shorter side has `smallest` or more."""
    times = max(1, -(-smallest // min(picture.shape[:2])))
    return picture.repeat(times, 0).repeat(times, 1)


def outlined(picture: np.ndarray, field: Rectangle) -> np.ndarray:
    """The picture, enlarged, with a rectangle of its pixels outlined and all else dimmed."""
    height, width = picture.shape[:2]
    large = enlarged(picture)
    times = large.shape[0] // height
    inside = field.within(height, width)
    top, left, bottom, right = (side * times for side in inside)
    shown = (large * 0.45).astype(np.uint8)
    shown[top:bottom, left:right] = large[top:bottom, left:right]
    line = max(2, large.shape[0] // 128)
    for rows, columns in (
        (slice(top, top + line), slice(left, right)),
        (slice(max(top, bottom - line), bottom), slice(left, right)),
        (slice(top, bottom), slice(left, left + line)),
        (slice(top, bottom), slice(max(left, right - line), right)),
    ):
        shown[rows, columns] = FIELD
    return shown


def filter_tiles(weights: np.ndarray, most: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """(a mosaic, lines that say what it shows) of at most `most` of (filters, channels, h, w).

    Filters of three channels are shown as colours, 1x1 ones as one table, others a row for each
    filter, a column for each of its channels.
    """
    count, channels, height, width = weights.shape
    some = weights[:most]
    of = f"{len(some)} of {count} filters" if count > most else f"all {count} filters"
    of += f", {height}x{width}"
    if channels == 3 and height * width > 1:
        low = some.min((1, 2, 3), keepdims=True)
        span = np.maximum(some.max((1, 2, 3), keepdims=True) - low, 1e-12)
        tiles = (255 * (some - low) / span).round().astype(np.uint8).transpose(0, 2, 3, 1)
        return mosaic(list(tiles)), (of, "their three channels as colours")
    if channels == 1:
        return mosaic(list(signed(some[:, 0]))), (of, SIGNS)
    read = some[:, :most]
    seen = f"{read.shape[1]} of {channels} channels" if channels > most else f"{channels} channels"
    said = (f"rows: {of}", f"columns: {seen}", SIGNS)
    if height * width == 1:
        return signed(read[:, :, 0, 0]), said
    return mosaic(list(signed(read).reshape(-1, height, width, 3)), read.shape[1]), said


def png_bytes(picture: np.ndarray) -> bytes:
    """A PNG file of a picture."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format="PNG", optimize=True)
    return file.getvalue()
