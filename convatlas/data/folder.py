"""A folder of class folders: finding the images, and saying clearly what is wrong when it is not
one.
"""

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch

from convatlas.data import keyed_random
from convatlas.data.image_file import EXTENSIONS, MAX_MEGAPIXELS, read_header
from convatlas.data.split import Data, FileSplit, hold_out, require_enough
from convatlas.errors import DataError

PARTS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
JUNK = frozenset(
    {"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin"}
)  # hidden files are junk too
TEST_SHARE = 1 / 5
HEADERS = 2000  # looked at, at most, to tell a grey set from a coloured one
LAYOUT = """expected one folder for each class:
  FOLDER/cat/anything.jpg
  FOLDER/dog/anything.png
or the same inside FOLDER/train, FOLDER/val and FOLDER/test"""


@dataclass
class _Finds:
    """What a walk saw. Folders are known by device and inode, so that a loop of links is entered
    once.
    """

    seen: set[tuple[int, int]] = field(default_factory=set)
    ignored: list[Path] = field(default_factory=list)
    unreadable: list[OSError] | None = (
        None  # where a walk notes the folders it cannot list; None: it raises
    )


@contextlib.contextmanager
def _system_errors() -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise DataError(
            f"{str(fault.filename)!r} cannot be read ({fault.strerror}); change its permissions"
        ) from None


@_system_errors()
def open_folder(
    path: Path, seed: int, val_fraction: float, max_megapixels: float = MAX_MEGAPIXELS
) -> Data:
    """The three sets of a folder; open_data states the rules. Raises DataError showing the layout
    that is expected.
    """
    if not os.path.isdir(path):
        what = (
            "is a file; unpack it first"
            if os.path.exists(path)
            else "does not exist; check the path"
        )
        raise DataError(f"the folder {str(path)!r} {what}. {LAYOUT}")
    root = Path(os.path.realpath(path))
    parts = _parts(root)
    classes = _same_classes(parts)
    finds = _Finds(
        ignored=[stray for folder in {root, *parts.values()} for stray in _strays(folder)]
    )
    splits = {part: _find_split(root, folder, classes, finds) for part, folder in parts.items()}
    for split in splits.values():
        split.max_megapixels = max_megapixels
    channels = 1 if _all_grey(splits["train"]) else 3
    fingerprint = _fingerprint(splits)
    train, val, test = _complete(splits, classes, seed, val_fraction)
    ignored = tuple(
        p.relative_to(root).as_posix()
        for p in sorted(finds.ignored, key=lambda p: natural(p.as_posix()))
    )
    return Data(root.name, classes, channels, train, val, test, fingerprint, ignored)


@_system_errors()
def find_images(paths) -> list[Path]:
    """The images a user named, by file or by folder (searched to the bottom), each once, in the
    order given.

    Inside a folder the order is natural: 2.png before 10.png. A file named outright is kept
    whatever its extension. Raises DataError for a path that does not exist, and where nothing is
    found.
    """
    found: dict[Path, None] = {}
    for path in map(Path, [paths] if isinstance(paths, str | os.PathLike) else paths):
        path = path.expanduser()
        if os.path.isdir(path):
            inside = _sorted_under(path, _Finds())
            if not inside:
                raise DataError(
                    f"the folder {str(path)!r} holds no images; {_extensions()} are looked for"
                )
            found.update(dict.fromkeys(inside))
        elif os.path.lexists(path):
            found[path] = None
        else:
            raise DataError(f"the image {str(path)!r} does not exist; check the path")
    if not found:
        raise DataError("no image was named; give one or more files or folders")
    return list(found)


@dataclass(frozen=True)
class Layout:
    """A folder as it was found: as a set, if it is one, and every image in it, whether or not it
    belongs to one.
    """

    root: Path
    data: Data | None
    images: tuple[str, ...]  # relative to root
    ignored: tuple[str, ...]
    troubles: tuple[tuple[str, str], ...]  # (file or folder, what is wrong; the remedy)


def layout(path: Path, seed: int = 0, val_fraction: float = 0.1) -> Layout:
    """What open_folder makes of a folder, and all that it would complain of, at once. Raises
    nothing.
    """
    data, troubles, finds = None, [], _Finds(unreadable=[])
    root = Path(os.path.realpath(path))
    images = _sorted_under(root, finds) if os.path.isdir(root) else []
    try:
        data = open_folder(path, seed, val_fraction)
    except DataError as fault:
        said = " ".join(str(fault).partition(LAYOUT)[0].split()).rstrip(".,; ")
        hollow = _hollow(root, images) if os.path.isdir(root) else []
        troubles += [
            (str(folder), f"holds no images; add some ({_extensions()}) or remove the folder")
            for folder in hollow
        ]
        if not (finds.unreadable or (hollow and said.startswith("no images in"))):
            troubles.append((str(path), said))
    troubles += [
        (fault.filename, f"cannot be read ({fault.strerror}); change its permissions")
        for fault in finds.unreadable
    ]
    ignored = (
        data.ignored
        if data
        else tuple(entry.relative_to(root).as_posix() for entry in finds.ignored)
    )
    return Layout(
        root, data, tuple(p.relative_to(root).as_posix() for p in images), ignored, tuple(troubles)
    )


def _hollow(root: Path, images: list[Path]) -> list[Path]:
    """Class folders without an image."""
    try:
        parts = _parts(root).values()
        return [
            folder
            for part in parts
            for folder in _folders(part)
            if not any(image.is_relative_to(folder) for image in images)
        ]
    except (DataError, OSError):
        return []


def natural(name: str) -> tuple:
    """A key by which "2" comes before "10", and capitals do not matter unless
    nothing else differs.
    """
    pieces = re.split(r"(\d+)", name.casefold())
    return [int(piece) if piece.isdecimal() else piece for piece in pieces], name


