"""Where it is kept what is known of a folder of images: in the user's cache, a folder for each.

What lies there is only ever a saving of time. A file that is damaged, cut short, or of another
folder says nothing, and where nothing can be written all is found out again each time.
"""

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from convatlas.machine import user_cache

DIGEST = 16  # bytes


def place_of(root: str | os.PathLike) -> Path | None:
    """The folder for what is known of `root`, which perhaps does not exist; None without a home."""
    name = hashlib.blake2b(os.fsencode(os.path.realpath(root)), digest_size=DIGEST).hexdigest()
    cache = user_cache()
    return cache / "checked" / name if cache else None


def keep(root: str | os.PathLike, name: str, content: bytes) -> None:
    """Writes a file whole or not at all, with a digest before it; in silence where that fails."""
    with contextlib.suppress(OSError):
        if (place := place_of(root)) is None:
            return
        place.mkdir(parents=True, exist_ok=True)
        handle, path = tempfile.mkstemp(dir=place, prefix=f".{name}-")
        try:
            with open(handle, "wb") as file:
                file.write(_digest(root, content))
                file.write(content)
            os.replace(path, place / name)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(path)


def kept(root: str | os.PathLike, name: str) -> bytes | None:
    """What `keep` wrote for this very folder; None where there is nothing, or it is damaged."""
    place = place_of(root)
    try:
        found = (place / name).read_bytes() if place else b""
    except OSError:
        return None
    digest, content = found[:DIGEST], found[DIGEST:]
    return content if digest == _digest(root, content) else None


def _digest(root: str | os.PathLike, content: bytes) -> bytes:
    digest = hashlib.blake2b(os.fsencode(os.path.realpath(root)) + b"\0", digest_size=DIGEST)
    digest.update(content)
    return digest.digest()


@contextlib.contextmanager
def alone(root: str | os.PathLike, waiting=lambda: None, pause: float = 0.2) -> Iterator[None]:
    """One process of a machine at a time; the others call waiting() every `pause` seconds. The end
    of a process, however it comes, lets the next one in. None waits where no file can be locked.
    """
    with contextlib.ExitStack() as stack:
        lock = _lock_file(root)
        if lock is not None:
            stack.callback(_unlock, lock)
            while not _locked(lock):
                waiting()
                time.sleep(pause)
        yield


def _lock_file(root: str | os.PathLike) -> int | None:
    try:
        import fcntl  # noqa: F401

        place = place_of(root)
        if place is None:
            return None
        place.mkdir(parents=True, exist_ok=True)
        return os.open(place / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except (ImportError, OSError):
        return None


def _unlock(lock: int) -> None:
    """Readers that were forked meanwhile have it open, too: it is not enough to close it."""
    import fcntl

    with contextlib.suppress(OSError):
        fcntl.flock(lock, fcntl.LOCK_UN)
    os.close(lock)


def _locked(lock: int) -> bool:
    """Whether it is ours now; True as well where the file system knows no locks."""
    import fcntl

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
