"""Reading one image from a file, or from the bytes of one, that nobody has vouched for. torch is
imported only by the function that gives a tensor.
"""

import hashlib
import io
import os
import re
import stat
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import PIL
from PIL import Image, UnidentifiedImageError, features

from convatlas.data import decoding, netpbm
from convatlas.data.decoding import GREY_MODES, Unfit, is_deep, size_of
from convatlas.data.jpeg2000 import require_sound
from convatlas.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

# Nothing else is ever handed to a decoder.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "GIF", "TIFF", "AVIF", "PPM", "JPEG2000")
HEIF = "HEIF"  # one more, where pillow-heif is installed
_EXTENSIONS = (
    ".jpg .jpeg .jpe .jfif .png .webp .bmp .dib .gif .tif .tiff .avif .avifs "
    ".ppm .pgm .pbm .pnm .pfm .jp2 .j2k .j2c .jpc .jpx .jpf .heic .heif .hif"
)
EXTENSIONS = frozenset(_EXTENSIONS.split())
MAX_MEGAPIXELS = 64
RULES = 2  # counted up whenever other files are read, or files otherwise
SHORT = 2**24  # bytes of a file that is read whole before it is decoded
PIECE = 2**20  # bytes of a longer one that are in memory at a time
SMALL = 10  # pixels; a shorter side below this is worth a remark
REDUCTIONS = (1, 2, 4, 8)  # of its sides, at which a JPEG can be decoded
DEARER = {"JPEG2000": 4}  # times the memory for each pixel that other decoders take
SLOW_MEGAPIXELS = 16  # where a decoder takes a second for each
BEGINNINGS = {
    rb"\xff\xd8\xff": "JPEG",
    rb"\x89PNG": "PNG",
    rb"RIFF.{4}WEBP": "WEBP",
    rb"GIF8": "GIF",
    rb"II[*+]\0|MM\0[*+]": "TIFF",
    rb".{4}ftypavi[fs]": "AVIF",
    rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51": "JPEG2000",
}
_LIFTED = threading.Lock()


def require_limit(max_megapixels: float) -> None:
    """Raises DataError for a limit that is none."""
    if not 0 < max_megapixels < float("inf"):
        raise DataError(
            f"max_megapixels = {max_megapixels:g} is not allowed; give a number above 0, such as "
            f"--max-megapixels {MAX_MEGAPIXELS}"
        )


def read_image(
    path: str | os.PathLike,
    at_least: int = 0,
    white: float | None = None,
    max_megapixels: float = MAX_MEGAPIXELS,
) -> "Tensor":
    """The image as a person sees it: uint8 (C, H, W), C = 1 for grey images and 3 for all others.

    EXIF orientation is applied, CMYK and palettes become RGB, transparency shows white, and of an
    animation the first frame is taken. Raises DataError, naming file, reason and remedy, for
    whatever cannot be read: missing, empty, cut short, no image at all, more than `max_megapixels`.

    `white` is what shows white in images of more than 8 bits, as Preprocess.white has it; images of
    8 bits know for themselves. Without it 16-bit images have 65,535, and those of fractions or
    32-bit numbers are refused, for nothing says what is white in them. A value outside 0..white is
    refused, too.

    With `at_least`, a large JPEG is decoded at a half, a quarter or an eighth of its size, as long
    as both sides keep that many pixels: several times faster, and as good where a smaller image is
    made of it anyway. A JPEG above `max_megapixels` is decoded so in any case, and its pixels count
    as they are decoded.
    """
    import torch

    return torch.from_numpy(read_pixels(path, at_least, white, max_megapixels))


def read_pixels(
    source: str | os.PathLike | bytes,
    at_least: int = 0,
    white: float | None = None,
    max_megapixels: float = MAX_MEGAPIXELS,
) -> np.ndarray:
    """What read_image gives, as an array, and of a file's bytes too; without torch."""

    def use(image: Image.Image, reopen: decoding.Reopen) -> np.ndarray:
        _reduce(image, at_least, max_megapixels)
        return decoding.pixels(image, reopen, white)

    return _attempt(source, use, max_megapixels)


def read_header(source: str | os.PathLike | bytes) -> tuple[bool, int, int]:
    """(is it grey, height, width) of a file or of its bytes, without decoding; the sides are as
    stored, however large. Raises DataError as read_image does.
    """
    return _attempt(
        source, lambda image, _: (image.mode in GREY_MODES, image.height, image.width), float("inf")
    )


def deep_range(
    path: str | os.PathLike, max_megapixels: float = MAX_MEGAPIXELS
) -> tuple[float, float, str] | None:
    """(lowest, highest, mode) of the values of an image that has more than 8 bits a channel; None
    for others, which are not decoded. The mode is Pillow's: "F" holds fractions.

    Raises DataError as read_image does, and for values below 0 and such as are no numbers.
    """

    def use(image: Image.Image, reopen: decoding.Reopen):
        return (*decoding.value_range(image, reopen), image.mode) if is_deep(image) else None

    return _attempt(path, use, max_megapixels)


