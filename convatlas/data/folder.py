"""A folder of class folders: finding the images, and saying clearly what is wrong when it is not
one.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from convatlas.data import keyed_random
from convatlas.data.arrangement import Arrangement, arrange
from convatlas.data.class_folders import (
    EXTENSIONS_LISTED,
    instead,
    repeated_folders,
    unread_images,
)
from convatlas.data.errors import listed
from convatlas.data.file_status import now, statuses
from convatlas.data.finding import Finding
from convatlas.data.fingerprint import fingerprint_of, older_fingerprints
from convatlas.data.image_file import EXTENSIONS, MAX_MEGAPIXELS, read_header
from convatlas.data.listing import Listing
from convatlas.data.names import Names
from convatlas.data.same_files import same_files, told
from convatlas.data.split import STATUSES, Data, FileSplit, complete, origins
from convatlas.data.telling import Tally
from convatlas.data.unread_kinds import kind_of
from convatlas.data.walk import JUNK, Folder, natural, walk
from convatlas.errors import DataError

HEADERS = 2000  # looked at, at most, to tell a grey set from a coloured one
EDITORS = frozenset({".ipynb_checkpoints"})  # keep copies of files in hidden folders of this name
LAYOUT = """expected one folder for each class:
  FOLDER/cat/anything.jpg
  FOLDER/dog/anything.png
  or the same inside FOLDER/train, FOLDER/val and FOLDER/test"""


@contextlib.contextmanager
def _system_errors() -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise DataError(
            f"{str(fault.filename)!r} cannot be read ({fault.strerror}); change its permissions"
        ) from None


@dataclass(frozen=True, eq=False)
class Parts:
    """A folder's images as they lie there, before anything is held out."""

    top: Folder
    arrangement: Arrangement
    splits: dict[str, FileSplit]  # train, and val and test where they are there
    begun: int  # when the folder was first looked at, in nanoseconds
    again: Callable[[], "Parts"]  # looks once more


@_system_errors()
def parts_of(
    path: Path, missing_classes: str, max_megapixels: float, test_from: str = "auto"
) -> Parts:
    """Raises DataError as open_folder does."""
    root, begun = _root(path), now()
    top = walk(root, listing=Listing(root))
    found = arrange(top, missing_classes, test_from)
    splits = _splits(top, found)
    if found.troubles:
        raise _error_of(found)
    for split in splits.values():
        split.max_megapixels = max_megapixels
    again = partial(parts_of, root, missing_classes, max_megapixels, test_from)
    return Parts(top, found, splits, begun, again)


@_system_errors()
def open_folder(
    path: Path,
    seed: int,
    val_fraction: float,
    missing_classes: str = "error",
    max_megapixels: float = MAX_MEGAPIXELS,
    test_from: str = "auto",
) -> Data:
    """The three sets of a folder; open_data states the rules. Raises DataError showing the layout
    that is expected.
    """
    parts = parts_of(path, missing_classes, max_megapixels, test_from)
    return _data(parts, seed, val_fraction)


def _root(path: Path) -> Path:
    if not os.path.isdir(path):
        what = (
            "is a file; unpack it first"
            if os.path.exists(path)
            else "does not exist; check the path"
        )
        raise DataError(f"the folder {str(path)!r} {what}. {LAYOUT}")
    return Path(os.path.realpath(path))


def _error_of(found: Arrangement) -> DataError:
    sentences = [f"{str(place)!r} {reason}" for place, reason in found.troubles]
    return DataError("\n  ".join(sentences) + ("" if found.parts else f". {LAYOUT}"))


def _splits(top: Folder, found: Arrangement) -> dict[str, FileSplit]:
    """The parts of a set as they lie there; none where it has troubles. One file in two of them is
    one more trouble.
    """
    if found.troubles:
        return {}
    splits = {
        part: _split(top.path, found.classes, folders) for part, folders in found.parts.items()
    }
    leaks = [same for same in same_files(splits) if same.leaks]
    for same in leaks[:1]:
        more = f" (and so are {len(leaks) - 1:,} others)" if len(leaks) > 1 else ""
        found.troubles.append(
            (
                top.path / same.name,
                f"is the same file as {str(top.path / same.first)!r}, by a link or a hard "
                f"link{more}: what measures must not be learnt; remove one of the two",
            )
        )
    return splits


