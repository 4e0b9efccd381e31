"""From an image that Pillow has opened to its pixels: upright, 8 bits, white behind it. No torch is
imported, so that a program without it reads pictures alike.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"})
WHITE = 255  # what shows through where an image is transparent
SIXTEEN_BITS = 65535  # what is white in 16 bits, by their format
ROWS_OF = 2**20  # pixels that are turned into 8 bits at a time
SWAPPED = {
    "L": "B",
    "B": "L",
    "N": "B" if sys.byteorder == "little" else "L",
}  # a rawmode of Pillow ends with its byte order; the other one gives the lower bytes

Reopen = Callable[[], Image.Image]  # the same file once more, from its beginning


class Unfit(Exception):
    """Why an image is refused: the predicate of the sentence."""


def size_of(file: BinaryIO) -> int:
    """Bytes, of a file on disk or in memory; its position stays."""
    position = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(position)
    return size


def is_deep(image: Image.Image) -> bool:
    """Whether an image that is not loaded yet has more than 8 bits a channel."""
    return image.mode in ("I", "F") or image.mode.startswith("I;16") or ";16" in _rawmode(image)


def pixels(image: Image.Image, reopen: Reopen, white: float | None) -> np.ndarray:
    """uint8 (C, H, W), C = 1 or 3. `white` is read_image's."""
    if is_deep(image) and not (_upper_bytes_do(image) and white in (None, SIXTEEN_BITS)):
        return _from_deep(image, reopen, white)
    _load_upright(image)
    channels = 1 if image.mode in GREY_MODES else 3
    out = np.empty((channels, image.height, image.width), np.uint8)
    for rows in _strips(image.height, image.width):
        strip = image
        if len(rows) < image.height:
            strip = image.crop((0, rows.start, image.width, rows.stop))
        out[:, rows.start : rows.stop] = _channels_first(_eight_bits(strip))
    return out


def value_range(image: Image.Image, reopen: Reopen) -> tuple[float, float]:
    """(lowest, highest) of the values of a deep image. Raises Unfit where some are not numbers or
    are negative.
    """
    if _upper_bytes_do(image) and not _has_lower_bytes(image):
        _load_upright(image)
        return 0.0, float(SIXTEEN_BITS)
    return _range(_colours(_deep_values(image, reopen)))


def _upper_bytes_do(image: Image.Image) -> bool:
    return image.mode not in GREY_MODES and image.format != "PPM"


def _deep_values(image: Image.Image, reopen: Reopen) -> np.ndarray:
    """All bits of a deep image: (H, W, C) of uint16, int32 or float32; an even C has alpha last."""
    largest = image.info.get("maxval", SIXTEEN_BITS)
    if image.mode in GREY_MODES:
        values = _upright_array(image)[..., None]
    elif _rawmode(image) == "LA;16B":  # four bytes a pixel, as those of an RGBA image of 8 bits
        _change_rawmode(image, lambda raw: "RGBA")
        values = _upright_array(image).view(">u2").astype(np.uint16)
    else:
        values = _two_bytes(image, reopen)
    return values if largest == SIXTEEN_BITS else _stretched(values, largest)


def _two_bytes(image: Image.Image, reopen: Reopen) -> np.ndarray:
    """Pillow gives the upper bytes of 16-bit colours; read in the other order, the lower ones."""
    if not _has_lower_bytes(image):
        raise Unfit(
            "has 16 bits a channel, packed so that only 8 of them can be read; save it as a PNG "
            "of 16 bits"
        )
    with reopen() as again:
        _change_rawmode(again, lambda raw: raw[:-1] + SWAPPED[raw[-1]])
        lower = _upright_array(again)
    values = _upright_array(image).astype(np.uint16)
    values <<= 8
    values |= lower
    return values


def _has_lower_bytes(image: Image.Image) -> bool:
    """Not where Pillow multiplies by alpha, converts, or lets libtiff part the planes."""
    rawmode = _rawmode(image)
    if rawmode.startswith(("RGBa", "CMYK")) or rawmode[-1] not in SWAPPED:
        return False
    planar = getattr(image, "_planar_configuration", 1) == 2
    return not (planar and image.tile[0].codec_name == "libtiff")


