"""The class folders of the parts of a set: whether they agree, and what else is in them."""

import os
from collections import Counter
from pathlib import Path

from convatlas.data.errors import listed
from convatlas.data.image_file import EXTENSIONS
from convatlas.data.split_names import TRAIN
from convatlas.data.unread_kinds import kind_of
from convatlas.data.walk import Folder, is_junk, kinds, natural

EXTENSIONS_LISTED = " ".join(sorted(EXTENSIONS))
_FILL = f"add some ({EXTENSIONS_LISTED}) or remove the folder"
Troubles = list[tuple[Path, str]]  # (where, a predicate with the remedy after its last semicolon)


def compare_classes(parts: dict[str, Folder], missing_classes: str) -> tuple[Troubles, Troubles]:
    """(what keeps the classes of the parts from being used together, what is worth a note)."""
    troubles, notes = [], []
    for part, folder in parts.items():
        linked = [(inner.path, is_the_same(inner)) for inner in folder.visible() if inner.same_as]
        troubles += [*_twin_names(folder), *linked]
        if part == TRAIN:
            troubles += [
                (inner.path, f"holds no images{instead(inner)}; {_FILL}")
                for inner in folder.visible()
                if not inner.total and not inner.same_as
            ]
        elif not linked:
            trouble, note = _compare_with_train(part, folder, parts[TRAIN], missing_classes)
            troubles += [(folder.path, trouble)] if trouble else []
            notes += [(folder.path, note)] if note else []
        if folder.images:
            notes.append(
                (
                    folder.path,
                    f"holds {len(folder.images):,} images beside the class folders, which are not "
                    "used; move each into the folder of its class",
                )
            )
    return troubles, notes


def _compare_with_train(
    part: str, folder: Folder, train: Folder, missing_classes: str
) -> tuple[str, str]:
    """(a trouble, a note), each "" where there is none."""
    here = {inner.key: inner.name for inner in folder.holding()}
    classes = {inner.key: inner.name for inner in train.visible()}
    extra = [name for key, name in here.items() if key not in classes]
    lacking = [inner.name for inner in train.holding() if inner.key not in here]
    small = {name.casefold(): name for name in lacking}
    if capitals := [name for name in extra if name.casefold() in small]:
        pairs = " and ".join(f"{name!r} for {small[name.casefold()]!r}" for name in capitals)
        return f"spells classes with other capitals than train, {pairs}; rename them", ""
    both = (
        f"does not fit: the classes of {part} are not those of train: {listed(here.values())} in "
        f"{str(folder.path)!r}, {listed(classes.values())} in train"
    )
    if extra:
        places = listed(f"{folder.name}/{name}" for name in extra)
        return f"{both}; add images of {listed(extra)} to train, or remove {places}", ""
    if lacking and missing_classes == "error":
        return (
            f"{both}; add images of {listed(lacking)} to {part}, or allow a {part} set without "
            'them with --missing-classes allow (missing_classes="allow")',
            "",
        )
    lack = f"has no images of {listed(lacking)}; nothing is measured of these"
    return "", lack if lacking else ""


def _twin_names(folder: Folder) -> Troubles:
    """Class folders whose names are the same letters in other bytes: é, and e with an accent."""
    spellings: dict[str, list[str]] = {}
    for inner in folder.visible():
        spellings.setdefault(inner.key, []).append(inner.name)
    return [
        (
            folder.path,
            f"has two folders whose names look the same, {' and '.join(map(ascii, names))}; "
            "put their images into one",
        )
        for names in spellings.values()
        if len(names) > 1
    ]


def is_the_same(folder: Folder) -> str:
    """What is said of a link to a folder that was read under another name."""
    return (
        f"is a link to the folder that is read as {str(folder.same_as)!r} already; remove the "
        "link, or let it lead to other images"
    )


def instead(folder: Folder) -> str:
    """What a folder without images holds."""
    found = [name for inner in folder.below() if not inner.hidden for name in inner.others]
    return f" that can be read, but {kinds(found)}" if found and not folder.total else ""


def repeated_folders(classes: dict[str, Folder]) -> tuple[str, ...]:
    """Two names or more of folders that every class holds: perhaps these are the classes."""
    counted = Counter(inner.name for folder in classes.values() for inner in folder.holding())
    everywhere = [name for name, count in counted.items() if count == len(classes) > 1]
    return tuple(sorted(everywhere, key=natural)) if len(everywhere) > 1 else ()


def unread_images(folder: Folder) -> dict[str, list[Path]]:
    """The files in a folder that are images of a kind which is not read here, by extension; not
    those beside an image of the same name, of which they are another form.
    """
    found: dict[str, list[Path]] = {}
    for inner in folder.below():
        others = [name for name in inner.others if kind_of(name) and not is_junk(name)]
        if inner.hidden or not others:
            continue
        read = {os.path.splitext(name)[0] for name in inner.images}
        for name in others:
            stem, extension = os.path.splitext(name)
            if stem not in read:
                found.setdefault(extension.lower(), []).append(inner.path / name)
    return found