def _data(parts: Parts, seed: int, val_fraction: float) -> Data:
    top, found, splits = parts.top, parts.arrangement, parts.splits
    fingerprint = fingerprint_of(splits, parts.begun)
    train, val, test = complete(splits, found.classes, seed, val_fraction)
    problems, notes = _findings(top, found, {"train": train, "val": val, "test": test})
    return Data(
        top.path.name,
        found.classes,
        channels_of(splits["train"]),
        train,
        val,
        test,
        fingerprint,
        _ignored(top, {id(inner) for inner in _of_classes(found)}),
        older_fingerprints=partial(_older, parts.again, fingerprint),
        problems=problems,
        notes=notes,
        splits=origins(splits, val_fraction),
    )


def _older(again: Callable[[], Parts], fingerprint: str) -> Sequence[str]:
    """By older rules: few ask, and until then nobody keeps what is known of all files. () where the
    images are no longer those of `fingerprint`. Raises DataError where they cannot be opened.
    """
    parts = again()
    if fingerprint_of(parts.splits, parts.begun) != fingerprint:
        return ()
    return older_fingerprints(parts.splits, parts.begun)


def _split(root: Path, classes: tuple[str, ...], folders: dict[str, Folder]) -> FileSplit:
    labels, parts = [np.zeros(0, np.int64)], []
    for label, name in enumerate(classes):
        if name in folders:
            place = _within(root, folders[name].path)
            parts.append(Names.of(f"{place}/{image}" for image in folders[name].image_names()))
            labels.append(np.full(len(parts[-1]), label, np.int64))
    names = Names.joined(parts)
    files = statuses(root, names, Tally(STATUSES, len(names)))
    return FileSplit(root, torch.from_numpy(np.concatenate(labels)), names, files=files)


def _of_classes(found: Arrangement) -> Iterator[Folder]:
    """The folders all images of which are used."""
    for folders in found.parts.values():
        for folder in folders.values():
            yield from folder.below()


def _within(root: Path, path: Path) -> str:
    """path.relative_to(root).as_posix(), many times faster; "" for root itself."""
    if path == root or root == Path():
        return "" if path == root else path.as_posix()
    return path.as_posix()[len(root.as_posix().rstrip("/")) + 1 :]