def _stretched(values: np.ndarray, largest: int) -> np.ndarray:
    """Of a file that names its largest value: the same in 16 bits."""
    out = np.empty(values.shape, np.uint16)
    for rows in _strips(*values.shape[:2]):
        strip = np.minimum(values[rows.start : rows.stop], largest).astype(np.uint32)
        out[rows.start : rows.stop] = (strip * SIXTEEN_BITS + largest // 2) // largest
    return out


def _from_deep(image: Image.Image, reopen: Reopen, white: float | None) -> np.ndarray:
    if image.mode in ("I", "F") and image.format != "PPM" and white is None:
        kind = "fractions" if image.mode == "F" else "32-bit whole numbers"
        raise Unfit(
            f"holds {kind}, of which no file says which one is white, and neither do the training "
            "images; save it with 8 or 16 bits a pixel"
        )
    transparent = image.info.get("transparency")
    values = _deep_values(image, reopen)
    white = SIXTEEN_BITS if white is None else white
    _require_within(_colours(values), white)
    h, w, depth = values.shape
    out = np.empty((1 if depth < 3 else 3, h, w), np.uint8)
    for rows in _strips(h, w):
        strip = values[rows.start : rows.stop]
        shown = to_eight_bits(_colours(strip), white)
        if depth in (2, 4):
            shown = _on_white(shown, strip[..., -1:], SIXTEEN_BITS)
        elif isinstance(transparent, int | tuple):
            shown[(strip == np.asarray(transparent)).all(-1)] = WHITE
        out[:, rows.start : rows.stop] = _channels_first(shown)
    return out


def to_eight_bits(values: np.ndarray, white: float) -> np.ndarray:
    """uint8: 0 stays 0, `white` becomes 255, all between is rounded."""
    if values.dtype.kind == "f" or white != int(white):
        return np.rint(values * np.float32(255 / white)).astype(np.uint8)
    white = int(white)
    wide = np.uint32 if white <= SIXTEEN_BITS else np.uint64
    return ((values.astype(wide) * wide(255) + wide(white // 2)) // wide(white)).astype(np.uint8)


def _require_within(values: np.ndarray, white: float) -> None:
    low, high = _range(values)
    if high > white:
        raise Unfit(
            f"holds values from {low:g} to {high:g}, but in this set {white:g} is white; save it "
            f"with values from 0 to {white:g}"
        )
    if values.dtype.kind == "f" and isinstance(white, int) and (values % 1).any():
        raise Unfit(
            f"holds fractions from {low:g} to {high:g}, but this set whole numbers, of which "
            f"{white} is white; save it as such"
        )


def _range(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise Unfit("holds values that are no numbers (NaN or infinity); save it without them")
    if low < 0:
        raise Unfit(f"holds values from {low:g} to {high:g}; save it without negative ones")
    return low, high


def _colours(values: np.ndarray) -> np.ndarray:
    return values[..., :-1] if values.shape[-1] in (2, 4) else values


def _load_upright(image: Image.Image) -> None:
    image.load()
    with contextlib.suppress(Exception):  # unreadable EXIF says nothing about the orientation
        ImageOps.exif_transpose(image, in_place=True)


def _upright_array(image: Image.Image) -> np.ndarray:
    _load_upright(image)
    return np.asarray(image)


def _eight_bits(image: Image.Image) -> np.ndarray:
    grey = image.mode in GREY_MODES
    if image.has_transparency_data:
        values = _converted(image, "LA" if grey else "RGBA")
        return _on_white(values[..., :-1], values[..., -1:], 255)
    return _converted(image, "L" if grey else "RGB")


def _converted(image: Image.Image, mode: str) -> np.ndarray:
    return np.asarray(image if image.mode == mode else image.convert(mode))


def _on_white(colour: np.ndarray, alpha: np.ndarray, opaque: int) -> np.ndarray:
    colour, alpha = colour.astype(np.uint32), alpha.astype(np.uint32)
    shown = (colour * alpha + WHITE * (opaque - alpha) + opaque // 2) // opaque
    return shown.astype(np.uint8)


def _channels_first(values: np.ndarray) -> np.ndarray:
    return np.atleast_3d(values).transpose(2, 0, 1)


def _strips(h: int, w: int) -> Iterator[range]:
    tall = max(1, ROWS_OF // w)
    return (range(top, min(h, top + tall)) for top in range(0, h, tall))


def _rawmode(image: Image.Image) -> str:
    """How Pillow will unpack the pixels: "RGB;16B" are 16-bit colours, the upper byte first."""
    tiles = getattr(image, "tile", ())
    args = tiles[0].args if tiles else ""
    raw = args[0] if isinstance(args, tuple) and args else args
    return raw if isinstance(raw, str) else ""


def mend(image: Image.Image) -> None:
    """To be called once, before loading: what Pillow 13.0 would unpack wrongly, or round to 8 bits.

    TIFF files with 16-bit colours plane by plane, which it takes for bytes, and binary PGM and PPM
    files of more than 8 bits.
    """
    bits = getattr(image, "tag_v2", {}).get(258, ())
    if len(_rawmode(image)) == 1 and image.mode in ("RGB", "RGBA") and set(bits) == {16}:
        order = ";16L" if image.tag_v2.prefix == b"II" else ";16B"
        _change_rawmode(image, lambda raw: raw + order)
    if image.format == "PPM" and image.tile[0].codec_name == "ppm" and image.tile[0].args[1] > 255:
        image.info["maxval"] = image.tile[0].args[1]
        raw = "RGB;16B" if image.mode == "RGB" else "I;16B"
        image.tile = [image.tile[0]._replace(codec_name="raw", args=(raw, 0, 1))]


def _change_rawmode(image: Image.Image, change: Callable[[str], str]) -> None:
    tiles = []
    for tile in image.tile:
        if isinstance(tile.args, tuple):
            tiles.append(tile._replace(args=(change(tile.args[0]), *tile.args[1:])))
        else:
            tiles.append(tile._replace(args=change(tile.args)))
    image.tile = tiles
