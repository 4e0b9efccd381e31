"""The names of very many files, in one block of bytes: a tenth of the memory that as many strings
take, and none that a forked process copies by counting references to it.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

GATHERED = 2**15  # names that are copied at a time


class Names(Sequence[str]):
    """A sequence of str that never changes; equal to any list or tuple of the same names."""

    def __init__(self, block: bytes, ends: np.ndarray):
        """`ends` int64 (n,): where in `block` each name ends."""
        self.block, self.ends = block, ends

    @classmethod
    def of(cls, names: Iterable[str]) -> "Names":
        if isinstance(names, cls):
            return names
        encoded = [name.encode(errors="surrogateescape") for name in names]
        ends = np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)), dtype=np.int64)
        return cls(b"".join(encoded), ends)

    @classmethod
    def joined(cls, parts: Sequence["Names"]) -> "Names":
        """One after the other."""
        before = np.cumsum([0, *(len(part.block) for part in parts)])
        ends = [part.ends + start for part, start in zip(parts, before, strict=False)]
        ends = np.concatenate([np.zeros(0, np.int64), *ends]).astype(np.int64)
        return cls(b"".join(part.block for part in parts), ends)

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, i):
        if isinstance(i, slice):
            return self.take(np.arange(len(self))[i])
        i = range(len(self))[i]
        start = self.ends[i - 1] if i else 0
        return self.block[start : self.ends[i]].decode(errors="surrogateescape")

    def encoded(self) -> Iterator[bytes]:
        """Each name as a file system has it."""
        start = 0
        for end in self.ends.tolist():
            yield self.block[start:end]
            start = end

    def __iter__(self) -> Iterator[str]:
        return (name.decode(errors="surrogateescape") for name in self.encoded())

    def take(self, indices: np.ndarray) -> "Names":
        """The names at `indices`, in that order."""
        indices = np.asarray(indices, np.int64)
        starts = np.concatenate([[0], self.ends[:-1]]).astype(np.int64)[indices]
        lengths = self.ends[indices] - starts
        block = np.frombuffer(self.block, np.uint8)
        pieces = []
        for first in range(0, len(indices), GATHERED):
            start, length = starts[first : first + GATHERED], lengths[first : first + GATHERED]
            shift = start - np.concatenate([[0], np.cumsum(length)[:-1]])
            pieces.append(block[np.repeat(shift, length) + np.arange(length.sum())].tobytes())
        return Names(b"".join(pieces), np.cumsum(lengths, dtype=np.int64))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Names):
            return self.block == other.block and np.array_equal(self.ends, other.ends)
        if isinstance(other, list | tuple):
            return len(self) == len(other) and list(self) == list(other)
        return NotImplemented

    __hash__ = None

    def __repr__(self) -> str:
        more = ", ..." if len(self) > 3 else ""
        return f"Names({', '.join(map(repr, self[:3]))}{more})"
