"""Plain files that others may have made: nothing is opened that gives bytes for ever, or waits for
ever.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def open_regular(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """The file, open for reading, and its size in bytes. A link is followed.

    Raises OSError, whose strerror says why, for what cannot be opened or is no plain file.
    """
    if os.path.isdir(path):
        raise OSError(errno.EISDIR, "it is a folder, not a file", str(path))
    with open(path, "rb", opener=without_waiting) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is a pipe or a device, not a file", str(path))
        yield file, status.st_size


def read_regular(path: Path, limit: int) -> bytes:
    """The whole of a plain file. Raises OSError as open_regular does, and for more than `limit`
    bytes.
    """
    with open_regular(path) as (file, size):
        if size > limit:
            raise OSError(errno.EFBIG, f"it has {size:,} bytes, more than {limit:,}", str(path))
        return file.read(limit)


def without_waiting(path: str, flags: int) -> int:
    """An opener: of a pipe, too, that nobody writes to, so that it can be refused."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
