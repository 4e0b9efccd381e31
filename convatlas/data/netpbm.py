"""PBM, PGM and PPM files whose pixels are text, made binary.

Pillow 13.0 reads them a word at a time, copies the rest of the file for each comment, and keeps
only 8 of the bits of colours.
"""

import io
import re
from typing import BinaryIO

import numpy as np

from convatlas.data.decoding import Unfit, size_of

HEADER = 4096  # bytes in which it must end
BINARY = {b"P1": b"P4", b"P2": b"P5", b"P3": b"P6"}
CHANNELS = {b"P1": 1, b"P2": 1, b"P3": 3}
BYTES_A_VALUE = 32  # more text than this for each is none
_SPACE = rb"(?:\s|#[^\r\n]*[\r\n])+"
_HEADERS = (
    re.compile(rb"(P[14f])" + _SPACE + rb"(\d{1,9})" + _SPACE + rb"(\d{1,9})\s"),
    re.compile(rb"(P[2356f])" + 3 * (_SPACE + rb"(-?[\d.eE+-]{1,20})") + rb"\s"),
)


def is_netpbm(start: bytes) -> bool:
    return re.match(rb"P[1-6f][\s#]", start) is not None


def require_header(start: bytes) -> None:
    """`start` is the first HEADER bytes. Raises Unfit where the header, of which Pillow reads one
    byte after the other, goes on.
    """
    if not any(header.match(start) for header in _HEADERS):
        raise Unfit("is damaged: its header has no end; copy it again or delete it")


def is_text(start: bytes) -> bool:
    return start[:2] in BINARY


def as_binary(file: BinaryIO, max_megapixels: float) -> BinaryIO:
    """The same image with its pixels as bytes. Raises Unfit where it is none, is cut short, or is
    larger than that, before its pixels are read.
    """
    file.seek(0)
    start = file.read(HEADER)
    kind = start[:2]
    head = _HEADERS[kind != b"P1"].match(start)
    try:
        width, height, *largest = (int(word) for word in head.groups()[1:])
    except ValueError:
        raise Unfit("is damaged: its header holds no numbers; copy it again or delete it") from None
    largest = largest[0] if largest else 1
    if width * height > max_megapixels * 1e6:
        raise Unfit(
            f"has {width} x {height} pixels as text, more than the limit of {max_megapixels:g} "
            "megapixels for such; save it as PNG"
        )
    if not (width > 0 and height > 0 and 0 < largest <= 65535):
        raise Unfit("is damaged: its header has impossible numbers; copy it again or delete it")
    count = width * height * CHANNELS[kind]
    if size_of(file) > BYTES_A_VALUE * count + 2**20:
        raise Unfit("is damaged: far more text than pixels; copy it again or delete it")
    file.seek(head.end())
    text = file.read()
    if b"#" in text:
        text = re.sub(rb"#[^\r\n]*", b"", text)
    values = _bits(text) if kind == b"P1" else _numbers(text)
    if len(values) < count:
        raise Unfit("is cut short; copy it again or delete it")
    values = values[:count]
    if values.min() < 0 or values.max() > largest:
        raise Unfit(f"is damaged: values beyond 0..{largest}; copy it again or delete it")
    if kind == b"P1":
        data = np.packbits(values.reshape(height, width).astype(bool), axis=1).tobytes()
        return io.BytesIO(b"P4 %d %d\n" % (width, height) + data)
    data = values.astype(np.uint8 if largest <= 255 else ">u2").tobytes()
    return io.BytesIO(BINARY[kind] + b" %d %d %d\n" % (width, height, largest) + data)


def _bits(text: bytes) -> np.ndarray:
    """Each its own digit, with or without space between them."""
    digits = np.frombuffer(text.translate(None, b" \t\r\n\f\v"), np.uint8)
    return digits.astype(np.int16) - ord("0")


def _numbers(text: bytes) -> np.ndarray:
    if text.translate(None, b"0123456789 \t\r\n\f\v"):
        raise Unfit("is damaged: what should be numbers is none; copy it again or delete it")
    if re.search(rb"\d{10}", text):
        raise Unfit("is damaged: its numbers are too long; copy it again or delete it")
    return np.fromstring(text, np.int64, sep=" ")
