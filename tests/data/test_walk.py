"""Every file that is under a folder, however it is called and however deep it lies."""

import os
import unicodedata
from pathlib import Path

import pytest

from convatlas.cli import run as command
from convatlas.data import check_data, find_images, open_data
from convatlas.data.folder import look_for_images
from convatlas.data.unread_kinds import kind_of
from convatlas.data.walk import DEEPEST, kinds, walk
from convatlas.errors import DataError


def deepened(folder: Path, levels: int) -> None:
    """Folders inside each other; each is made from the one around it, for the whole path may be
    longer than a system takes.
    """
    back = os.open(".", os.O_RDONLY)
    try:
        os.chdir(folder)
        for _ in range(levels):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.fchdir(back)
        os.close(back)


def flattened(folder: Path, levels: int) -> None:
    """Takes them away again, from the bottom: shutil.rmtree would call itself too often."""
    descriptors = [os.open(folder, os.O_RDONLY)]
    for _ in range(levels):
        descriptors.append(os.open("d", os.O_RDONLY, dir_fd=descriptors[-1]))
    for inner, outer in zip(descriptors[:0:-1], descriptors[-2::-1], strict=True):
        os.close(inner)
        os.rmdir("d", dir_fd=outer)
    os.close(descriptors[0])


@pytest.mark.skipif(not hasattr(os, "fchdir"), reason="folders so deep cannot be made here")
@pytest.mark.parametrize("levels", [200, 900])
def test_a_deep_tree_is_one_sentence_that_names_the_folder(make_folder, levels):
    root = make_folder({"a": 4, "b": 4})
    deepened(root / "a", levels)
    try:
        for use in (open_data, find_images):
            with pytest.raises(DataError, match=r"/d' lies more than 100 folders deep; move it"):
                use(root)
        [problem] = check_data(root).problems
        assert problem.problem == f"lies more than {DEEPEST} folders deep"
        assert command(["check-data", str(root)]) == 1
    finally:
        flattened(root / "a", levels)


def test_a_tree_of_the_depth_that_is_allowed(make_folder):
    root = make_folder({"a": 4, "b": 4, "a/" + "/".join("d" * (DEEPEST - 1)): 1})
    data = open_data(root)
    assert sum(map(len, (data.train, data.val, data.test))) == 9


def test_links_in_a_circle_end(make_folder):
    root = make_folder({"a": 4, "b": 4})
    (root / "a/up").symlink_to(root, target_is_directory=True)
    (root / "b/self.png").symlink_to("self.png")
    (root / "one").symlink_to("two")
    (root / "two").symlink_to("one")
    assert walk(root).total == 9
    [problem] = check_data(root).problems
    assert problem.file == "b/self.png"


def test_names_that_are_not_text(make_folder, capsys):
    root = make_folder({"a": 4, "b": 4})
    strange = [
        os.fsdecode(b"caf\xe9.png"),
        "new\nline.png",
        "tab\t.txt",
        os.fsdecode(b"\xff.t\xe9"),
    ]
    for name in strange[:2]:
        (root / "a" / name).write_bytes((root / "b/0.png").read_bytes())
    for name in strange[2:]:
        (root / "a" / name).touch()
    data = open_data(root)
    assert len(data.train) + len(data.val) + len(data.test) == 10
    assert data.ignored_kinds in ("1 .txt, 1 .t\\udce9", "1 .t\\udce9, 1 .txt")
    assert command(["check-data", str(root)]) == 0
    assert "2 other files ignored (1 " in capsys.readouterr().out


def test_every_file_that_is_not_used_is_counted_by_kind(make_folder, capsys):
    root = make_folder({"train/a": 4, "train/b": 4, "labels": 0})
    for number in range(58):
        (root / f"labels/{number}.txt").touch()
    for name in ("train/a/x.xml", "train/y.XML", "LICENSE", "train/.DS_Store", "a.b.csv"):
        (root / name).touch()
    data = open_data(root)
    assert len(data.ignored) == 63
    assert data.ignored_kinds == "58 .txt, 2 .xml, 1 .csv, 1 without extension, 1 hidden"
    command(["check-data", str(root)])
    assert f"8 images looked at, 63 other files ignored ({data.ignored_kinds}): 0 problems" in (
        capsys.readouterr().out
    )
    assert kinds(f"x.{number}" for number in range(9)).endswith(", 3 of other kinds")


