"""Files that were made to harm whoever reads them: small, and large once they are believed."""

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
from deep_images import chunk
from PIL import Image

SMALL = Image.fromarray(np.arange(600, dtype=np.uint8).reshape(10, 20, 3))
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def encoded(image: Image.Image, form: str, **how) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **how)
    return buffer.getvalue()


def zeros_deflated(megabytes: int) -> bytes:
    squeeze = zlib.compressobj(9)
    return b"".join(squeeze.compress(bytes(10**6)) for _ in range(megabytes)) + squeeze.flush()


def png(*extra: tuple[bytes, bytes], size=(20, 10), pieces: int = 1, colour: int = 0) -> bytes:
    """A black PNG of 8 bits with chunks before its pixels; these in so many pieces."""
    width, height = size
    row = bytes(1 + width * {0: 1, 2: 3, 6: 4}[colour])
    squeeze = zlib.compressobj(1)
    data = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    length = -(-len(data) // pieces)
    parts = [data[i : i + length] for i in range(0, len(data), length)]
    return (
        SIGNATURE
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))
        + b"".join(chunk(*one) for one in extra)
        + b"".join(chunk(b"IDAT", part) for part in parts)
        + chunk(b"IEND", b"")
    )


def tiff_pages(count: int) -> bytes:
    """`count` pages, all of them the same strip."""
    out = bytearray(b"II*\0" + struct.pack("<I", 16) + bytes(8))
    for _ in range(count):
        tags = ((256, 4), (257, 2), (258, 8), (259, 1), (262, 1), (273, 8), (278, 2), (279, 8))
        out += struct.pack("<H", len(tags))
        out += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
        out += struct.pack("<I", len(out) + 4)
    return bytes(out)


def tiff_with(tag: int, kind: int, count: int, value: int) -> bytes:
    """A sound TIFF whose one tag claims `count` values."""
    tags = [(256, 4, 1, 4), (257, 4, 1, 2), (258, 4, 1, 8), (259, 4, 1, 1), (262, 4, 1, 1)]
    tags += [(273, 4, 1, 8), (278, 4, 1, 2), (279, 4, 1, 8)]
    tags = sorted([one for one in tags if one[0] != tag] + [(tag, kind, count, value)])
    head = b"II*\0" + struct.pack("<I", 16) + bytes(8) + struct.pack("<H", len(tags))
    return head + b"".join(struct.pack("<HHII", *one) for one in tags) + bytes(4)


def jpeg_with(*segments: tuple[int, bytes]) -> bytes:
    plain = encoded(SMALL, "JPEG")
    extra = b"".join(
        bytes((0xFF, marker)) + struct.pack(">H", 2 + len(data)) + data for marker, data in segments
    )
    return plain[:2] + extra + plain[2:]


def jpeg2000(sides=(20, 10), tiles=(20, 10), channels: int = 3) -> bytes:
    """A codestream whose size marker claims this."""
    plain = encoded(SMALL, "JPEG2000", no_jp2=True)
    length = struct.unpack_from(">H", plain, 4)[0]
    marker = struct.pack(">HH8IH", 38 + 3 * channels, 0, *sides, 0, 0, *tiles, 0, 0, channels)
    return plain[:4] + marker + b"\x07\x01\x01" * channels + plain[4 + length :]


def exif_of(entries: int) -> bytes:
    """A directory that points to itself, and garbage in it."""
    noise = np.random.default_rng(1).integers(0, 256, 12 * entries, dtype=np.uint8).tobytes()
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, entries) + noise + struct.pack("<I", 8)


def gif_frames(count: int) -> bytes:
    frames = encoded(Image.new("P", (4, 4)), "GIF")
    start = frames.index(b",")
    return frames[:start] + frames[start:-1] * count + b";"


def moving(form: str, count: int, **how) -> bytes:
    frames = [Image.new("RGB", (16, 16), (i % 256, 0, 0)) for i in range(count)]
    return encoded(frames[0], form, save_all=True, append_images=frames[1:], **how)


