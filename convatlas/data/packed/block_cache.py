"""Blocks of an object store's images, kept in files on this machine for all the processes that read
them: a block is fetched once, whoever needs it first, and the oldest make room for new ones.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from filelock import FileLock

from convatlas.data.packed.index import Index
from convatlas.machine import user_cache

SHARE = 4  # of what is free: a quarter
WAIT = 60  # seconds for another process to fetch a block
WRITERS = 64  # processes that may add blocks while one does not look
SPARE = 16  # where there is no room, one part in so many is made free at once


class BlockCache:
    """Files of blocks of one set, at most a share of the disk together with those of other sets.
    The set is known by its index, with where its images lie.
    """

    def __init__(self, index: Index):
        name = hashlib.blake2b(index.fingerprint().encode(), digest_size=16)
        for array in (index.shard, index.offset, index.length):
            name.update(np.ascontiguousarray(array).tobytes())
        self.home = _home()
        self.folder = self.home / name.hexdigest()
        self.limit = self._share()
        self._room = 0  # bytes that this process may add before it looks again at what is there

    def _share(self) -> int:
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            return (shutil.disk_usage(self.home).free + sum(_sizes(self.home).values())) // SHARE
        except OSError:
            return 0

    def read(
        self, number: int, spans: Sequence[tuple[int, int]], size: int, fetch: Callable[[], bytes]
    ) -> list[bytes]:
        """The parts of block `number` at these (start, length); fetch() gives the whole of it,
        `size` bytes. Where nothing can be kept it is fetched each time.
        """
        path = self.folder / str(number)
        with contextlib.suppress(OSError):
            return _parts(path, spans, size)
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError, TimeoutError):
                self.folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(FileLock(f"{path}.lock", timeout=WAIT))
            with contextlib.suppress(OSError):
                return _parts(path, spans, size)  # another process was quicker
            block = fetch()
            self._keep(path, block)
        return [block[start : start + length] for start, length in spans]

    def drop(self, number: int) -> None:
        """A block that was not what it should be."""
        with contextlib.suppress(OSError):
            (self.folder / str(number)).unlink()

    def _keep(self, path: Path, block: bytes) -> None:
        if len(block) > self.limit:
            return
        with contextlib.suppress(OSError):
            self._make_room(len(block))
            handle, beside = tempfile.mkstemp(dir=self.folder, prefix=".")
            try:
                with open(handle, "wb") as file:
                    file.write(block)
                os.replace(beside, path)
            except OSError:
                os.unlink(beside)

    def _make_room(self, needed: int) -> None:
        """All the blocks are looked at now and then only: with each new one it would take a time
        that grows with the square of their number.
        """
        self._room -= needed
        if self._room >= 0:
            return
        sizes = _sizes(self.home)
        total = sum(sizes.values()) + needed
        if total > self.limit:
            for (_, path), size in sorted(sizes.items()):
                with contextlib.suppress(OSError):
                    os.unlink(path)
                    total -= size
                if total <= self.limit - self.limit // SPARE:
                    break
        self._room = (self.limit - total) // WRITERS


def _parts(path: Path, spans: Sequence[tuple[int, int]], size: int) -> list[bytes]:
    with open(path, "rb", buffering=0) as file:
        if os.fstat(file.fileno()).st_size != size:
            raise OSError("another block, or a part of one")
        os.utime(path)
        found = []
        for start, length in spans:
            file.seek(start)
            found.append(file.read(length))
        return found


def _sizes(home: Path) -> dict[tuple[int, str], int]:
    """{(when it was last used, path): bytes} of all blocks."""
    found = {}
    for path in home.glob("*/*"):
        with contextlib.suppress(OSError):
            status = path.stat()
            if path.suffix != ".lock":
                found[status.st_mtime_ns, str(path)] = status.st_size
    return found


def _home() -> Path:
    return (user_cache() or Path(tempfile.gettempdir(), "convatlas")) / "blocks"