@pytest.mark.parametrize("kind", [".svg", ".psd", ".cr2", ".nef", ".dng"])
def test_images_of_kinds_that_are_not_read_are_a_problem(make_folder, kind, capsys):
    root = make_folder({"a": 4, "b": 4})
    for number in range(10, 13):
        (root / f"b/{number}{kind.upper()}").touch()
    (root / f"b/0{kind}").touch()  # beside 0.png, the same image: counted only
    (root / f"logo{kind}").touch()  # in no class: counted only
    [problem] = open_data(root).problems
    assert problem.sentence.startswith(
        f"'b/10{kind.upper()}' and 2 other {kind} files are not used, for this kind"
    )
    assert problem.remedy == kind_of(f"10{kind}").remedy
    assert command(["check-data", str(root)]) == 1
    out = capsys.readouterr().out
    assert problem.sentence in out
    assert f"5 other files ignored (5 {kind}): 1 problem" in out


def test_a_class_of_such_images_says_what_it_holds(make_folder):
    root = make_folder({"a": 4, "b": 4, "c": 0})
    for number in range(60):
        (root / f"c/{number}.svg").touch()
    with pytest.raises(DataError, match=r"c' holds no images that can be read, but 60 \.svg; add"):
        open_data(root)
    with pytest.raises(DataError, match=r"c' holds no images that can be read, but 60 \.svg; "):
        find_images(root / "c")


def test_a_hidden_folder_says_how_many_images_it_holds(make_folder):
    root = make_folder({"a": 4, "b": 4, ".hidden/deep": 8, "a/.ipynb_checkpoints": 2, ".git/x": 3})
    data = open_data(root)
    [note] = data.notes
    assert note.sentence == (
        "'.hidden' is hidden, and its 8 images are not used; rename it if they belong to the set"
    )
    assert data.ignored_kinds == "11 hidden"  # .git counts as one


def test_what_was_looked_for_and_what_was_left(make_folder):
    root = make_folder({"a": 2, ".b": 1})
    (root / "a/notes.txt").touch()
    images, others = look_for_images(root)
    assert images == [root / "a/0.png", root / "a/1.png"] == find_images(root)
    assert others == [".b/0.png", "a/notes.txt"]


def test_accents_of_two_spellings_agree_between_parts_and_not_within_one(make_folder):
    composed, apart = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    root = make_folder({f"train/{composed}": 6, "train/x": 6, f"val/{apart}": 2, "val/x": 2})
    if not (root / "val" / apart).is_dir() or apart not in os.listdir(root / "val"):
        pytest.skip("this file system writes all names in one form")
    data = open_data(root)
    assert data.classes == (composed, "x")
    assert data.val.labels.tolist() == [0, 0, 1, 1]
    assert data.val.names[0] == f"val/{apart}/0.png"
    (root / "train" / apart).mkdir()
    with pytest.raises(DataError, match="two folders whose names look the same") as refusal:
        open_data(root)
    assert "'caf\\xe9' and 'cafe\\u0301'" in str(refusal.value) or (
        "'cafe\\u0301' and 'caf\\xe9'" in str(refusal.value)
    )


def test_capitals_within_one_part_are_noted(make_folder):
    root = make_folder({"Cat": 4, "cat": 4})
    if len(os.listdir(root)) == 1:
        pytest.skip("this file system knows no capitals")
    [note] = open_data(root).notes
    assert "'Cat', 'cat'" in note.problem


def test_a_folder_that_may_not_be_read_is_named(make_folder, monkeypatch):
    root = make_folder({"a": 4, "b": 4, "b/closed": 2})
    honest = os.scandir

    def closed(path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return honest(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(DataError, match=r"b/closed' cannot be read \(Permission denied\); change"):
        open_data(root)
    [problem] = check_data(root).problems
    assert problem.file == str(root / "b/closed")


@pytest.mark.full
def test_a_hundred_thousand_files_in_one_folder(make_folder):
    root = make_folder({"a": 4, "b": 4})
    for number in range(100_000):
        (root / f"b/{number}.txt").touch()
    assert open_data(root).ignored_kinds == "100,000 .txt"