def _parts(root: Path) -> dict[str, Path]:
    """{"train": ..., "val": ..., "test": ...}, with those that exist; the root itself is "train"
    where none does.

    A class may be called "train" (beside "bus" and "plane"), so the names count only where there
    are no others.
    """
    folders = _folders(root)
    if not folders or any(folder.name.lower() not in PARTS for folder in folders):
        return {"train": root}
    parts: dict[str, Path] = {}
    for folder in folders:
        if (part := PARTS[folder.name.lower()]) in parts:
            raise DataError(
                f"{str(root)!r} has two {part} folders, {parts[part].name!r} and "
                f"{folder.name!r}; keep one"
            )
        parts[part] = folder
    if "train" not in parts:
        raise DataError(f"{str(root)!r} has {_listed(parts)} but no folder 'train'; {LAYOUT}")
    return {part: parts[part] for part in ("train", "val", "test") if part in parts}


def _same_classes(parts: dict[str, Path]) -> tuple[str, ...]:
    classes = {
        part: tuple(folder.name for folder in _folders(path)) for part, path in parts.items()
    }
    for part, names in classes.items():
        if not names:
            loose = sum(stray.suffix.lower() in EXTENSIONS for stray in _strays(parts[part]))
            raise DataError(
                f"{str(parts[part])!r} holds no class folders, only {loose} loose images; {LAYOUT}"
            )
        if names != classes["train"]:
            raise DataError(
                f"the classes of {part} are not those of train: {_listed(names)} in "
                f"{str(parts[part])!r}, {_listed(classes['train'])} in train; make the folders "
                "agree"
            )
    if len(classes["train"]) == 1:
        raise DataError(
            f"{str(parts['train'])!r} holds one class only, {classes['train'][0]!r}; "
            f"a classifier needs two or more. {LAYOUT}"
        )
    return classes["train"]


def _find_split(root: Path, folder: Path, classes: tuple[str, ...], finds: _Finds) -> FileSplit:
    finds.seen |= {_identity(path) for path in (root, folder, *(folder / name for name in classes))}
    found = {name: _sorted_under(folder / name, finds) for name in classes}
    if empty := [name for name, images in found.items() if not images]:
        raise DataError(
            f"no images in {_listed(str(folder / name) for name in empty)}; "
            f"add images ({_extensions()}) or remove the folder"
        )
    labels = [label for label, name in enumerate(classes) for _ in found[name]]
    names = [image.relative_to(root).as_posix() for name in classes for image in found[name]]
    return FileSplit(root, torch.tensor(labels), names)


def _sorted_under(folder: Path, finds: _Finds) -> list[Path]:
    return sorted(_walk(folder, finds), key=lambda path: natural(path.as_posix()))


def _walk(folder: Path, finds: _Finds) -> Iterator[Path]:
    """All that looks like an image, at any depth; a pipe or a dead link too, for reading it will
    say what it is.
    """
    finds.seen.add(_identity(folder))
    for entry in _entries(folder, finds):
        if _is_junk(entry):
            finds.ignored.append(entry)
        elif entry.is_dir():
            if _identity(entry) in finds.seen:
                finds.ignored.append(entry)
            else:
                yield from _walk(entry, finds)
        elif entry.suffix.lower() in EXTENSIONS:
            yield entry
        else:
            finds.ignored.append(entry)


def _entries(folder: Path, finds: _Finds) -> list[Path]:
    try:
        return sorted(
            folder.iterdir(), key=lambda path: (path.is_symlink(), path.name)
        )  # the thing before its links
    except OSError as fault:
        if finds.unreadable is None:
            raise
        finds.unreadable.append(fault)
        return []


def _complete(
    splits: dict[str, FileSplit], classes: tuple[str, ...], seed: int, val_fraction: float
):
    """(train, val, test): what the folder does not part is held out of train."""
    held_out = ("test" not in splits) + ("val" not in splits and val_fraction > 0)
    require_enough(splits["train"], classes, parts=1 + held_out)
    train, test = splits["train"], splits.get("test")
    if test is None:
        train, test = hold_out(train, classes, TEST_SHARE * len(train), seed=0)
    val = splits.get("val")
    if val is None:
        train, val = hold_out(train, classes, val_fraction * len(train), seed)
    return train, val, test


def _all_grey(split: FileSplit) -> bool:
    readable = False
    for i in keyed_random.order(len(split), seed=0, epoch=0)[:HEADERS].tolist():
        try:
            grey, _, _ = read_header(split.root / split.names[i])
        except DataError:
            continue  # decoding will report it, with all the others
        if not grey:
            return False
        readable = True
    return readable


def _fingerprint(splits: dict[str, FileSplit]) -> str:
    """Over names, sizes and labels: enough to notice another set without reading
    all of this one.
    """
    digest = hashlib.sha256()
    for part, split in splits.items():
        for name, label in zip(split.names, split.labels.tolist(), strict=True):
            size = os.lstat(split.root / name).st_size
            digest.update(f"{part}\0{name}\0{size}\0{label}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _folders(root: Path) -> list[Path]:
    return sorted(
        (p for p in root.iterdir() if p.is_dir() and not _is_junk(p)), key=lambda p: natural(p.name)
    )


def _strays(root: Path) -> list[Path]:
    """What lies beside class folders and is none."""
    return [entry for entry in root.iterdir() if not entry.is_dir() or _is_junk(entry)]


def _is_junk(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower() in JUNK


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _listed(names) -> str:
    return ", ".join(map(repr, names))


def _extensions() -> str:
    return " ".join(sorted(EXTENSIONS))
