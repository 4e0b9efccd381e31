"""What lies under a folder: every image, and every file that is none, without following a link into
a circle.
"""

import errno
import os
import re
import unicodedata
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from convatlas.data.image_file import EXTENSIONS
from convatlas.data.listing import Listing
from convatlas.data.names import Names
from convatlas.data.telling import Tally
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
    is_link: bool = False
    images: Sequence[str] = field(default_factory=list)  # in natural order
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

    def image_names(self) -> Sequence[str]:
        """Its images at any depth, relative to it, in natural order: 2.png before 10.png."""
        if self.total == len(self.images):
            return self.images
        start = len(os.path.join(self.path, "")) if self.path != Path() else 0
        found = list(self.images)
        for inner in self.below():
            if inner is not self:
                place = inner.path.as_posix()[start:]
                found += [f"{place}/{name}" for name in inner.images]
        return sorted(found, key=natural)

    def all_images(self) -> list[Path]:
        """The same as paths."""
        return [self.path / name for name in self.image_names()]


def refuse(path: Path, reason: str) -> None:
    """What a walk does by default about a folder that it cannot enter."""
    raise DataError(f"{str(path)!r} {reason}")


def walk(root: Path, complain: Complain = refuse, listing: Listing | None = None) -> Folder:
    """All that is under `root`. A folder that links reach more than once is entered once, and by
    its own name rather than by a link's.

    `complain(path, reason)` hears of each folder that cannot be read or lies too deep; by default
    it raises DataError. What `listing` knows is not read again.
    """
    top = Folder(root)
    folders, links, seen, all_folders = deque([top]), deque(), {}, []
    tally = Tally("listing the images", listing.images or None if listing else None)
    while folders or links:
        folder = folders.popleft() if folders else links.popleft()
        all_folders.append(folder)
        try:
            _fill(folder, seen, listing)
        except OSError as fault:
            complain(folder.path, _why(fault))
            continue
        if folder.depth > DEEPEST:
            complain(folder.path, f"lies more than {DEEPEST} folders deep; move it further up")
            folder.images, folder.others, folder.folders = [], [], []
            continue
        tally.add(len(folder.images))
        for inner in folder.folders:
            (links if inner.is_link else folders).append(inner)
    for folder in reversed(all_folders):
        folder.folders.sort(key=lambda inner: natural(inner.name))
        folder.total = len(folder.images) + sum(inner.total for inner in folder.folders)
    if listing:
        listing.keep(top.total)
    return top


def _fill(folder: Folder, seen: dict[tuple[int, int], Path], listing: Listing | None) -> None:
    """What is in a folder, unless it was met before."""
    status = folder.path.stat()
    first = seen.setdefault((status.st_dev, status.st_ino), folder.path)
    if first is not folder.path:
        folder.same_as = first
        return
    if listing and (known := listing.of(folder.path, status)):
        images, folder.others, names = known
        folder.images = Names.of(images)
        folder.folders = [_inner(folder, name) for name in names]
        return
    has_links = _scan(folder)
    if listing and not has_links:
        names = [inner.name for inner in folder.folders]
        listing.note(folder.path, status, (folder.images, folder.others, names))


def _inner(folder: Folder, name: str, is_link: bool = False) -> Folder:
    hidden = folder.hidden or is_junk(name)
    return Folder(folder.path / name, folder.depth + 1, hidden, is_link)


def _scan(folder: Folder) -> bool:
    """Reads a folder; whether there are links in it."""
    with os.scandir(folder.path) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    has_links = False
    for entry in found:
        is_link = entry.is_symlink()
        has_links |= is_link
        _add(folder, entry.name, _is_folder(entry), is_link)
    folder.images = Names.of(sorted(folder.images, key=natural))
    return has_links


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself: reading it will say so
        return False


def _add(folder: Folder, name: str, is_folder: bool, is_link: bool) -> None:
    junk = folder.hidden or is_junk(name)
    if is_folder and junk and (is_link or name.lower() in NOT_ENTERED):
        folder.others.append(name)
    elif is_folder:
        folder.folders.append(_inner(folder, name, is_link))
    elif not junk and os.path.splitext(name)[1].lower() in EXTENSIONS:
        folder.images.append(name)
    else:
        folder.others.append(name)


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
