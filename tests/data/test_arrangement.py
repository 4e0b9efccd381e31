"""Folders of splits in every spelling and order: understood, or refused with the layout that is
expected. No network ever learns to tell "train" from "test".
"""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convatlas.data import check_data, open_data
from convatlas.data.arrangement import arrange
from convatlas.data.folder import LAYOUT
from convatlas.data.split_names import role_of, role_within
from convatlas.data.walk import Folder
from convatlas.errors import DataError

IN = {"cat": 6, "dog": 6}


def both(*splits: str, classes=("cat", "dog"), each: int = 6) -> dict[str, int]:
    return {f"{split}/{name}": each for split in splits for name in classes}


def loose(*folders: str) -> dict[str, int]:
    return dict.fromkeys(folders, 6)


# folders with the number of images in each -> where train, val and test come from; None: held out
UNDERSTOOD = {
    "plain": (both("train", "val", "test"), ("train", "val", "test")),
    "capitals": (both("TRAIN", "VAL"), ("TRAIN", "VAL", None)),
    "training and testing": (both("Training", "Testing"), ("Training", None, "Testing")),
    "valid": (both("train", "valid", "test"), ("train", "valid", "test")),
    "dev": (both("train", "dev"), ("train", "dev", None)),
    "eval": (both("train", "eval"), ("train", "eval", None)),
    "sets": (both("training_set", "test_set"), ("training_set", None, "test_set")),
    "glued": (both("trainset", "valset"), ("trainset", "valset", None)),
    "hyphens": (both("train-set", "test-set"), ("train-set", None, "test-set")),
    "camels": (both("TrainImages", "TestImages"), ("TrainImages", None, "TestImages")),
    "spaces": (both("train set", "test set"), ("train set", None, "test set")),
    "images": (both("train_images", "test_images"), ("train_images", None, "test_images")),
    "years": (both("train2017", "val2017"), ("train2017", "val2017", None)),
    "numbered": (both("train_1", "test_1"), ("train_1", None, "test_1")),
    "trainval": (both("trainval", "test"), ("trainval", None, "test")),
    "train and dev in one": (both("train+dev", "test"), ("train+dev", None, "test")),
    "medical": (both("imagesTr", "imagesTs"), ("imagesTr", None, "imagesTs")),
    "chinese": (both("训练集", "测试集"), ("训练集", None, "测试集")),
    "spanish": (both("entrenamiento", "validación"), ("entrenamiento", "validación", None)),
    "a common word": (both("birds_train", "birds_test"), ("birds_train", None, "birds_test")),
    "intel": (
        both("seg_train/seg_train", "seg_test/seg_test") | loose("seg_pred/seg_pred"),
        ("seg_train/seg_train", None, "seg_test/seg_test"),
    ),
    "wrapped": (both("train/images", "val/images"), ("train/images", "val/images", None)),
    "annotations beside": (both("train", "val") | {"annotations": 0}, ("train", "val", None)),
    "contest, loose": (both("train") | loose("test"), ("train", None, None)),
    "contest, unknown": (both("train") | loose("test/unknown"), ("train", None, None)),
    "contest, doubled": (both("train") | loose("test/test"), ("train", None, None)),
    "test1": (both("train") | loose("test1"), ("train", None, None)),
    "unlabeled": (both("train", "test") | loose("unlabeled"), ("train", None, "test")),
    "single prediction": (
        both("training_set", "test_set") | loose("single_prediction"),
        ("training_set", None, "test_set"),
    ),
    "something else beside": (both("train", "val") | loose("docs"), ("train", "val", None)),
    "the same once more beside": (
        both("train", "test", "chest/train", "chest/test"),
        ("train", None, "test"),
    ),
    "junk beside": (both("train", "val", "__MACOSX/train"), ("train", "val", None)),
    "train alone": (both("train"), ("train", None, None)),
    "a class called train": (loose("bus", "train", "plane"), ("", None, None)),
    "a class called test": (loose("control", "test"), ("", None, None)),
    "valid and invalid": (loose("valid", "invalid"), ("", None, None)),
    "trains of two kinds": (loose("steam_train", "bullet_train"), ("", None, None)),
    "words within": (loose("train_station", "test_tube", "crash_test"), ("", None, None)),
    "near words": (loose("contest", "latest", "trainers"), ("", None, None)),
    "deep classes": ({"cat/a": 3, "cat/b": 3, "dog/a/c": 6}, ("", None, None)),
}
REFUSED = {
    "train against test": (loose("train", "test"), "no class folders, only 6 loose images"),
    "loose sets": (loose("training_set", "test_set"), "only 6 loose images"),
    "loose with a word": (loose("cats_train", "cats_test"), "only 6 loose images"),
    "beside others": (loose("bus", "train", "test"), "the name of a split"),
    "an empty test": (both("train") | {"test": 0}, "holds no images; add some"),
    "an empty val": (both("train", "test") | {"val/cat": 0}, "then the val set is drawn"),
    "no train": (both("val", "test"), "no folder 'train'"),
    "only test": (both("test"), "no folder 'train'"),
    "two vals": (both("train", "val", "valid"), "'val', 'valid'; keep one"),
    "two trains": (both("train_1", "train_2"), "'train_1', 'train_2'; keep one"),
    "four domains": (both("trainA", "trainB", "testA", "testB"), "two test folders or more"),
    "folds": (both("fold1", "fold2", "fold3"), "folds or splits by number"),
    "folds otherwise": (both("1-fold", "2-fold"), "folds or splits by number"),
    "a fold beside": (both("train", "fold_1"), "folds or splits by number"),
    "misspelt": (both("train", "tset"), "does not say which split it is"),
    "an unknown split": (both("train", "test", "extra"), "rename it to val or test"),
    "a train that is parted": (both("train") | loose("bus", "plane"), "holds 'cat', 'dog'"),
    "by another name": (both("birds_train", "birds_more"), "by its name a split"),
    "class first": ({"cat/train": 6, "cat/val": 6, "dog/train": 6, "dog/val": 6}, "put the splits"),
    "class first, deeper": (
        {f"{name}/x/{part}": 3 for name in IN for part in ("train", "test")},
        "called as splits are",
    ),
    "test inside a class": ({"cat": 6, "cat/test": 6, "dog": 6}, "called as splits are"),
    "splits within a split": (loose("train/train", "train/test"), "where classes are expected"),
    "two sets": (both("archive/train", "archive/test", "old/train", "old/test"), "give one set"),
    "one down": (both("dataset/train", "dataset/val"), "/set/dataset', which holds 'train', 'val'"),
    "labels beside": (
        both("images/train", "images/val") | {"labels/train": 0, "labels/val": 0},
        "give",
    ),
    "twice": ({"set/cat": 6, "set/dog": 6}, "/set/set', which holds 'cat', 'dog'"),
    "thrice": ({"a/b/c/cat": 6, "a/b/c/dog": 6}, "/set/a/b/c', which holds 'cat', 'dog'"),
    "flat": (loose("."), "only 6 loose images"),
    "wrapped val": (both("train/a", "train/b") | loose("val/images"), "only 6 loose images"),
    "loose val": (both("train", "test") | loose("val"), "no class folders, only 6 loose"),
    "one class": (loose("cat"), "images of one class only, 'cat'"),
    "one class and an empty one": ({"cat": 6, "dog": 0}, "add images to 'dog'"),
    "an empty class": ({"cat": 6, "dog": 6, "cow": 0}, "cow' holds no images; add some"),
    "a class too many": (both("train") | both("val", classes=("cat", "dog", "owl")), "'val/owl'"),
    "a class too few": (both("train") | both("val", classes=("cat",)), "missing_classes"),
    "other classes": (both("train") | both("test", classes=("x", "y")), "classes of test are not"),
    "other capitals": (both("train") | both("val", classes=("Cat", "dog")), "'Cat' for 'cat'"),
}


