"""Which folders are the parts of a set, and which are its classes. Where that is in doubt, the
layout is refused: a network must never learn to tell "train" from "test".
"""

from dataclasses import dataclass, field

from convatlas.data.class_folders import (
    EXTENSIONS_LISTED,
    Troubles,
    compare_classes,
    instead,
    is_the_same,
    repeated_folders,
)
from convatlas.data.errors import listed
from convatlas.data.split_names import (
    FOLD,
    TEST,
    TRAIN,
    UNLABELLED,
    VAL,
    is_wrapper,
    role_of,
    role_within,
)
from convatlas.data.walk import Folder


@dataclass
class Arrangement:
    """A folder as a set, or why it is none."""

    parts: dict[str, dict[str, Folder]] = field(default_factory=dict)  # train first; of each class
    classes: tuple[str, ...] = ()  # as train spells them
    troubles: Troubles = field(default_factory=list)  # for these it cannot be used
    notes: Troubles = field(default_factory=list)


class _Refused(Exception):
    """A folder in which no parts or no classes can be made out."""

    def __init__(self, folder: Folder, reason: str):
        super().__init__(folder.path, reason)


def arrange(top: Folder, missing_classes: str = "error", look_deeper: bool = True) -> Arrangement:
    """The parts of a folder and their classes. Raises nothing: see `troubles`.

    `missing_classes` = "allow" takes val and test folders without some of train's classes.
    """
    found = Arrangement()
    try:
        parts = _label(_parts(top, found), found)
        _require_two_classes(parts[TRAIN], look_deeper)
        _require_no_splits_inside(parts)
    except _Refused as fault:
        found.troubles.append(fault.args)
        return found
    troubles, notes = compare_classes(parts, missing_classes)
    found.troubles += troubles
    found.notes += notes
    classes = {folder.key: folder.name for folder in parts[TRAIN].visible()}
    found.classes = tuple(classes.values())
    for part, folder in parts.items():
        folders = {inner.key: inner for inner in folder.visible()}
        found.parts[part] = {
            name: folders[key]
            for key, name in classes.items()
            if key in folders and folders[key].total
        }
    return found


def take_val_as_test(top: Folder, found: Arrangement) -> None:
    """val/ becomes the test set; a trouble where it is in doubt that it is one."""
    said = '--test-from val (test_from="val")'
    if found.troubles:
        return
    if TEST in found.parts:
        why = f"has a test set of its own; leave {said} out, or move that elsewhere"
    elif VAL not in found.parts:
        why = f"has no val folder to be the test set; leave {said} out to test on a fifth of train"
    else:
        found.parts[TEST] = found.parts.pop(VAL)
        return
    found.troubles.append((top.path, why))


def _parts(top: Folder, found: Arrangement) -> dict[str, Folder]:
    """{"train": ..., "val": ..., "test": ...}, with those that exist; `top` itself is "train" where
    its folders are classes.

    A class may be called "train" (beside "bus" and "plane"), so one such name among others counts
    only where the folder holds folders of images in its turn.
    """
    roles = _roles(top)
    others = [folder for folder in top.visible() if folder not in roles and folder.total]
    certain = len(set(roles.values())) > 1 or not others
    if not roles or not (certain or any(map(_is_parted, roles))):
        _require_no_split_by_another_name(top)
        return {TRAIN: top}
    parts: dict[str, Folder] = {}
    for folder, role in roles.items():
        if role == FOLD or (role in parts and role != UNLABELLED):
            _refuse_several(top, role, [one for one in roles if roles[one] == role])
        if folder.same_as:
            raise _Refused(folder, is_the_same(folder))
        if role == UNLABELLED:
            found.notes.append((folder.path, _not_used(folder, "its name says it has no labels")))
        parts[role] = folder
    if TRAIN not in parts:
        names = listed(folder.name for folder in roles)
        raise _Refused(top, f"has {names} but no folder 'train'; name the one to learn from so")
    train = parts[TRAIN] = _unwrapped(parts[TRAIN], ())
    names = {folder.key for folder in train.visible()}
    for folder in others:
        _place(folder, roles, names, top, found)
    return {part: _unwrapped(parts[part], names) for part in (TRAIN, VAL, TEST) if part in parts}


def _roles(top: Folder) -> dict[Folder, str]:
    """The folders whose names are those of splits: alone, or in pairs such as seg_train and
    seg_test.
    """
    folders = top.visible()
    roles = {folder: role for folder in folders if (role := role_of(folder.name))}
    within = {folder: role_within(folder.name) for folder in folders if folder not in roles}
    within = {folder: (role, rest) for folder, (role, rest) in within.items() if role}
    left = [folder for folder in folders if folder.total and folder not in {**roles, **within}]
    mixed = len({*roles.values(), *(role for role, _ in within.values())}) > 1
    for folder, (role, rest) in within.items():
        pair = any(rest == other and role != its for its, other in within.values())
        if pair or (roles and mixed and not left):
            roles[folder] = role
    return roles


def _refuse_several(top: Folder, role: str, folders: list[Folder]) -> None:
    names = listed(folder.name for folder in folders)
    if role == FOLD:
        raise _Refused(
            top,
            f"holds folds or splits by number ({names}); give one that holds train and val, or put "
            "together FOLDER/train and FOLDER/val from them",
        )
    raise _Refused(
        top,
        f"has two {role} folders or more, {names}; keep one, or rename them if they are classes",
    )