def look_through(
    path: str | os.PathLike,
    max_megapixels: float = MAX_MEGAPIXELS,
    seen: Callable[[np.ndarray], object] = lambda pixels: None,
) -> tuple[tuple[str, ...], str]:
    """(what is unusual about an image and what is done about it, the digest of its bytes), once it
    is decoded whole. The file is opened once, and a short one read once; an image of 8 bits is
    given to `seen` as read_pixels would give it. Raises DataError as read_image does, whatever its
    set's white is.
    """

    def use(image: Image.Image, reopen: decoding.Reopen) -> tuple[str, ...]:
        notes = tuple(_peculiar(Path(path).suffix.lower(), image, max_megapixels))
        with reopen() as again:
            if is_deep(again):
                decoding.value_range(again, reopen)
            else:
                _reduce(again, 0, max_megapixels)
                seen(decoding.pixels(again, reopen, None))
        return notes

    try:
        with _bytes_of(path) as file:
            if size_of(file) <= SHORT:
                file = io.BytesIO(file.read())
            return _used(file, use, max_megapixels), _digest(file)
    except Exception as fault:
        raise unreadable(path, _reason(path, fault)) from None


def _digest(file: BinaryIO) -> str:
    file.seek(0)
    digest = hashlib.blake2b(digest_size=16)
    while piece := file.read(PIECE):
        digest.update(piece)
    return digest.hexdigest()


def decoders() -> str:
    """All that decides whether a file can be read, beside itself: rules, packages, versions."""
    there = [name for name in ("jpg", "zlib", "webp", "avif", "libtiff", "jpg_2000") if _has(name)]
    return f"{RULES} {PIL.__version__} {' '.join(there)} {_heif_is_read()}"


def _has(decoder: str) -> bool:
    return bool(features.check(decoder))


def _peculiar(extension: str, image: Image.Image, max_megapixels: float) -> Iterator[str]:
    expected = Image.registered_extensions().get(extension, image.format)
    if image.format != expected and {image.format, expected} != {"MPO", "JPEG"}:
        yield f"is a {image.format} file in spite of its name; it is read as what it is"
    if getattr(image, "n_frames", 1) > 1:
        yield f"has {image.n_frames} frames; the first is taken"
    if image.getexif().get(0x0112, 1) not in (0, 1):
        yield "lies on its side or mirrored, says its EXIF record; it is turned upright"
    if is_deep(image):
        yield f"has pixels of kind {image.mode}; they are scaled to 8 bits, by the set's white"
    if image.has_transparency_data:
        yield "is transparent in places; white shows through"
    if (times := _reduction(image, 0, max_megapixels)) > 1:
        yield f"has {_megapixels(image):.0f} megapixels; it is read at 1/{times} of its sides"
    if min(image.size) < SMALL:
        yield f"has only {image.width} x {image.height} pixels; is that meant?"


def unreadable(source: str | os.PathLike | bytes, reason: str) -> DataError:
    """The error for one image; `reason` is a predicate, with the remedy after its
    last semicolon.
    """
    name = "" if isinstance(source, bytes) else f" {str(source)!r}"
    return DataError(f"the image{name} {reason}", reason=reason)


def _attempt(source, use: Callable[[Image.Image, decoding.Reopen], object], max_megapixels: float):
    try:
        with _bytes_of(source) as file:
            return _used(file, use, max_megapixels)
    except Exception as fault:  # a decoder may raise anything on hostile bytes
        raise unreadable(source, _reason(source, fault)) from None


def _used(file: BinaryIO, use: Callable, max_megapixels: float):
    with warnings.catch_warnings():
        # what Pillow would warn of is either refused here or harmless
        warnings.simplefilter("ignore")
        start = _honest_start(file, max_megapixels)
        if netpbm.is_text(start):
            file = netpbm.as_binary(file, min(max_megapixels, SLOW_MEGAPIXELS))
        with _open(file) as image:
            _require_bounded(image, max_megapixels)
            if image.format == "JPEG2000":
                require_sound(file, image.width, image.height)
            return use(image, lambda: _open(file))


def _bytes_of(source) -> BinaryIO:
    """Not for Pillow to open by name: 13.0 maps a named TIFF into memory, and those that are turned
    come out scrambled.
    """
    if not isinstance(source, bytes):
        _require_file(source)
        return open(source, "rb")
    if not source:
        raise Unfit("is empty (0 bytes); send a whole one")
    return io.BytesIO(source)


def _open(file: BinaryIO) -> Image.Image:
    formats = (*FORMATS, HEIF) if _heif_is_read() else FORMATS
    try:
        image = Image.open(file, formats=formats)
    except Image.DecompressionBombError:  # Pillow's own limit, which holds where ours is higher
        with _LIFTED:
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                image = Image.open(file, formats=formats)
            finally:
                Image.MAX_IMAGE_PIXELS = limit
    decoding.mend(image)
    return image


