"""Flatbuffers: tables of fields at places that other tables give. Every place is proved to lie in
the file before it is read, and every list to be no longer than the file.
"""

import struct
from dataclasses import dataclass

from convatlas.errors import WeightsError
from convatlas.weights.pickles import DAMAGED


@dataclass(frozen=True)
class Table:
    """A table of a buffer. Its fields are numbered as in its schema; those left out have a default.

    Raises ValueError wherever the buffer does not hold what it promises.
    """

    buffer: bytes
    at: int

    @classmethod
    def root(cls, buffer: bytes) -> "Table":
        return cls(buffer, _number(buffer, 0, "<I"))

    def number(self, field: int, kind: str, default: int = 0) -> int:
        """`kind` is that of struct: "<I" for four bytes without sign."""
        place = self._place(field)
        return _number(self.buffer, place, kind) if place else default

    def table(self, field: int) -> "Table | None":
        place = self._leads_to(field)
        return Table(self.buffer, place) if place else None

    def tables(self, field: int, most: int) -> list["Table"]:
        """Raises WeightsError for a list of more than `most`."""
        begin, count = self._list(field, 4)
        if count > most:
            raise WeightsError(f"lists {count:,} parts of one kind; {DAMAGED}")
        places = range(begin, begin + 4 * count, 4)
        return [Table(self.buffer, p + _number(self.buffer, p, "<I")) for p in places]

    def numbers(self, field: int, most: int) -> tuple[int, ...]:
        """The first of a list of numbers of four bytes."""
        begin, count = self._list(field, 4)
        return struct.unpack_from(f"<{min(count, most)}i", self.buffer, begin)

    def bytes_at(self, field: int) -> tuple[int, int]:
        """Where a list of bytes begins in the buffer, and how long it is."""
        return self._list(field, 1)

    def _list(self, field: int, size: int) -> tuple[int, int]:
        place = self._leads_to(field)
        if not place:
            return 0, 0
        count = _number(self.buffer, place, "<I")
        if place + 4 + size * count > len(self.buffer):
            raise ValueError("a list that leaves the file")
        return place + 4, count

    def _leads_to(self, field: int) -> int:
        place = self._place(field)
        return place + _number(self.buffer, place, "<I") if place else 0

    def _place(self, field: int) -> int:
        """Where a field stands in the buffer; 0 where it is left out."""
        fields = self.at - _number(self.buffer, self.at, "<i")
        size = _number(self.buffer, fields, "<H")
        if 4 + 2 * field + 2 > size:
            return 0
        offset = _number(self.buffer, fields + 4 + 2 * field, "<H")
        return self.at + offset if offset else 0


def _number(buffer: bytes, place: int, kind: str) -> int:
    if not 0 <= place <= len(buffer) - struct.calcsize(kind):
        raise ValueError("a place outside the file")
    return struct.unpack_from(kind, buffer, place)[0]