def _place(
    folder: Folder, roles: dict[Folder, str], names: set[str], top: Folder, found: Arrangement
) -> None:
    """A folder of images beside those of the splits: not used, unless it may be a split, too, or
    the others no splits.
    """
    splits = listed(split.name for split in roles)
    parted = [split for split in roles if _is_parted(split)]
    if {inner.key for inner in folder.holding()} & names:
        raise _Refused(
            folder,
            f"holds the same class folders as the splits beside it ({splits}), and its name does "
            "not say which split it is; rename it to val or test, or move it elsewhere",
        )
    if len(set(roles.values())) == 1 or not parted:
        holds = (
            f" (it holds {listed(inner.name for inner in parted[0].holding())})" if parted else ""
        )
        raise _Refused(
            top,
            f"holds {splits}, the name of a split{holds}, beside {folder.name!r}, which holds "
            f"{folder.total:,} images; move {folder.name!r} elsewhere, or rename {splits} if these "
            "are classes",
        )
    found.notes.append((folder.path, _not_used(folder, "it is neither train, val nor test")))


def _require_no_split_by_another_name(top: Folder) -> None:
    """birds_train and birds_extra that hold the same folders are no two classes."""
    like = [folder.name for folder in top.holding() if role_within(folder.name)[0]]
    if like and (same := repeated_folders({folder.name: folder for folder in top.holding()})):
        raise _Refused(
            top,
            f"holds {listed(like)}, by its name a split, beside others with the same folders "
            f"({listed(same)}); name the splits train, val and test, or rename {listed(like)} if "
            "these are classes",
        )


def _is_parted(folder: Folder) -> bool:
    """Whether its images lie in folders of their own, mostly, as those of a split do."""
    return folder.total - len(folder.images) > len(folder.images)


def _unwrapped(folder: Folder, classes) -> Folder:
    """The folder that holds the classes: seg_train/seg_train, train/images."""
    while len(folder.holding()) == 1 and not folder.images:
        inner = folder.holding()[0]
        says_nothing = (
            inner.name.casefold() == folder.name.casefold()
            or role_of(inner.name) == role_of(folder.name) != ""
            or is_wrapper(inner.name)
        )
        if not says_nothing or not inner.holding() or inner.key in classes:
            break
        folder = inner
    return folder


def _label(parts: dict[str, Folder], found: Arrangement) -> dict[str, Folder]:
    """The parts whose images have classes. A test folder without class folders is what contests
    give out: it measures nothing.
    """
    known = {folder.key for folder in parts[TRAIN].visible()}
    labelled = dict(parts)
    for part, folder in parts.items():
        holding = folder.holding()
        if part == TRAIN and not folder.visible():
            raise _Refused(folder, _no_classes(folder))
        if part != TRAIN and not folder.total:
            raise _Refused(
                folder,
                f"holds no images{instead(folder)}; add some ({EXTENSIONS_LISTED}) or remove the "
                f"folder: then the {part} set is drawn from train",
            )
        strange = not any(inner.key in known for inner in holding) and len(holding) <= 1
        if part == TEST and strange:
            found.notes.append((folder.path, _not_used(folder, "it has no class folders")))
            del labelled[TEST]
        elif part == VAL and strange and all(is_wrapper(inner.name) for inner in holding):
            raise _Refused(folder, _no_classes(folder))
    return labelled


def _not_used(folder: Folder, why: str) -> str:
    return (
        f"is not used, for {why} ({folder.total:,} images); `convatlas predict RUN FOLDER` "
        "classifies such images after training"
    )


def _no_classes(folder: Folder) -> str:
    return (
        f"holds no class folders, only {folder.total:,} loose images{instead(folder)}; make "
        "a folder for each class and move its images there"
    )


def _require_two_classes(train: Folder, look_deeper: bool) -> None:
    holding = train.holding()
    if len(holding) != 1 or any(inner.same_as for inner in train.visible()):
        return
    empty = listed(inner.name for inner in train.visible() if not inner.total)
    if deeper := _nearest_set(holding[0]) if look_deeper else None:
        remedy = (
            f"give {str(deeper.path)!r}, which holds {listed(f.name for f in deeper.holding())}"
        )
    elif empty:
        remedy = f"add images to {empty}"
    else:
        remedy = "add a folder for each of the others"
    raise _Refused(
        train,
        f"holds images of one class only, {holding[0].name!r}, and a classifier needs two or more; "
        + remedy,
    )


def _nearest_set(folder: Folder) -> Folder | None:
    """The first folder at or below this one that is a set, as in an archive unpacked into a folder
    of its own name.
    """
    while True:
        if not arrange(folder, look_deeper=False).troubles:
            return folder
        if len(folder.holding()) != 1:
            return None
        folder = folder.holding()[0]


def _require_no_splits_inside(parts: dict[str, Folder]) -> None:
    """cat/train and cat/val would be mixed, and what is tested learnt."""
    for folder in parts.values():
        names = [inner.name for inner in folder.holding() if role_of(inner.name)]
        if len(set(map(role_of, names))) > 1:
            raise _Refused(
                folder,
                f"holds {listed(names)}, the names of splits, where classes are expected; put the "
                "splits outside, or rename these folders if they are classes",
            )
        for of_class in folder.holding():
            inside = {
                inner.name: role_of(inner.name)
                for inner in of_class.below()
                if inner is not of_class and inner.total
            }
            if {VAL, TEST} & set(inside.values()):
                names = listed(sorted(name for name, role in inside.items() if role))
                raise _Refused(
                    of_class,
                    f"is a class by its place, and holds folders called as splits are, {names}; "
                    f"put the splits outside, train/{of_class.name} and so on, or give one set "
                    "alone",
                )