HOSTILE = {
    "icc.png": lambda: png((b"iCCP", b"a\0\0" + zeros_deflated(100))),
    "ztxt.png": lambda: png((b"zTXt", b"a\0\0" + zeros_deflated(100))),
    "itxt.png": lambda: png((b"iTXt", b"a\0\1\0\0\0" + zeros_deflated(100))),
    "many-texts.png": lambda: png(*[(b"zTXt", b"a\0\0" + zeros_deflated(1))] * 1000),
    "many-chunks.png": lambda: png(*[(b"teSt", b"")] * 20_000),
    "many-pieces.png": lambda: png(size=(900, 900), pieces=10**5, colour=2),
    "long-pixels.png": lambda: png((b"IDAT", zeros_deflated(100))),
    "frames.png": lambda: moving("PNG", 200),
    "exif.png": lambda: png((b"eXIf", exif_of(65_535)[6:])),
    "palette.png": lambda: png((b"PLTE", bytes(10**6)), (b"tRNS", bytes(10**6))),
    "pages.tif": lambda: tiff_pages(6000),
    "tag.tif": lambda: tiff_with(270, 2, 2**31 - 1, 8),
    "colours.tif": lambda: tiff_with(320, 3, 2**31 - 1, 8),
    "strips.tif": lambda: tiff_with(273, 4, 2**28, 8),
    "bits.tif": lambda: tiff_with(258, 3, 2**28, 8),
    "samples.tif": lambda: tiff_with(277, 4, 1, 2**31 - 1),
    "large-tag.tif": lambda: tiff_with(700, 1, 2 * 10**7, 200) + bytes(2 * 10**7),
    "sides.tif": lambda: tiff_with(256, 4, 1, 2**31 - 1),
    "tiles.tif": lambda: tiff_with(322, 4, 1, 2**31 - 1),
    "loop.tif": lambda: b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
    "comments.jpg": lambda: jpeg_with(*[(0xFE, b"hi")] * 65_535),
    "icc.jpg": lambda: jpeg_with(*[(0xE2, b"ICC_PROFILE\0\1\xff" + bytes(65_000))] * 255),
    "exif.jpg": lambda: jpeg_with((0xE1, exif_of(5000))),
    "mpo.jpg": lambda: jpeg_with((0xE2, b"MPF\0" + exif_of(5000)[6:])),
    "photoshop.jpg": lambda: jpeg_with((0xED, b"Photoshop 3.0\x00" + b"8BIM\4\4\0\0" * 7000)),
    "progressive.jpg": lambda: encoded(Image.new("RGB", (3000, 2000)), "JPEG", progressive=True),
    "frames.gif": lambda: gif_frames(8000),
    "comments.gif": lambda: (
        lambda plain: plain[:-1] + b"!\xfe" + b"\xff" + bytes(255) + b"\0" + b";"
    )(gif_frames(1)),
    "large-frame.gif": lambda: gif_frames(1).replace(
        b",\0\0\0\0\x04\0\x04\0", b",\0\0\0\0\xff\xff\xff\xff"
    ),
    "frames.webp": lambda: moving("WEBP", 200, lossless=True),
    "exif.webp": lambda: encoded(SMALL, "WEBP", exif=exif_of(5000)),
    "frames.avif": lambda: moving("AVIF", 12, speed=10),
    "exif.avif": lambda: encoded(SMALL, "AVIF", exif=exif_of(5000)),
    "components.j2k": lambda: jpeg2000(channels=16_384),
    "tiles.j2k": lambda: jpeg2000(sides=(4000, 4000), tiles=(16, 16)),
    "no-tiles.j2k": lambda: jpeg2000(tiles=(0, 0)),
    "sides.j2k": lambda: jpeg2000(sides=(60_000, 60_000), tiles=(60_000, 60_000)),
    "empty.j2k": lambda: jpeg2000(sides=(3900, 3900), tiles=(3900, 3900)),
    "boxes.jp2": lambda: encoded(SMALL, "JPEG2000")[:32] + b"\0\0\0\x08free" * 100_000,
    "sides.ppm": lambda: b"P6 99999999 99999999 255 " + bytes(99),
    "digits.ppm": lambda: b"P6 " + b"9" * 10**6,
    "comment.ppm": lambda: b"P6 #" + bytes(10**7),
    "spaces.ppm": lambda: b"P6" + b" " * 10**7,
    "text.ppm": lambda: b"P3 4000 4000 255 1 2 3",
    "text-comments.pbm": lambda: b"P1 9 9 1" + b"#\n" * 10**6,
    "odd.pgm": lambda: b"P5 4000 4000 254 " + bytes(99),
    "scale.pfm": lambda: b"Pf 8000 8000 1e-38 " + bytes(99),
    "sides.bmp": lambda: encoded(SMALL, "BMP")[:18] + struct.pack("<ii", 8000, 8000) + bytes(99),
    "rle.bmp": lambda: (
        b"BM" + struct.pack("<IHHI", 0, 0, 0, 1078)
        + struct.pack("<IiiHHIIiiII", 40, 8000, 7900, 1, 8, 1, 0, 0, 0, 0, 0)
        + bytes(1024) + b"\xff\1" * 9000
    ),
}  # fmt: skip

HOLED = {
    "a.png": lambda: png(),
    "a.jpg": lambda: encoded(SMALL, "JPEG"),
    "a.gif": lambda: encoded(SMALL, "GIF"),
    "a.bmp": lambda: encoded(SMALL, "BMP"),
    "a.tif": lambda: encoded(SMALL, "TIFF"),
    "deflated.tif": lambda: encoded(SMALL, "TIFF", compression="tiff_adobe_deflate"),
    "a.webp": lambda: encoded(SMALL, "WEBP"),
    "a.avif": lambda: encoded(SMALL, "AVIF"),
    "a.j2k": lambda: encoded(SMALL, "JPEG2000", no_jp2=True),
    "a.jp2": lambda: encoded(SMALL, "JPEG2000"),
    "a.ppm": lambda: encoded(SMALL, "PPM"),
    "comment.ppm": lambda: b"P6 #",
    "text.ppm": lambda: b"P3 2 2 255 1 2 3 #",
}


def holed(path: Path, content: bytes, gigabytes: float = 6) -> None:
    """A file with nothing but a hole behind its content."""
    path.write_bytes(content)
    os.truncate(path, int(gigabytes * 2**30))
