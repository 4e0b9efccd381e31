"""The bytes of a packed set's images, by row: each as it was packed, by its digest, or none."""

import hashlib

import numpy as np

from convatlas.data.packed.block_cache import BlockCache
from convatlas.data.packed.order import BLOCK, WINDOW
from convatlas.data.packed.table import Table

DIGEST = 16  # bytes, of an image's


def digest_of(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=DIGEST).digest()


class Shelf:
    """All images of a table: `lengths` int64 (n,), `digests` uint8 (n, DIGEST).

    On this machine's disks they are read by number, and the system keeps what was read lately. Of
    an object store whole blocks are fetched into `cache` where the set, or the blocks that an epoch
    needs at a time, have room there.
    """

    def __init__(
        self, table: Table, lengths: np.ndarray, digests: np.ndarray, cache: BlockCache | None
    ):
        self.table, self.lengths, self.digests, self.cache = table, lengths, digests, cache
        limit, total = cache.limit if cache else 0, int(lengths.sum())
        self.fits = 0 < total <= limit
        window = total * 2 * BLOCK * WINDOW // max(len(lengths), 1)
        self.holds_windows = self.fits or 0 < window <= limit

    def take(self, rows: np.ndarray, neighbours: bool) -> list[bytes | None]:
        """The images of these rows, None for one whose bytes are not what was packed. `neighbours`
        says whether the rows near them will be asked for soon.
        """
        by_blocks = self.fits or (neighbours and self.holds_windows)
        found = self._from_blocks(rows) if by_blocks else self.table.take(rows)
        wrong = [at for at, row in enumerate(rows.tolist()) if not self._is_whole(row, found[at])]
        if wrong:  # perhaps on its way, or in the cache
            for number in {row // BLOCK for row in rows[wrong].tolist()} if by_blocks else ():
                self.cache.drop(number)
            again = self.table.take(rows[wrong])
            for at, content in zip(wrong, again, strict=True):
                found[at] = content if self._is_whole(int(rows[at]), content) else None
        return found

    def _is_whole(self, row: int, content: bytes) -> bool:
        return digest_of(content) == self.digests[row].tobytes()

    def _from_blocks(self, rows: np.ndarray) -> list[bytes]:
        found: list[bytes] = [b""] * len(rows)
        numbers = rows // BLOCK
        for number in np.unique(numbers).tolist():
            within = np.arange(number * BLOCK, min((number + 1) * BLOCK, len(self.lengths)))
            ends = np.cumsum(self.lengths[within])
            places = np.flatnonzero(numbers == number)
            at = rows[places] - number * BLOCK
            lengths = self.lengths[rows[places]]
            spans = list(zip((ends[at] - lengths).tolist(), lengths.tolist(), strict=True))
            parts = self.cache.read(
                number, spans, int(ends[-1]), lambda rows=within: b"".join(self.table.take(rows))
            )
            for place, part in zip(places.tolist(), parts, strict=True):
                found[place] = part
        return found
