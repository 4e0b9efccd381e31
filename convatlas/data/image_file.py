"""Reading one image from a file that nobody has vouched for."""

import contextlib
import os
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from convatlas.errors import DataError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")  # nothing else is ever handed to a decoder
EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff"}
)
PIXEL_LIMIT = 64 * 10**6
GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"})
SMALL = 10  # pixels; a shorter side below this is worth a remark
WHITE = 255  # what shows through where an image is transparent


class _Unfit(Exception):
    """Why an image is refused: the predicate of the sentence."""


def read_image(path: str | os.PathLike, at_least: int = 0) -> Tensor:
    """The image as a person sees it: uint8 (C, H, W), C = 1 for grey images and 3 for all others.

    EXIF orientation is applied, 16-bit grey scaled to 8, CMYK and palettes become RGB, transparency
    shows white, and of an animation the first frame is taken. Raises DataError, naming file, reason
    and remedy, for whatever cannot be read: missing, empty, cut short, no image at all, more than
    64 megapixels.

    With `at_least`, a large JPEG is decoded at a half, a quarter or an eighth of its size, as long
    as both sides keep that many pixels: several times faster, and as good where a smaller image is
    made of it anyway.
    """
    return _attempt(path, lambda image: _decode(image, at_least))


def read_header(path: str | os.PathLike) -> tuple[bool, int, int]:
    """(is it grey, height, width), without decoding; the sides are as stored. Raises DataError as
    read_image does.
    """
    return _attempt(path, lambda image: (image.mode in GREY_MODES, image.height, image.width))


def _attempt(path, use):
    try:
        _require_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # what Pillow would warn of is either refused here or harmless
            # Not by name: Pillow 13.0 maps a named TIFF into memory, and those that are turned come
            # out scrambled.
            with open(path, "rb") as file, Image.open(file, formats=FORMATS) as image:
                if image.width * image.height > PIXEL_LIMIT:
                    raise _Unfit(
                        f"has {image.width} x {image.height} pixels, more than the limit of "
                        f"{PIXEL_LIMIT // 10**6} megapixels; make it smaller"
                    )
                return use(image)
    except Exception as fault:  # a decoder may raise anything on hostile bytes
        raise unreadable(path, _reason(path, fault)) from None


def peculiarities(path: str | os.PathLike) -> tuple[str, ...]:
    """What is unusual about an image that can be read, and what is done about it. Raises as
    read_image does.
    """
    return _attempt(path, lambda image: tuple(_peculiar(Path(path).suffix.lower(), image)))


def _peculiar(extension: str, image: Image.Image) -> Iterator[str]:
    expected = Image.registered_extensions().get(extension, image.format)
    if image.format != expected and {image.format, expected} != {"MPO", "JPEG"}:
        yield f"is a {image.format} file in spite of its name; it is read as what it is"
    if getattr(image, "n_frames", 1) > 1:
        yield f"has {image.n_frames} frames; the first is taken"
    if image.getexif().get(0x0112, 1) not in (0, 1):
        yield "lies on its side or mirrored, says its EXIF record; it is turned upright"
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        yield f"has pixels of kind {image.mode}; they are scaled to 8 bits"
    if image.has_transparency_data:
        yield "is transparent in places; white shows through"
    if min(image.size) < SMALL:
        yield f"has only {image.width} x {image.height} pixels; is that meant?"


def unreadable(path: str | os.PathLike, reason: str) -> DataError:
    """The error for one image; `reason` is a predicate, with the remedy after its
    last semicolon.
    """
    return DataError(f"the image {str(path)!r} {reason}", reason=reason)


def _require_file(path) -> None:
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
        raise _Unfit("is not a file; give the path of an image")
    if status.st_size == 0:
        raise _Unfit("is empty (0 bytes); copy it again or delete it")


def _reason(path, fault: Exception) -> str:
    if isinstance(fault, _Unfit):
        return str(fault)
    if isinstance(fault, UnidentifiedImageError):
        return _what_it_is_instead(path)
    if isinstance(fault, Image.DecompressionBombError):
        return f"has more than the limit of {PIXEL_LIMIT // 10**6} megapixels; make it smaller"
    if isinstance(fault, FileNotFoundError):
        return (
            "is a link to nothing; mend or delete the link"
            if os.path.islink(path)
            else "does not exist; check the path"
        )
    if isinstance(fault, PermissionError):
        return "may not be read by this user; change its permissions"
    if isinstance(fault, OSError) and "truncated" in str(fault):
        return "is cut short; copy it again or delete it"
    detail = " ".join(str(fault).split()) or type(fault).__name__
    return f"is damaged and cannot be decoded ({detail}); copy it again or delete it"


def _what_it_is_instead(path) -> str:
    with Path(path).open("rb") as file:
        start = file.read(512).lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "is a web page (HTML), not an image; download it again or delete it"
    return f"is none of the formats read here ({', '.join(FORMATS)}); convert it or delete it"


def _decode(image: Image.Image, at_least: int) -> Tensor:
    if at_least:
        image.draft(None, (at_least, at_least))  # does nothing to other formats
    image.load()
    with contextlib.suppress(Exception):  # unreadable EXIF says nothing about the orientation
        ImageOps.exif_transpose(image, in_place=True)
    pixels = np.atleast_3d(_eight_bits(image))  # (H, W, C)
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())


def _eight_bits(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I;16"):
        return _from_sixteen_bits(np.asarray(image))
    if image.mode == "I":
        return _from_integers(np.asarray(image))
    if image.mode == "F":
        return _from_floats(np.asarray(image))
    grey = image.mode in GREY_MODES
    if image.has_transparency_data:
        return _on_white(_pixels(image, "LA" if grey else "RGBA"))
    return _pixels(image, "L" if grey else "RGB")


def _pixels(image: Image.Image, mode: str) -> np.ndarray:
    return np.asarray(image if image.mode == mode else image.convert(mode))


def _from_sixteen_bits(values: np.ndarray) -> np.ndarray:
    return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def _from_integers(values: np.ndarray) -> np.ndarray:
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise _Unfit(f"holds whole numbers from {low} to {high}; save it with 8 or 16 bits a pixel")
    return values.astype(np.uint8) if high <= 255 else _from_sixteen_bits(values)


def _from_floats(values: np.ndarray) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= 255):  # NaN fails too
        raise _Unfit(f"holds fractions from {low:g} to {high:g}; scale them to 0..1 or to 0..255")
    return np.rint(values * (255 if high <= 1 else 1)).astype(np.uint8)


def _on_white(values: np.ndarray) -> np.ndarray:
    colour, alpha = values[..., :-1].astype(np.uint32), values[..., -1:].astype(np.uint32)
    return ((colour * alpha + WHITE * (255 - alpha) + 127) // 255).astype(np.uint8)
