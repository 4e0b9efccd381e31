"""The bytes of a packed set's images, by row: each as it was packed, by its digest, or none."""

from itertools import pairwise

import numpy as np

from convatlas.data.packed.block_cache import BlockCache
from convatlas.data.packed.index import Index, digest_of
from convatlas.data.packed.order import BLOCK, WINDOW
from convatlas.data.packed.place import Place, Span


class Shelf:
    """All n images of a packed set, where its index says; `files` are its shards.

    On this machine's disks they are read one by one, and the system keeps what was read lately. Of
    an object store whole blocks are fetched into `cache` where the set, or the blocks that an epoch
    needs at a time, have room there.
    """

    def __init__(self, place: Place, files: list[str], index: Index, cache: BlockCache | None):
        self.place, self.files, self.index, self.cache = place, files, index, cache
        limit, total = cache.limit if cache else 0, _extent(index)
        window = total * 2 * BLOCK * WINDOW // len(index.length)
        self.fits = 0 < total <= limit
        self.holds_windows = self.fits or 0 < window <= limit

    def file_of(self, row: int) -> str:
        """The file that holds a row, as it is called in a sentence."""
        return f"{self.place.name}/{self.files[self.index.shard[row]]}"

    def take(self, rows: np.ndarray, neighbours: bool) -> list[bytes | None]:
        """The images of these rows, None for one whose bytes are not what was packed. `neighbours`
        says whether the rows near them will be asked for soon. Raises DataError where the place
        cannot be reached.
        """
        by_blocks = self.fits or (neighbours and self.holds_windows)
        found = self._from_blocks(rows) if by_blocks else self._one_by_one(rows)
        wrong = [at for at, row in enumerate(rows.tolist()) if not self._is_whole(row, found[at])]
        if wrong:  # perhaps on its way, or in the cache
            for number in {row // BLOCK for row in rows[wrong].tolist()} if by_blocks else ():
                self.cache.drop(number)
            again = self._one_by_one(rows[wrong])
            for at, content in zip(wrong, again, strict=True):
                found[at] = content if self._is_whole(int(rows[at]), content) else None
        return found

    def _is_whole(self, row: int, content: bytes) -> bool:
        return digest_of(content) == self.index.digest[row].tobytes()

    def _one_by_one(self, rows: np.ndarray) -> list[bytes]:
        return self.place.read([self._span(row, row) for row in rows.tolist()])

    def _span(self, first: int, last: int) -> Span:
        """From the first row to the last one, both in one file."""
        index = self.index
        start, end = int(index.offset[first]), int(index.offset[last] + index.length[last])
        return self.files[index.shard[first]], start, end - start

    def _from_blocks(self, rows: np.ndarray) -> list[bytes]:
        index = self.index
        found: list[bytes] = [b""] * len(rows)
        numbers = rows // BLOCK
        for number in np.unique(numbers).tolist():
            places, pieces = np.flatnonzero(numbers == number), self._pieces(number)
            begins = np.cumsum([0, *(length for *_, length in pieces)])
            spans = []
            for row in rows[places].tolist():
                piece = index.shard[row] - index.shard[number * BLOCK]
                start = begins[piece] + index.offset[row] - pieces[piece][1]
                spans.append((int(start), int(index.length[row])))
            parts = self.cache.read(
                number, spans, int(begins[-1]), lambda pieces=pieces: self._joined(pieces)
            )
            for place, part in zip(places.tolist(), parts, strict=True):
                found[place] = part
        return found

    def _pieces(self, number: int) -> list[Span]:
        """Where the rows of a block lie, in one file or in a few that follow each other."""
        first, end = number * BLOCK, min((number + 1) * BLOCK, len(self.index.length))
        breaks = np.flatnonzero(np.diff(self.index.shard[first:end])) + 1 + first
        edges = [first, *breaks.tolist(), end]
        return [self._span(a, b - 1) for a, b in pairwise(edges)]

    def _joined(self, pieces: list[Span]) -> bytes:
        return b"".join(self.place.read(pieces))


def _extent(index: Index) -> int:
    """Bytes of all blocks: of the files from their first image to their last one."""
    last = np.flatnonzero(np.diff(index.shard, append=-1))
    first = np.concatenate([[0], last[:-1] + 1])
    return int((index.offset[last] + index.length[last] - index.offset[first]).sum())
