"""What one look at a file's entry says of it: enough to know later that its contents are the same.

A file is taken for unchanged where its name, size, number (inode), time of modification and time of
change are. The last of these no program can set: it moves with every write, and on the systems that
people train on with every renaming, so that neither `touch` nor two files that change places go
unseen. What changed within the clock's last tick may change once more and look the same, and is not
relied upon: see is_settled.
"""

import hashlib
import os
import stat
import time
from collections.abc import Iterable

import numpy as np

from convatlas.data.telling import Tally

# `stamp`: 128 bits of all the above; `length`: of the entry itself, which of a link is that of its
# target's name; `size`: of the file, -1 where it is none; device and inode: 0 for what is no file.
STATUS = np.dtype(
    [
        ("stamp", "<u8", 2),
        ("device", "<u8"),
        ("inode", "<u8"),
        ("length", "<i8"),
        ("size", "<i8"),
        ("changed", "<i8"),  # nanoseconds
    ]
)
TICK = 20_000_000  # nanoseconds, above the finest step of a system's clock
COARSE = 2_500_000_000  # the same where times are whole seconds, or two as on FAT
SECOND = 1_000_000_000
CHANGES = "st_mtime_ns" if os.name == "nt" else "st_ctime_ns"  # there the other is of its making


def status_of(path: str, name: str) -> tuple:
    """A row of STATUS for one file; `name` is what it is called in its set. Follows a link; raises
    OSError where there is no such entry.
    """
    status = os.lstat(path)
    length = status.st_size
    if stat.S_ISLNK(status.st_mode):
        try:
            status = os.stat(path)
        except OSError:  # it leads to nothing
            return stamp_of(name, length, status), 0, 0, length, -1, getattr(status, CHANGES)
    is_file = stat.S_ISREG(status.st_mode)
    return (
        stamp_of(name, length, status),
        status.st_dev if is_file else 0,
        status.st_ino if is_file else 0,
        length,
        status.st_size if is_file else -1,
        getattr(status, CHANGES),
    )


def stamp_of(name: str, length: int, status: os.stat_result) -> tuple[int, int]:
    text = (
        f"{name}\0{length} {status.st_size} {status.st_mtime_ns} {getattr(status, CHANGES)} "
        f"{status.st_ino} {stat.S_IFMT(status.st_mode)}"
    )
    digest = hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=16).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")


def statuses(
    root: str | os.PathLike, names: Iterable[str], counter: Tally, strict: bool = True
) -> np.ndarray:
    """STATUS (n,) of the files under `root`. Raises OSError where one is gone; not `strict`, zeros
    stand for it, which are no file's.
    """
    start = os.path.join(os.fspath(root), "")

    def each():
        for name in names:
            try:
                yield status_of(start + name, name)
            except OSError:
                if strict:
                    raise
                yield (0, 0), 0, 0, 0, -1, 0
            counter.add()

    return np.fromiter(each(), STATUS)


def is_settled(changed: int, looked_at: int) -> bool:
    """Whether what changed at the one time (nanoseconds) has, at the other, done so long enough ago
    that another change would show. Never where the clock has gone back.
    """
    return looked_at - changed > (TICK if changed % SECOND else COARSE)


def are_settled(changed: np.ndarray, looked_at: int) -> np.ndarray:
    """The same of many: bool (n,)."""
    return looked_at - changed > np.where(changed % SECOND, TICK, COARSE)


def now() -> int:
    """Nanoseconds, by the clock that files are dated by."""
    return time.time_ns()
