"""What lies under a folder: every image, and every file that is none, without following a link into
a circle.
"""

import errno
import os
import re
import stat
import unicodedata
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from convatlas.data.image_file import EXTENSIONS
from convatlas.errors import DataError

# Made by systems and programs, never by people; hidden files (.name) are junk too.
JUNK = frozenset({"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin"})
# Junk that is not even counted: it may hold every file of the disk once more, under other names.
NOT_ENTERED = frozenset({".git", ".hg", ".svn", ".snapshot", ".zfs", "$recycle.bin"})
DEEPEST = 100  # folders inside each other
KINDS_NAMED = 6

Complain = Callable[[Path, str], None]


@dataclass(eq=False)
class Folder:
    """One folder and what is in it, in order; links to folders come among `folders`."""

    path: Path
    depth: int = 0
    hidden: bool = False  # it or one around it is junk
    images: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    folders: list["Folder"] = field(default_factory=list)
    same_as: Path | None = None  # what it is a link to, where that was read already
    total: int = 0  # images in it and below

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def key(self) -> str:
        """Its name, the same whether an accent is a part of its letter or follows it."""
        return unicodedata.normalize("NFC", self.name)

    def visible(self) -> list["Folder"]:
        """The folders in it that are not junk."""
        return [folder for folder in self.folders if not folder.hidden]

    def holding(self) -> list["Folder"]:
        """The folders in it that hold images, themselves or below."""
        return [folder for folder in self.folders if folder.total]

    def below(self) -> Iterator["Folder"]:
        """This folder and all those under it, each before what it holds."""
        waiting = [self]
        while waiting:
            folder = waiting.pop()
            yield folder
            waiting += reversed(folder.folders)

    def all_images(self) -> list[Path]:
        """Its images at any depth, in natural order: 2.png before 10.png."""
        found = [folder.path / name for folder in self.below() for name in folder.images]
        return sorted(found, key=lambda path: natural(path.as_posix()))


def refuse(path: Path, reason: str) -> None:
    """What a walk does by default about a folder that it cannot enter."""
    raise DataError(f"{str(path)!r} {reason}")


def walk(root: Path, complain: Complain = refuse) -> Folder:
    """All that is under `root`. A folder that links reach more than once is entered once, and by
    its own name rather than by a link's.

    `complain(path, reason)` hears of each folder that cannot be read or lies too deep; by default
    it raises DataError.
    """
    top = Folder(root)
    folders, links, seen, all_folders = deque([top]), deque(), {}, []
    while folders or links:
        folder = folders.popleft() if folders else links.popleft()
        all_folders.append(folder)
        try:
            folder.same_as = _first_sight(folder.path, seen)
            entries = [] if folder.same_as else list(_entries(folder))
        except OSError as fault:
            complain(folder.path, _why(fault))
            continue
        if folder.depth > DEEPEST:
            complain(folder.path, f"lies more than {DEEPEST} folders deep; move it further up")
            continue
        for entry, is_folder in entries:
            _add(folder, entry, is_folder, folders, links)
    for folder in reversed(all_folders):
        folder.folders.sort(key=lambda inner: natural(inner.name))
        folder.total = len(folder.images) + sum(inner.total for inner in folder.folders)
    return top


def _first_sight(path: Path, seen: dict[tuple[int, int], Path]) -> Path | None:
    """Where this very folder was met before."""
    status = path.stat()
    first = seen.setdefault((status.st_dev, status.st_ino), path)
    return None if first is path else first


def _entries(folder: Folder) -> Iterator[tuple[os.DirEntry, bool]]:
    with os.scandir(folder.path) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            try:
                yield entry, entry.is_dir()
            except OSError:  # a link to itself: reading it will say so
                yield entry, False


def _add(folder: Folder, entry: os.DirEntry, is_folder: bool, folders: deque, links: deque) -> None:
    junk = folder.hidden or is_junk(entry.name)
    if is_folder and junk and (entry.is_symlink() or entry.name.lower() in NOT_ENTERED):
        folder.others.append(entry.name)
    elif is_folder:
        inner = Folder(folder.path / entry.name, folder.depth + 1, junk)
        folder.folders.append(inner)
        (links if entry.is_symlink() else folders).append(inner)
    elif not junk and os.path.splitext(entry.name)[1].lower() in EXTENSIONS:
        folder.images.append(entry.name)
    else:
        folder.others.append(entry.name)


def _why(fault: OSError) -> str:
    remedy = (
        "shorten the names of the folders around it"
        if fault.errno == errno.ENAMETOOLONG
        else "change its permissions"
    )
    return f"cannot be read ({fault.strerror}); {remedy}"


def is_junk(name: str) -> bool:
    """Whether a file or folder of this name is hidden, or left behind by a system."""
    return name.startswith(".") or name.lower() in JUNK


def natural(name: str) -> tuple:
    """A key by which "2" comes before "10", and capitals do not matter unless
    nothing else differs.
    """
    pieces = re.split(r"(\d+)", name.casefold())
    return [int(piece) if piece.isdecimal() else piece for piece in pieces], name


def kinds(names: Iterable[str]) -> str:
    """How many files there are of each kind, the commonest first: "58 .txt, 2 .xml". A name may be
    a path with slashes.
    """
    counted = Counter(_kind(name) for name in names).most_common()
    named = [f"{count:,} {kind}" for kind, count in counted[:KINDS_NAMED]]
    left = sum(count for _, count in counted[KINDS_NAMED:])
    return ", ".join([*named, f"{left:,} of other kinds"] if left else named)


def _kind(name: str) -> str:
    if any(is_junk(part) for part in name.split("/")):
        return "hidden"
    return ascii(os.path.splitext(name)[1].lower())[1:-1] or "without extension"


def file_identity(path: str | Path) -> tuple[int, int] | None:
    """What a file is, whatever its name: equal for a file, its hard links, and links to it. None
    for what is no file.
    """
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISREG(status.st_mode) else None
