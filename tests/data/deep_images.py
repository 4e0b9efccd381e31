"""PNG and TIFF files of 16 bits a channel, which Pillow does not write."""

import struct
import zlib

import numpy as np


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def deep_png(values: np.ndarray) -> bytes:
    """A PNG of 16 bits: (H, W, C), C = 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA."""
    h, w, channels = values.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 16, kind, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def deep_tiff(values: np.ndarray, order: str, planar: bool, packed: bool) -> bytes:
    """A TIFF of 16-bit colours; `order` is "<" or ">"; plane by plane or not, deflated or not."""
    h, w, channels = values.shape
    pieces = list(values.transpose(2, 0, 1)) if planar else [values]
    pieces = [piece.astype(order + "u2").tobytes() for piece in pieces]
    pieces = [zlib.compress(piece) for piece in pieces] if packed else pieces
    after = 8 + 2 + 12 * 11 + 4
    bits_at, where_at = after, after + 2 * channels
    lengths_at = where_at + 4 * len(pieces)
    starts = [lengths_at + 4 * len(pieces) + sum(map(len, pieces[:i])) for i in range(len(pieces))]
    one = len(pieces) == 1
    tags = [
        (256, 3, 1, w),
        (257, 3, 1, h),
        (258, 3, channels, bits_at),
        (259, 3, 1, 8 if packed else 1),
        (262, 3, 1, 2),
        (273, 4, len(pieces), starts[0] if one else where_at),
        (277, 3, 1, channels),
        (278, 3, 1, h),
        (279, 4, len(pieces), len(pieces[0]) if one else lengths_at),
        (284, 3, 1, 2 if planar else 1),
        (338, 3, 1, 2) if channels == 4 else (305, 2, 1, 0),
    ]
    out = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(tags))
    for tag, kind, count, value in sorted(tags):
        short = kind == 3 and count == 1
        out += struct.pack(order + "HHI", tag, kind, count)
        out += struct.pack(order + "HH", value, 0) if short else struct.pack(order + "I", value)
    out += struct.pack(order + "I", 0) + struct.pack(order + f"{channels}H", *[16] * channels)
    out += struct.pack(order + f"{len(pieces)}I", *starts)
    return out + struct.pack(order + f"{len(pieces)}I", *map(len, pieces)) + b"".join(pieces)