def _findings(
    top: Folder, found: Arrangement, final: dict[str, FileSplit]
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """(problems, notes) of a set that can be used."""

    problems = [
        Finding.of(_within(top.path, place) or ".", reason) for place, reason in _unread(found)
    ]
    notes = [*found.notes, *_hidden(top), *_resembling(top, found)]
    notes = [Finding.of(_within(top.path, place) or ".", reason) for place, reason in notes]
    same_problems, same_notes = told(same_files(final))
    return (*problems, *same_problems), (*notes, *same_notes)


def _unread(found: Arrangement) -> Iterator[tuple[Path, str]]:
    """What is in class folders and looks like an image, but is of no kind that is read."""
    by_extension: dict[str, list[Path]] = {}
    for folders in found.parts.values():
        for folder in folders.values():
            for extension, files in unread_images(folder).items():
                by_extension.setdefault(extension, []).extend(files)
    for extension, files in by_extension.items():
        kind = kind_of(files[0])
        others = f"and {len(files) - 1:,} other {extension} files are" if len(files) > 1 else "is"
        yield files[0], f"{others} not used, for this kind ({kind.name}) is not read; {kind.remedy}"


def _hidden(top: Folder) -> Iterator[tuple[Path, str]]:
    """Hidden folders that hold images, perhaps by mistake."""
    for folder in top.below():
        for inner in folder.folders if not folder.hidden else ():
            if not inner.hidden or inner.name.lower() in JUNK | EDITORS:
                continue
            images = sum(
                Path(name).suffix.lower() in EXTENSIONS and not name.startswith(".")
                for one in inner.below()
                for name in one.others
            )
            if images:
                yield (
                    inner.path,
                    f"is hidden, and its {images:,} images are not used; rename it if they belong "
                    "to the set",
                )


def _resembling(top: Folder, found: Arrangement) -> Iterator[tuple[Path, str]]:
    """What may be meant otherwise: classes called alike, and folders that may be the classes."""
    spellings: dict[str, list[str]] = {}
    for name in found.classes:
        spellings.setdefault(name.casefold(), []).append(name)
    for names in spellings.values():
        if len(names) > 1:
            yield top.path, f"has classes that differ in capitals only, {listed(names)}"
    if same := repeated_folders(found.parts["train"]):
        yield (
            top.path,
            f"holds the same folders in every class, {listed(same)}; if these are the classes, "
            "put them outside",
        )


def _ignored(top: Folder, used: set[int] | None = None) -> tuple[str, ...]:
    """All files but the images of the folders with these ids, or but all images; and folders that
    were read under another name already.
    """
    found = []
    for folder in top.below():
        place = _within(top.path, folder.path)
        images = [] if used is None or id(folder) in used else folder.images
        inside = (*images, *folder.others)
        found += [f"{place}/{name}" for name in inside] if place else inside
        found += [place] if folder.same_as else []
    return tuple(sorted(found, key=natural))


@_system_errors()
def find_images(paths) -> list[Path]:
    """The images a user named, by file or by folder (searched to the bottom), each once, in the
    order given.

    Inside a folder the order is natural: 2.png before 10.png. A file named outright is kept
    whatever its extension. Raises DataError for a path that does not exist, and where nothing is
    found.
    """
    return look_for_images(paths)[0]


@_system_errors()
def look_for_images(paths) -> tuple[list[Path], list[str]]:
    """(what find_images finds, the other files in these folders, relative to each)."""
    found: dict[Path, None] = {}
    ignored: list[str] = []
    for path in map(Path, [paths] if isinstance(paths, str | os.PathLike) else paths):
        path = path.expanduser()
        if os.path.isdir(path):
            images, others = _images_under(path)
            found.update(dict.fromkeys(images))
            ignored += others
        elif os.path.lexists(path):
            found[path] = None
        else:
            raise DataError(f"the image {str(path)!r} does not exist; check the path")
    if not found:
        raise DataError("no image was named; give one or more files or folders")
    return list(found), ignored


def _images_under(path: Path) -> tuple[list[Path], tuple[str, ...]]:
    top = walk(path)
    if not top.total:
        raise DataError(
            f"the folder {str(path)!r} holds no images{instead(top)}; {EXTENSIONS_LISTED} are "
            "looked for"
        )
    return top.all_images(), _ignored(top)


@dataclass(frozen=True)
class Layout:
    """A folder as it was found: as a set, if it is one, and every image in it, whether or not it
    belongs to one.
    """

    root: Path
    data: Data | None
    images: Names  # relative to root
    ignored: tuple[str, ...]
    troubles: tuple[tuple[str, str], ...]  # (file or folder, or "" where it is said, what is wrong)


def layout(path: Path, missing_classes: str = "error", test_from: str = "auto") -> Layout:
    """What open_folder makes of a folder, and all that it would complain of, at once. Raises
    nothing.
    """
    troubles: list[tuple[str, str]] = []
    root, begun = Path(os.path.realpath(path)), now()
    try:
        top = walk(
            _root(path),
            lambda place, reason: troubles.append((str(place), reason)),
            Listing(root),
        )
    except DataError as fault:
        return Layout(root, None, Names.of(()), (), (("", _without_layout(fault)),))
    data = None
    found = arrange(top, missing_classes, test_from)
    splits = _splits(top, found)
    troubles += [(str(place), reason) for place, reason in found.troubles]
    if not troubles:
        try:
            with _system_errors():
                again = partial(parts_of, root, missing_classes, MAX_MEGAPIXELS, test_from)
                parts = Parts(top, found, splits, begun, again)
                data = _data(parts, seed=0, val_fraction=0.1)
        except DataError as fault:
            troubles.append(("", _without_layout(fault)))
    ignored = data.ignored if data else _ignored(top)
    return Layout(root, data, Names.of(top.image_names()), ignored, tuple(troubles))


def _without_layout(fault: DataError) -> str:
    return " ".join(str(fault).partition(LAYOUT)[0].split()).rstrip(".,; ")


def channels_of(train: FileSplit) -> int:
    """1 where all images are grey, else 3."""
    return 1 if _all_grey(train) else 3


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
