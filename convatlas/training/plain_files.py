"""The files of a run, which a stranger may have made: read where they are plain files of a sane
size, written whole and flushed, never through a link.

Every refusal is an OSError whose strerror says what was found.
"""

import contextlib
import errno
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

# On Windows whoever looks at a file, a virus scanner too, keeps it from being renamed meanwhile.
PATIENCE = (0.0, 0.1, 0.3, 0.6)  # seconds before each attempt
ROOM = 1.2  # free space wanted, as a multiple of what is about to be written
GUARDED = 0  # no link is followed, nothing waited for, no line ending changed: where the system can
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
    GUARDED |= getattr(os, _name, 0)
KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFREG: "a file",
}
NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)
JUNCTIONS = (getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", -1),)  # links to folders, on Windows


def kind(path: Path) -> str:
    """ "a file", "a folder", "a link", ..., or "" where nothing is, or could be."""
    try:
        found = os.lstat(path)
    except OSError as error:
        if error.errno in NOWHERE:
            return ""
        raise
    if getattr(found, "st_reparse_tag", 0) in JUNCTIONS:  # lstat calls it a folder
        return "a link"
    return KINDS.get(stat.S_IFMT(found.st_mode), "no file")


def read_plain(path: Path, limit: int) -> bytes:
    """The whole of a plain file of at most `limit` bytes; its size is looked at before it is
    read.
    """
    with open_plain(path, limit) as (file, size):
        return file.read(size)


@contextlib.contextmanager
def open_plain(path: Path, limit: int) -> Iterator[tuple[BinaryIO, int]]:
    """A plain file of at most `limit` bytes, and its size."""
    _require_file(path, kind(path) or "a file")
    with open(os.open(path, os.O_RDONLY | GUARDED), "rb") as file:
        found = os.fstat(file.fileno())
        _require_file(path, KINDS.get(stat.S_IFMT(found.st_mode), "no file"))
        if found.st_size > limit:
            raise OSError(
                errno.EFBIG,
                f"it has {found.st_size:,} bytes, more than the {limit:,} that it can need",
            )
        yield file, found.st_size


def _require_file(path: Path, found: str) -> None:
    if found != "a file":
        raise OSError(errno.EINVAL, f"it is {found} where a file should be", str(path))


def make_durably(folder: Path) -> None:
    """The folder, and those above it, where they are not there yet."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        flush_folder(folder.parent)


def write_durably(path: Path, content: bytes) -> None:
    """A new file, on the disk when this returns; FileExistsError where the name is taken, be it by
    a link.
    """
    with open(created(path, os.O_WRONLY), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def created(path: Path, access: int) -> int:
    """The handle of a new file, opened as os.O_WRONLY or os.O_RDWR; FileExistsError where the name
    is taken, be it by a link.
    """
    return os.open(path, access | os.O_CREAT | os.O_EXCL | GUARDED, 0o666)


def replace_durably(path: Path, content: bytes) -> None:
    """The old file or the new one, never a part of either."""
    temporary = path.with_name(f".tmp-{path.name}-{token()}")
    try:
        write_durably(temporary, content)
        replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def append_durably(path: Path, content: bytes) -> None:
    """Add to a plain file that has no other name outside; the first call makes it."""
    is_new = not kind(path)
    _require_file(path, kind(path) or "a file")
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | GUARDED
    with open(os.open(path, flags, 0o666), "ab") as file:
        if os.fstat(file.fileno()).st_nlink > 1:
            raise OSError(errno.EMLINK, "it has a second name elsewhere", str(path))
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        flush_folder(path.parent)


def has_second_name(path: Path) -> bool:
    """Whether another folder may show the same file, as a snapshot by `cp -al` does."""
    return bool(kind(path)) and os.lstat(path).st_nlink > 1


def replace(source: Path, target: Path) -> None:
    """os.replace, with patience."""
    for wait in PATIENCE:
        time.sleep(wait)
        try:
            return os.replace(source, target)
        except PermissionError as error:
            refused = error
    raise refused


def flush_folder(folder: Path) -> None:
    """The names in it, to the disk; nothing where the system knows no such thing."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows opens no folder
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network drives
            raise
    finally:
        os.close(handle)


def want_room(folder: Path, size: int) -> None:
    """OSError where the disk has too little room for files of so many bytes."""
    free = shutil.disk_usage(folder).free
    if free < ROOM * size:
        raise OSError(
            errno.ENOSPC,
            f"the disk is full: {ROOM * size / 1e6:.1f} MB are needed, {free / 1e6:.1f} MB are "
            "free",
        )


def token() -> str:
    """A part of a name that nobody can have taken in advance."""
    return secrets.token_hex(8)
