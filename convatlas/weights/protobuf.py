"""Protocol buffers, field by field: nothing is copied out of the buffer, and every length is proved
to lie inside the message that it is part of.
"""

import itertools
import mmap
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO, NamedTuple

from convatlas.errors import WeightsError
from convatlas.weights.archives import Archive
from convatlas.weights.pickles import DAMAGED, LONGEST_NAME
from convatlas.weights.stored import DIMENSIONS, SIZES, Storage

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # kinds of field
WIDTHS = {FIXED64: 8, FIXED32: 4}
MOST_FIELDS = 1_000_000  # of a file; SENet-154's has 50,000, ResNet-152's graph 20,000
LONGEST_VARINT = 10  # bytes
CUT = "it is cut short"

Buffer = bytes | mmap.mmap


class Run(NamedTuple):
    """Numbers of one width that stand in a buffer at even steps."""

    place: int  # of the first
    count: int
    width: int  # bytes
    step: int  # bytes from one to the next


class Message:
    """A part of a buffer. All messages of one file count their fields together."""

    __slots__ = ("begin", "buffer", "counted", "end")

    def __init__(
        self,
        buffer: Buffer,
        begin: int = 0,
        end: int | None = None,
        counted: Iterator | None = None,
    ):
        self.buffer = buffer
        self.begin = begin
        self.end = len(buffer) if end is None else end
        self.counted = counted or itertools.count(1)

    def __len__(self) -> int:
        return self.end - self.begin

    def fields(self) -> Iterator[tuple[int, "int | Run | Message"]]:
        """Numbers and values of the fields: a message is one, or a text, or packed numbers; fields
        of four or eight bytes that follow one another under one number come as one.
        """
        at = self.begin
        while at < self.end:
            if next(self.counted) > MOST_FIELDS:
                raise WeightsError(
                    f"is described in more than {MOST_FIELDS:,} fields, which no network of the "
                    "atlas takes; do not use it"
                )
            began = at
            tag, at = varint(self.buffer, at, self.end)
            kind = tag & 7
            if kind == VARINT:
                value, at = varint(self.buffer, at, self.end)
            elif kind == BYTES:
                length, at = varint(self.buffer, at, self.end)
                value = Message(self.buffer, at, self._inside(at + length), self.counted)
                at = value.end
            elif kind in WIDTHS:
                value = self._run(began, at, WIDTHS[kind])
                at = value.place + (value.count - 1) * value.step + value.width
            else:
                raise ValueError("it has a field of an unknown kind")
            yield tag >> 3, value

    def text(self) -> str:
        """What it says, where it is a name."""
        if len(self) > LONGEST_NAME:
            raise WeightsError(f"holds a name of {len(self):,} letters; {DAMAGED}")
        return self.buffer[self.begin : self.end].decode()

    def packed(self, width: int) -> Run:
        """The numbers in it."""
        count, left = divmod(len(self), width)
        if left:
            raise ValueError(f"{len(self):,} bytes of numbers that have {width} each")
        return Run(self.begin, count, width, width)

    def _run(self, began: int, place: int, width: int) -> Run:
        """A number of this width, whose field began there, and those of the same kind after it: a
        writer that packs none may leave a hundred million.
        """
        step = place - began + width
        tag = self.buffer[began:place]
        count, window = 1, 16 if len(tag) == 1 else 0
        self._inside(began + step)
        while window:
            first = began + count * step
            tags = self.buffer[first : min(self.end, first + window * step) : step]
            more = len(tags) - len(tags.lstrip(tag))
            count += more
            window = 2 * window if more == window else 0
        self._inside(began + count * step)
        return Run(place, count, width, step)

    def _inside(self, end: int) -> int:
        if end > self.end:
            raise ValueError(CUT)
        return end


def varint(buffer: Buffer, at: int, end: int) -> tuple[int, int]:
    """Seven bits a byte, the lowest first; and where the next thing begins."""
    value = 0
    for shift in range(0, 7 * LONGEST_VARINT, 7):
        if at >= end:
            raise ValueError(CUT)
        byte = buffer[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            break
    else:
        raise ValueError(f"a number of more than {LONGEST_VARINT} bytes")
    if value >> 64:
        raise ValueError("a number of more than 64 bits")
    return value, at


def integers(values: Iterable[int | Run | Message]) -> tuple[int, ...]:
    """Sizes of a tensor, each in a field of its own or packed."""
    found: list[int] = []
    for value in values:
        if isinstance(value, int):
            found.append(value)
        elif isinstance(value, Message):
            at = value.begin
            while at < value.end and len(found) <= DIMENSIONS:
                number, at = varint(value.buffer, at, value.end)
                found.append(number)
        if len(found) > DIMENSIONS:
            raise ValueError(f"a tensor of more than {DIMENSIONS} dimensions")
    return tuple(found)


def runs(values: Iterable[int | Run | Message], width: int) -> tuple[Run, ...]:
    """Where numbers of a width stand, packed or each in a field of its own."""
    found = []
    for value in values:
        run = value.packed(width) if isinstance(value, Message) else value
        if not isinstance(run, Run) or run.width != width:
            raise ValueError("numbers of another kind than promised")
        found.append(run)
    return tuple(run for run in found if run.count)


class Scattered(Archive):
    """What a file holds, whose numbers lie there in runs."""

    def __init__(self, file: BinaryIO, held: Mapping, places: Mapping[str, tuple[Run, ...]]):
        super().__init__(file, held, {})
        self._runs = places

    def _bytes(self, storage: Storage) -> bytearray:
        if storage.key not in self._read:
            buffer = bytearray(storage.whole * SIZES[storage.dtype])
            at = 0
            for run in self._runs[storage.key]:
                end = at + run.count * run.width
                self._file.seek(run.place)
                if run.step == run.width:
                    with memoryview(buffer)[at:end] as part:
                        at += self._file.readinto(part)
                else:
                    block = self._file.read((run.count - 1) * run.step + run.width)
                    for i in range(run.width):
                        buffer[at + i : end : run.width] = block[i :: run.step]
                    at = end
            if at != len(buffer):
                raise ValueError(CUT)
            self._read[storage.key] = buffer
        return self._read[storage.key]
