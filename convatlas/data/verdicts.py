"""What was found out about each file of a folder, kept as it is found: an interrupted survey goes
on where it was, and only new and changed files are looked at.

A record says: a file with this stamp can be read, and its bytes have this digest. The stamp is of
the file's name, size, times and number, so that a record can be in any order, twice, or left over,
and never speaks of another file. That a file can not be read is not recorded, for the remedy may
lie outside of it: a permission, a package. It is looked at again each time; only what ends or hangs
the process that reads it is remembered. Every process appends to a file of its own, in whole
records, each with a sum over it: what a killed process leaves half, or a disk loses, is looked at
again.
"""

import contextlib
import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from convatlas.data import remembered
from convatlas.data.image_file import decoders

FORMAT = 3  # of a record
WORDS = 6  # of 64 bits: the stamp, the digest of the bytes, flags, the sum
RECORD = 8 * WORDS  # bytes
# Flags, one of them: nothing about it is peculiar; it ends or hangs who reads it; something is.
PLAIN, DEADLY, PECULIAR = 1, 2, 4
FLUSHED_EVERY = 2.0  # seconds
TOGETHER = 256  # records written at once, at most
PIECES = 16  # files of records, above which they are put together
STALE = 4  # times the records that are needed, above which the others go
_FACTORS = np.array(
    [
        0x9E3779B97F4A7C15,
        0xBF58476D1CE4E5B9,
        0x94D049BB133111EB,
        0xD6E8FEB86659FD93,
        0xA0761D6478BD642F,
    ],
    np.uint64,
)
_OFFSET = np.uint64(0xE7037ED1A0B428DB)  # zeros, which a disk that lost power leaves, are no record


@dataclass(frozen=True)
class Known:
    """What is remembered of n files, in their order."""

    good: np.ndarray  # bool (n,): can be read
    plain: np.ndarray  # bool (n,): and nothing about it is peculiar
    deadly: np.ndarray  # bool (n,)
    digests: np.ndarray  # uint64 (n, 2), of the bytes of the good ones


class Verdicts:
    """Those on the files of one folder, with the decoders of today and this limit."""

    def __init__(self, root: str | os.PathLike, max_megapixels: float):
        self.root, self.place = root, remembered.place_of(root)
        rules = f"{FORMAT} {decoders()} {max_megapixels}"
        self.rules = hashlib.sha256(rules.encode()).hexdigest()[:16]
        self._file: BinaryIO | None = None
        self._read_last: list[tuple[Path, int]] = []
        self._new: list[tuple[int, ...]] = []
        self._flushed_at = time.monotonic()

    def of(self, stamps: np.ndarray, before: Known | None = None) -> Known:
        """What is known of the files with these stamps, uint64 (n, 2); `before` is what was known
        of the same ones earlier.
        """
        if (pieces := self._pieces()) == self._read_last and before:
            return before
        self._read_last = pieces
        records = self._read()
        records = records[np.argsort(records[:, 0], kind="stable")]
        at = np.searchsorted(records[:, 0], stamps[:, 0], side="right") - 1
        if not len(records):
            records, at = np.zeros((1, WORDS), np.uint64), np.zeros(len(stamps), int)
        found = records[np.maximum(at, 0)]
        same = (at >= 0) & (found[:, :2] == stamps).all(1) & (found[:, 4] != 0)
        deadly = same & (found[:, 4] & DEADLY != 0)
        good = same & ~deadly
        return Known(good, good & (found[:, 4] & PLAIN != 0), deadly, found[:, 2:4])

    def count(self) -> int:
        """Records that were written so far, by whomever."""
        return sum(size for _, size in self._pieces()) // RECORD

    def add(self, stamp: tuple[int, int], digest: str, plain: bool) -> None:
        """A file that can be read; "" as digest for one that ends or hangs its process."""
        words = bytes.fromhex(digest) or bytes(16)
        flags = DEADLY if not digest else PLAIN if plain else PECULIAR
        low, high = (int.from_bytes(part, "little") for part in (words[:8], words[8:]))
        self._new.append((*stamp, low, high, flags))
        due = time.monotonic() - self._flushed_at >= FLUSHED_EVERY
        if due or len(self._new) >= TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Writes what is new; silently not, where nothing can be written."""
        self._flushed_at = time.monotonic()
        records, self._new = self._new, []
        if not records or self.place is None:
            return
        try:
            if self._file is None:
                self._file = self._opened()
            self._file.write(_summed(np.array(records, np.uint64)).tobytes())
        except OSError:
            self.place = None  # a full disk: no more is tried

    def close(self) -> None:
        self.flush()
        if self._file:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    def tidy(self, needed: int) -> None:
        """Puts many files of records together. To be called by one process at a time, after close,
        when all is known of `needed` files.
        """
        pieces = self._pieces()
        if len(pieces) <= PIECES or self.place is None:
            return
        records = self._read()
        _, last = np.unique(records[::-1, :2], axis=0, return_index=True)
        records = records[::-1][np.sort(last)][::-1][-STALE * max(needed, 1) :]
        with contextlib.suppress(OSError):
            with self._opened() as file:
                file.write(records.tobytes())
                file.flush()
                os.fsync(file.fileno())
            for path, _ in pieces:
                path.unlink()

    def _opened(self) -> BinaryIO:
        self.place.mkdir(parents=True, exist_ok=True)
        name = f"{self.rules}-{time.time_ns():020}-{os.getpid()}-{os.urandom(4).hex()}.seen"
        return open(self.place / name, "xb", buffering=0)

    def _pieces(self) -> list[tuple[Path, int]]:
        """(path, bytes) of each file of records, the oldest first."""
        found = []
        with contextlib.suppress(OSError):
            for path in sorted(self.place.glob(f"{self.rules}-*.seen")) if self.place else ():
                found.append((path, path.stat().st_size))
        return found

    def _read(self) -> np.ndarray:
        """uint64 (n, WORDS): all records that are whole."""
        parts = [np.zeros((0, WORDS), np.uint64)]
        for path, _ in self._pieces():
            with contextlib.suppress(OSError):
                content = path.read_bytes()
                whole = content[: len(content) // RECORD * RECORD]
                parts.append(np.frombuffer(whole, "<u8").astype(np.uint64).reshape(-1, WORDS))
        records = np.concatenate(parts)
        return records[_sum(records) == records[:, 5]]


def _sum(records: np.ndarray) -> np.ndarray:
    """uint64 (n,) modulo 2^64, of the first five words."""
    total = (records[:, :5] * _FACTORS).sum(1, dtype=np.uint64) + _OFFSET
    return total ^ (total >> np.uint64(29))


def _summed(records: np.ndarray) -> np.ndarray:
    return np.concatenate([records, _sum(records)[:, None]], axis=1).astype("<u8")