@pytest.mark.parametrize("case", UNDERSTOOD)
def test_understood(make_folder, case):
    folders, places = UNDERSTOOD[case]
    root = make_folder(folders, size=(4, 4))
    data = open_data(root)
    assert not set(data.classes) & {"train", "val", "test"} or places[0] == ""
    for part, place in zip((data.train, data.val, data.test), places, strict=True):
        begins = f"{place if place is not None else places[0]}/".lstrip("/")
        assert all(name.startswith(begins) for name in part.names)
        if place:
            assert {name.split("/")[-2] for name in part.names} == set(data.classes) == set(IN)
    total = sum(folders.values())
    used = sum(len(part) for part in (data.train, data.val, data.test))
    assert total == used + len(data.ignored)  # none dropped without a name
    hidden = any(name.startswith("__MACOSX") for name in folders)
    assert bool(data.notes) == (bool(data.ignored) and not hidden)
    assert not check_data(root).problems


@pytest.mark.parametrize("case", REFUSED)
def test_refused(make_folder, case):
    folders, said = REFUSED[case]
    root = make_folder(folders, size=(4, 4))
    with pytest.raises(DataError) as refusal:
        open_data(root)
    message = str(refusal.value)
    assert said in message
    assert str(root) in message
    assert LAYOUT in message or "class" in case or "capitals" in case
    report = check_data(root)
    assert said in " ".join(found.sentence for found in report.problems)  # the same remedy
    assert all(found.remedy for found in report.problems)
    assert report.data is None


