"""A folder of labelled images to measure a network with: all of it, under the network's classes.

Nothing is held out and nothing learnt, so that far less is asked of it than of a set for training:
it may have no train/, few classes, or one image of each.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import torch

from convatlas.data.image_file import MAX_MEGAPIXELS
from convatlas.data.split import ArraySplit, FileSplit, Split
from convatlas.data.split_names import TEST, TRAIN, VAL, role_of, role_within
from convatlas.data.walk import Folder, kinds, walk
from convatlas.errors import DataError

PARTS = (TRAIN, VAL, TEST)
NAMED = 20  # names in one sentence
LAYOUT = """expected one folder for each class, named as the network's classes are:
  FOLDER/cat/anything.jpg
  FOLDER/dog/anything.png
  or the same inside FOLDER/test, and FOLDER/train and FOLDER/val if they are there"""


@dataclass(frozen=True, eq=False)
class Labelled:
    """What can be measured of a folder."""

    name: str
    parts: dict[str, Split]  # "train", "val", "test", as far as they are there; else "all"
    notes: tuple[str, ...]  # what of the folder is not measured


def open_labelled(
    path: str | Path,
    classes: Sequence[str],
    max_megapixels: float = MAX_MEGAPIXELS,
    also: Mapping[str, int] = MappingProxyType({}),
) -> Labelled:
    """The images of a folder, each labelled with the number of its folder's name among `classes`.

    Folders named as splits are (test, val, train, in any spelling) are its parts; without any, all
    is one part. `also` are other names of classes, and their numbers. Raises DataError for a class
    that is not among `classes`, naming it, and for a folder without images.
    """
    path = Path(path).expanduser()
    if not path.is_dir():
        raise DataError(f"the folder {str(path)!r} does not exist, or is a file; {LAYOUT}")
    known = {**also, **_numbered(classes)}
    top = walk(path.resolve())
    parts = _parts(_unwrapped(top, known), known)
    if unknown := sorted(
        {f.name for part in parts.values() for f in _holding(part) if f.key not in known}
    ):
        raise DataError(
            f"{str(path)!r} has images of {_listed(unknown)}, which the network does not know; it "
            f"knows {_listed(classes)}. Rename or remove what it cannot answer"
        )
    splits = {name: _split(top.path, part, known) for name, part in parts.items()}
    splits = {name: split for name, split in splits.items() if len(split)}
    for split in splits.values():
        split.max_megapixels = max_megapixels
    if not splits:
        loose = sum(len(part.images) for part in parts.values())
        raise DataError(
            f"{str(path)!r} holds no class folders with images, only {loose:,} loose images and "
            f"{len(_others(top)):,} other files; {LAYOUT}"
        )
    return Labelled(top.path.name, splits, _notes(top, splits, parts))


def named_as(data_classes: Sequence[str], classes: Sequence[str], split: Split) -> Split:
    """A split of a set with other classes, or in another order, under the numbers of `classes`.

    Raises DataError for a class that is not among them, naming it.
    """
    known = _numbered(classes)
    if unknown := [name for name in data_classes if _key(name) not in known]:
        raise DataError(
            f"the network does not know {_listed(unknown)}; it knows {_listed(classes)}. Give "
            "images of these"
        )
    numbers = torch.tensor([known[_key(name)] for name in data_classes])
    return split.relabelled(numbers[split.labels])


def together(parts: Sequence[Split]) -> Split:
    """Several parts of one set as one split, one after the other."""
    if not isinstance(parts[0], ArraySplit):
        return type(parts[0]).joined(parts)
    labels = torch.cat([part.labels for part in parts])
    names = [name for part in parts for name in part.names]
    return ArraySplit(torch.cat([part.images for part in parts]), labels, names)


def _numbered(classes: Sequence[str]) -> dict[str, int]:
    return {_key(name): number for number, name in enumerate(classes)}


def _key(name: str) -> str:
    """The same for a name from a Mac, which writes é as e with an accent."""
    return unicodedata.normalize("NFC", name)


def _holding(folder: Folder) -> list[Folder]:
    return [inner for inner in folder.visible() if inner.total]


def _unwrapped(folder: Folder, known: dict[str, int]) -> Folder:
    """The folder that holds the classes or the splits: in an archive unpacked into a folder of its
    own name, one further down.
    """
    while len(inside := _holding(folder)) == 1 and not folder.images:
        only = inside[0]
        if only.key in known or role_of(only.name) in PARTS or not _holding(only):
            break
        folder = only
    return folder


def _parts(top: Folder, known: dict[str, int]) -> dict[str, Folder]:
    """{"test": ...}, with the splits that there are; {"all": top} where its folders are classes.

    A class may be called "train", so that a folder counts as a split only if the network knows no
    such class, or if it holds folders of its classes in its turn.
    """
    roles = {folder: _role(folder, known) for folder in _holding(top)}
    if linked := [inner for inner in top.visible() if inner.same_as]:
        raise DataError(
            f"{str(linked[0].path)!r} is a link to the folder that is read as "
            f"{str(linked[0].same_as)!r} already; remove the link"
        )
    if not any(roles.values()):
        return {"all": top}
    if others := [folder.name for folder, role in roles.items() if not role]:
        splits = [folder.name for folder, role in roles.items() if role]
        raise DataError(
            f"{str(top.path)!r} holds {_listed(splits)}, named as splits are, beside "
            f"{_listed(others)}; give one of them alone, or move {_listed(others)} elsewhere"
        )
    parts: dict[str, Folder] = {}
    for folder, role in roles.items():
        if role in parts:
            raise DataError(
                f"{str(top.path)!r} has two {role} folders, {parts[role].name!r} and "
                f"{folder.name!r}; keep one, or give one of them alone"
            )
        parts[role] = folder
    return {role: _unwrapped(parts[role], known) for role in PARTS if role in parts}


def _role(folder: Folder, known: dict[str, int]) -> str:
    parted = any(inner.key in known for inner in _holding(_unwrapped(folder, known)))
    if folder.key in known and not parted:
        return ""
    role = role_of(folder.name) or (role_within(folder.name)[0] if parted else "")
    return role if role in PARTS else ""


def _split(root: Path, part: Folder, known: dict[str, int]) -> FileSplit:
    folders = sorted(_holding(part), key=lambda folder: known[folder.key])
    found = [(known[folder.key], folder) for folder in folders]
    labels = [label for label, folder in found for _ in range(folder.total)]
    names = [
        f"{folder.path.relative_to(root).as_posix()}/{image}"
        for _, folder in found
        for image in folder.image_names()
    ]
    return FileSplit(root, torch.tensor(labels, dtype=torch.int64), names)


def _notes(top: Folder, splits: dict[str, Split], parts: dict[str, Folder]) -> tuple[str, ...]:
    notes = [
        f"in {str(part.path)!r}, images in no class folder are not measured: {len(part.images):,}"
        for part in parts.values()
        if part.images
    ]
    measured = sum(map(len, splits.values())) + sum(len(part.images) for part in parts.values())
    if left := top.total - measured:
        notes.append(f"in {str(top.path)!r}, images in hidden folders are not measured: {left:,}")
    if others := _others(top):
        notes.append(f"files that are no images are not measured: {kinds(others)}")
    return tuple(notes)


def _others(top: Folder) -> list[str]:
    return [name for folder in top.below() if not folder.hidden for name in folder.others]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(map(repr, names[:NAMED])) + more
