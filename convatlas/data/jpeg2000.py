"""What a JPEG 2000 file claims, looked at before its decoder believes it."""

import struct
from typing import BinaryIO

from convatlas.data.decoding import Unfit, size_of

CODESTREAM = b"\xff\x4f\xff\x51"  # start of codestream, size marker
END = b"\xff\xd9"
SIZE = struct.Struct(">HH8IH")  # length, profile; sides, offsets, tiles, their offsets; components
CHANNELS = 4
TILES = 4096  # the decoder takes 6 kB for each before it has read one
BOXES = 64  # looked through, at most, for the one with the codestream


def require_sound(file: BinaryIO, width: int, height: int) -> None:
    """Raises Unfit where the codestream is cut short, is of another size than the header says, has
    tiles or components without number, or colours of more than 8 bits, of which Pillow gives only
    the upper ones.
    """
    start, end = _codestream(file)
    file.seek(start + len(CODESTREAM))
    claim = file.read(SIZE.size)
    if len(claim) < SIZE.size:
        raise Unfit("is cut short; copy it again or delete it")
    _, _, right, bottom, left, top, tile_width, tile_height, _, _, channels = SIZE.unpack(claim)
    if (right - left, bottom - top) != (width, height) or not 1 <= channels <= CHANNELS:
        raise Unfit(
            f"is damaged: its codestream has {right - left} x {bottom - top} pixels of {channels} "
            f"channels, its header says {width} x {height}; copy it again or delete it"
        )
    if not tile_width or not tile_height:
        raise Unfit("is damaged: its tiles have no size; copy it again or delete it")
    tiles = -(-right // tile_width) * -(-bottom // tile_height)
    if tiles > TILES:
        raise Unfit(f"has {tiles:,} tiles, more than {TILES:,}; save it again, with larger ones")
    bits = max((depth & 0x7F) + 1 for depth in file.read(3 * channels)[::3])
    if channels > 2 and bits > 8:
        raise Unfit(
            f"has {bits} bits a channel, of which only 8 can be read; save it as a PNG of 16 bits"
        )
    file.seek(max(start, end - len(END)))
    if file.read(len(END)) != END:
        raise Unfit("is cut short; copy it again or delete it")


def _codestream(file: BinaryIO) -> tuple[int, int]:
    """(where it begins, where it ends) in the file."""
    size = size_of(file)
    file.seek(0)
    if file.read(len(CODESTREAM)) == CODESTREAM:
        return 0, size
    position = 0
    for _ in range(BOXES):
        file.seek(position)
        head = file.read(16)
        if len(head) < 8:
            break
        length, kind = struct.unpack(">I4s", head[:8])
        body = 8
        if length == 1 and len(head) == 16:
            length, body = struct.unpack(">Q", head[8:])[0], 16
        end = position + length if length else size
        if kind == b"jp2c":
            if end > size:
                break
            return position + body, end
        if length < body:
            break
        position = end
    raise Unfit("is cut short; copy it again or delete it")