def test_there_are_enough_arrangements():
    assert len(UNDERSTOOD) + len(REFUSED) > 60


def test_the_way_down_that_is_shown_is_a_set(make_folder):
    root = make_folder(both("images/train", "images/val") | {"labels/train": 0, "labels/val": 0})
    with pytest.raises(DataError, match="/set/images', which holds 'train', 'val'"):
        open_data(root)
    assert open_data(root / "images").classes == ("cat", "dog")


def test_what_is_not_used_is_said_with_its_number(make_folder):
    root = make_folder(both("train") | loose("test"))
    (root / "train/cat/a.txt").touch()
    [note] = open_data(root).notes
    assert (note.file, "6 images" in note.problem) == ("test", True)
    assert "convatlas predict" in note.remedy


def test_images_beside_the_classes_are_said(make_folder):
    root = make_folder({"a": 4, "b": 4, ".": 2})
    [note] = open_data(root).notes
    assert "2 images beside the class folders" in note.problem


def test_folders_that_every_class_holds_may_be_the_classes(make_folder):
    root = make_folder({f"{camera}/{name}": 4 for camera in ("amazon", "webcam") for name in IN})
    [note] = open_data(root).notes
    assert "the same folders in every class, 'cat', 'dog'" in note.problem


@pytest.mark.parametrize(
    ("name", "role"),
    [
        *[
            (name, "train")
            for name in ("train", "Train ", "TRAIN_DATA", "trn", "data-train", "tra")
        ],
        *[(name, "val") for name in ("Validation", "val_images", "devset", "dev 2", "holdout")],
        *[(name, "test") for name in ("Test-Set", "testdata", "tst", "test (1)")],
        *[(name, "") for name in ("", "1", "cat", "trains", "attest", "tr", "va", "images", "set")],
    ],
)
def test_names_of_splits(name, role):
    assert role_of(name) == role


def test_a_word_among_others():
    assert role_within("seg_train") == ("train", ("seg",))
    assert role_within("asl_alphabet_test_images") == ("test", ("asl", "alphabet"))
    assert role_within("train_test_mix") == ("", ())
    assert role_within("train") == ("", ())


NAMES = [
    "train",
    "test",
    "val",
    "seg_train",
    "seg_test",
    "images",
    "labels",
    "pred",
    "fold1",
    "bus",
]
NAMES += ["cat", "dog", "Cat", "dev", "trainset", "test_set", ".cache", "train_2", "x", "data"]
trees = st.recursive(
    st.integers(0, 3),
    lambda inner: st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=16,
)


def planted(tree, path: Path = Path("/set"), hidden: bool = False) -> Folder:
    """A folder as a walk finds it; a number is that many images, and every fourth one besides."""
    hidden = hidden or path.name.startswith(".")
    folder = Folder(path, hidden=hidden)
    number = tree if isinstance(tree, int) else len(tree) // 4
    folder.images = [] if hidden else [f"{i}.png" for i in range(number)]
    if isinstance(tree, dict):
        folder.folders = [planted(tree[name], path / name, hidden) for name in sorted(tree)]
    folder.total = len(folder.images) + sum(inner.total for inner in folder.folders)
    return folder


@given(trees, st.sampled_from(["error", "allow"]))
@settings(max_examples=300, deadline=None)
def test_any_arrangement_is_refused_with_a_remedy_or_has_no_split_for_a_class(tree, missing):
    found = arrange(planted(tree), missing)
    if found.troubles:
        assert all("; " in reason for _, reason in found.troubles)
        return
    assert len(found.classes) > 1
    assert len({role_of(name) for name in found.classes} - {""}) < 2
    folders = [folder for classes in found.parts.values() for folder in classes.values()]
    images = [image for folder in folders for image in folder.all_images()]
    assert len(images) == len(set(images))  # none in two parts
    assert all(set(classes) <= set(found.classes) for classes in found.parts.values())
    inner = (f for folder in folders for f in folder.below() if f is not folder and f.total)
    assert not {role_of(folder.name) for folder in inner} & {"val", "test"}