def _heif_is_read() -> bool:
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


def _require_file(path) -> None:
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
        raise Unfit("is not a file; give the path of an image")
    if status.st_size == 0:
        raise Unfit("is empty (0 bytes); copy it again or delete it")


def _honest_start(file: BinaryIO, max_megapixels: float) -> bytes:
    """The first bytes. Raises Unfit, before Pillow looks, for what it would read whole, or byte by
    byte without an end.
    """
    start = file.read(netpbm.HEADER)
    whole = start[:4] == b"RIFF" or start[4:8] == b"ftyp"  # WebP; AVIF and HEIF
    size = size_of(file)
    enough = MAX_MEGAPIXELS if max_megapixels == float("inf") else max(max_megapixels, 1)
    if whole and size > 4e6 * enough:
        raise Unfit(
            f"is a file of {size / 1e6:,.0f} MB, more than its kind needs for {enough:g} "
            "megapixels; save it again or delete it"
        )
    if netpbm.is_netpbm(start):
        netpbm.require_header(start)
    return start


def _require_bounded(image: Image.Image, limit: float) -> None:
    times = DEARER.get(image.format, 1)
    counted = _megapixels(image) * times / _reduction(image, 0, limit) ** 2
    if counted > limit:
        why = f", at {times} times the memory for each in {image.format}," if times > 1 else ""
        raise Unfit(
            f"has {image.width} x {image.height} pixels,{why} more than the limit of {limit:g} "
            f"megapixels; make it smaller, or give --max-megapixels {_rounded_up(counted)}"
        )
    slow = image.format == "PPM" and image.tile[0].codec_name == "ppm"  # written in Python
    if slow and limit < float("inf") and _megapixels(image) > SLOW_MEGAPIXELS:
        raise Unfit(
            f"has {image.width} x {image.height} pixels with an odd largest value, more than the "
            f"limit of {SLOW_MEGAPIXELS} megapixels for such; save it as PNG"
        )


def _rounded_up(megapixels: float) -> int:
    return int(-(-megapixels // 1))


def _megapixels(image: Image.Image) -> float:
    return image.width * image.height / 1e6


def _reduction(image: Image.Image, at_least: int, max_megapixels: float) -> int:
    """How many times smaller the sides of a JPEG are to be decoded; 1 for other formats.

    A progressive one is held whole by its decoder, whatever comes out.
    """
    if image.format not in ("JPEG", "MPO"):
        return 1
    times = 1
    if at_least:
        times = max((s for s in REDUCTIONS if min(image.size) // s >= at_least), default=1)
    if not image.info.get("progressive"):
        within = (s for s in REDUCTIONS if _megapixels(image) <= max_megapixels * s * s)
        times = max(times, next(within, 1))
    return times


def _reduce(image: Image.Image, at_least: int, max_megapixels: float) -> None:
    times = _reduction(image, at_least, max_megapixels)
    if times > 1:
        image.draft(None, (image.width // times, image.height // times))


def _reason(source, fault: Exception) -> str:
    if isinstance(fault, Unfit):
        return str(fault)
    if isinstance(fault, UnidentifiedImageError):
        return _what_it_is_instead(source)
    if isinstance(fault, FileNotFoundError):
        return (
            "is a link to nothing; mend or delete the link"
            if os.path.islink(source)
            else "does not exist; check the path"
        )
    if isinstance(fault, PermissionError):
        return "may not be read by this user; change its permissions"
    if isinstance(fault, OSError) and "truncated" in str(fault):
        return "is cut short; copy it again or delete it"
    detail = " ".join(str(fault).split()) or type(fault).__name__
    if "not available" in detail:  # the decoder, in a Pillow that was built without it
        return f"needs what this Pillow was built without ({detail}); pip install --upgrade pillow"
    return f"is damaged and cannot be decoded ({detail}); copy it again or delete it"


def _what_it_is_instead(source) -> str:
    with _bytes_of(source) as file:
        start = file.read(512)
    text = start.lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "is a web page (HTML), not an image; download it again or delete it"
    if start[4:8] == b"ftyp" and re.search(rb"hei[cxms]|hev[cx]", start[8:64]):
        if not _heif_is_read():
            return "is a HEIC image, which another package reads; pip install pillow-heif"
        return "is a HEIC image that is damaged; copy it again or delete it"
    for beginning, name in BEGINNINGS.items():
        if not re.match(beginning, start, re.DOTALL):
            continue
        if name in ("AVIF", "WEBP") and not features.check(name.lower()):
            return f"is of the format {name}, which this Pillow lacks; pip install --upgrade pillow"
        return (
            f"begins like {name}, but is damaged or of a kind of {name} that is not read; copy it "
            "again or save it as PNG"
        )
    return f"is none of the formats read here ({', '.join(FORMATS)}); convert it or delete it"
