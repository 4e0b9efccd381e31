"""check-data: everything that is wrong is said at once, nothing is changed, and training believes
what was found.
"""

import csv
import hashlib
import os
import shutil
import signal
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convatlas.cli import run as command
from convatlas.data import open_data, survey, usable
from convatlas.data.checking import check_data
from convatlas.data.survey import SKIPPED_AT_MOST, Finding, write_csv
from convatlas.errors import DataError


def contents(root: Path) -> dict:
    return {
        p: (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(root.rglob("*")) if p.is_file()
    }


def said(report) -> dict[str, str]:
    return {found.file: found.problem for found in report.problems}


def test_a_good_folder(make_folder):
    root = make_folder({"a": 20, "b": 20})
    before = contents(root)
    report = check_data(root, workers=2)
    assert (report.images, report.problems, report.notes, report.ignored) == (40, (), (), ())
    assert report.data.classes == ("a", "b")
    assert contents(root) == before


def test_everything_wrong_is_named_in_one_pass(make_folder):
    root = make_folder(
        {"train/a": 20, "train/b": 20, "val/a": 3, "val/b": 3, "val/c": 1, "train/empty": 0}
    )
    (root / "train/a/0.png").write_bytes(b"")
    (root / "train/b/1.png").write_bytes(b"<html>")
    (root / "val/b/2.png").write_bytes((root / "val/b/2.png").read_bytes()[:100])
    (root / "val/c/dead.jpg").symlink_to("nowhere")
    os.mkfifo(root / "train/a/pipe.png")
    before = contents(root)
    report = check_data(root)
    problems = said(report)
    assert problems["train/a/0.png"] == "is empty (0 bytes)"
    assert "HTML" in problems["train/b/1.png"]
    assert "val/b/2.png" in problems
    assert "link to nothing" in problems["val/c/dead.jpg"]
    assert "not a file" in problems["train/a/pipe.png"]
    assert "holds no images" in problems[str(root / "train/empty")]
    assert "classes of val are not those of train" in problems[str(root / "val")]
    assert len(report.problems) == 7
    assert all(found.remedy for found in report.problems)
    assert report.data is None
    assert contents(root) == before


@pytest.mark.parametrize(
    ("path", "problem"),
    [("none", "does not exist"), ("file", "is a file"), ("bare", "holds no class folders")],
)
def test_what_is_no_set_is_one_problem(tmp_path, path, problem):
    (tmp_path / "file").touch()
    (tmp_path / "bare").mkdir()
    report = check_data(tmp_path / path)
    assert [problem in found.problem for found in report.problems] == [True]
    assert report.problems[0].sentence.count(str(tmp_path / path)) == 1
    assert report.images == 0


def test_what_is_unusual_is_a_note(make_folder):
    root = make_folder({"a": 12, "b": 12})
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new("RGB", (20, 20))
    image.save(root / "a/turned.jpg", exif=exif)
    image.save(root / "a/really.png", format="JPEG")
    image.save(
        root / "a/moving.gif", save_all=True, append_images=[Image.new("RGB", (20, 20), "red")]
    )
    Image.new("RGBA", (20, 20)).save(root / "a/clear.png")
    Image.fromarray(np.zeros((20, 20), np.uint16)).save(root / "a/deep.png")
    Image.new("L", (30, 2)).save(root / "a/flat.png")
    (root / "b/11.png").write_bytes((root / "a/11.png").read_bytes())
    report = check_data(root)
    notes = {Path(found.file).name: f"{found.problem}; {found.remedy}" for found in report.notes}
    assert not report.problems
    for name, note in (
        ("turned.jpg", "turned upright"),
        ("really.png", "is a JPEG file"),
        ("moving.gif", "2 frames"),
        ("clear.png", "white shows through"),
        ("deep.png", "scaled to 8 bits"),
        ("flat.png", "only 30 x 2 pixels"),
        ("11.png", "of another class"),
    ):
        assert note in notes[name], name
    assert len(report.notes) == 7


def test_a_image_in_train_and_test_is_a_leak(make_folder):
    root = make_folder(
        {f"{part}/{c}": n for part, n in (("train", 5), ("val", 2), ("test", 3)) for c in "ab"}
    )
    assert not [f for f in check_data(root).notes if "same file" in f.problem]
    (root / "test/a/copy.png").write_bytes((root / "train/a/3.png").read_bytes())
    leaks = [found for found in check_data(root).notes if "same file" in found.problem]
    assert [(leak.file, "learnt by heart" in leak.remedy) for leak in leaks] in (
        [("test/a/copy.png", True)],
        [("train/a/3.png", True)],
    )


def test_the_table(make_folder, tmp_path):
    root = make_folder({"a": 3, "b": 3})
    name = 'new\nline, "quoted".png'
    (root / "a" / name).write_bytes(b"")
    report = check_data(root)
    write_csv(tmp_path / "bad.csv", report.problems)
    with open(tmp_path / "bad.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["file", "problem", "remedy"],
        ['a/new\\nline, "quoted".png', "is empty (0 bytes)", "copy it again or delete it"],
    ]
    with pytest.raises(DataError, match=r"cannot write .*name another file with --csv"):
        write_csv(tmp_path / "no" / "bad.csv", report.problems)


def test_the_sentence_is_parted_at_its_last_semicolon():
    assert Finding.of("f", "is damaged (a; b); delete it") == Finding(
        "f", "is damaged (a; b)", "delete it"
    )
    assert Finding.of("f", "has 2 frames") == Finding("f", "has 2 frames", "")


@pytest.mark.parametrize("kind", ["killed", pytest.param("hung", marks=pytest.mark.full)])
def test_a_file_that_ends_its_process_is_a_finding_and_the_rest_goes_on(
    make_folder, monkeypatch, kind
):
    root = make_folder({"a": 40, "b": 40})
    (root / "b/7.png").write_bytes(b"")
    honest = survey.examine

    def trap(path, *limits):
        if path.name == "13.png" and path.parent.name == "a":
            os.kill(os.getpid(), signal.SIGKILL) if kind == "killed" else time.sleep(60)
        return honest(path, *limits)

    monkeypatch.setattr(survey, "examine", trap)
    report = check_data(root, workers=2, timeout=2)
    assert said(report) == {
        "a/13.png": "kills or hangs the process that decodes it",
        "b/7.png": "is empty (0 bytes)",
    }


def test_training_refuses_all_bad_images_of_all_parts_at_once(make_folder):
    root = make_folder({f"{part}/{c}": 8 for part in ("train", "val", "test") for c in "ab"})
    for part in ("train", "val", "test"):
        (root / part / "a/3.png").write_bytes(b"")
    with pytest.raises(DataError, match="3 images cannot be used") as caught:
        usable(open_data(root))
    assert all(f"{part}/a/3.png" in str(caught.value) for part in ("train", "val", "test"))


def test_one_in_a_hundred_may_be_skipped_and_is_listed(make_folder):
    root = make_folder(
        {"train/a": 100, "train/b": 96, "val/a": 1, "val/b": 1, "test/a": 1, "test/b": 1},
        size=(4, 4),
    )
    data = open_data(root)
    assert usable(data) == (data, [])
    for number in (3, 7):
        (root / f"train/a/{number}.png").write_bytes(b"")
    left, skipped = usable(open_data(root), "skip")
    assert [found.file for found in skipped] == ["train/a/3.png", "train/a/7.png"]
    assert sorted({*data.train.names} - {*left.train.names}) == ["train/a/3.png", "train/a/7.png"]
    assert [left.train.labels.tolist().count(label) for label in (0, 1)] == [98, 96]
    assert left.train.read(0).shape == (3, 4, 4)
    (root / "train/b/3.png").write_bytes(b"")
    with pytest.raises(
        DataError, match=r"3 of 200 images cannot be used, more than the 1% that may be skipped"
    ):
        usable(open_data(root), "skip")
    assert SKIPPED_AT_MOST == 0.01


def test_a_class_that_would_vanish_is_not_skipped(make_folder):
    root = make_folder(
        {"train/a": 100, "train/b": 96, "val/a": 1, "val/b": 1, "test/a": 1, "test/b": 1},
        size=(4, 4),
    )
    (root / "val/b/0.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"no image of 'b' can be used"):
        usable(open_data(root), "skip")


@pytest.fixture
def looked(monkeypatch) -> list[str]:
    """The names of the files that are looked at."""
    names: list[str] = []
    real = survey.examining

    def noting(split, numbers, *options):
        names.extend(split.names[i] for i in numbers)
        return real(split, numbers, *options)

    monkeypatch.setattr(survey, "examining", noting)
    return names


def settled() -> None:
    """Later than the clock's tick in which a file was written: until then it is not relied upon."""
    time.sleep(0.03)


def test_only_files_that_changed_are_looked_at_again(make_folder, looked):
    root = make_folder({"a": 6, "b": 6})
    settled()
    usable(open_data(root))
    assert len(looked) == 12
    usable(open_data(root, seed=3))
    assert len(looked) == 12
    os.utime(root / "a/0.png", ns=(1, 1))
    settled()
    usable(open_data(root))
    assert looked[12:] == ["a/0.png"]
    (root / "a/0.png").write_bytes(b"")
    for _ in range(2):  # what cannot be read is looked at each time: its remedy may lie elsewhere
        with pytest.raises(DataError, match="is empty"):
            usable(open_data(root))
    assert looked[12:] == ["a/0.png"] * 3


def test_check_data_spares_training_its_look(make_folder, looked):
    root = make_folder({"a": 6, "b": 6})
    settled()
    check_data(root)
    del looked[:]
    assert usable(open_data(root, seed=4))[1] == []
    assert looked == []


def test_a_cache_that_cannot_be_written_or_read_does_not_matter(make_folder, tmp_path, monkeypatch):
    root = make_folder({"a": 6, "b": 6})
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert usable(open_data(root))[1] == []
    settled()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    usable(open_data(root))
    [memory] = (tmp_path / "cache").rglob("*.seen")
    memory.write_text("{")
    assert usable(open_data(root))[1] == []


def test_each_file_is_examined_once_under_its_own_number(make_folder):
    data, found = open_data(make_folder({"a": 30, "b": 30})), []
    (data.train.root / data.train.names[17]).write_bytes(b"")
    for some in survey.examining(data.train, range(len(data.train)), workers=2):
        found += some.items()
    assert sorted(i for i, _ in found) == [*range(len(data.train))]
    assert [i for i, one in found if one.reason] == [17]


def test_a_set_in_memory_is_as_it_is():
    data = open_data("digits")
    assert usable(data) == (data, [])


def holes(path: Path, size: int) -> Path:
    """An image that claims `size` bytes and takes none of them on the disk."""
    with open(path, "r+b") as file:
        file.truncate(size)
    return path


def test_an_image_with_gigabytes_of_holes_is_refused_and_takes_no_memory(make_folder):
    root = make_folder({"a": 12, "b": 12}, size=(40, 30))
    holes(root / "a/0.png", 6 * 2**30)
    tracemalloc.start()
    report = check_data(root)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert said(report) == {"a/0.png": "is a file of 6.4 GB for 40 x 30 pixels"}
    assert peak < 50e6
    with pytest.raises(DataError, match=r"6\.4 GB for 40 x 30 pixels; copy it again or delete it"):
        usable(open_data(root))


def test_the_digest_of_a_long_file_is_made_in_pieces(make_folder):
    root = make_folder({"a": 1})
    path = holes(root / "a/0.png", 2**27)
    tracemalloc.start()
    examined = survey.examine(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert examined.reason == ""
    assert examined.digest == hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    assert peak < 2**24


def test_a_device_is_no_image(make_folder):
    root = make_folder({"a": 4, "b": 4})
    (root / "a/zero.png").symlink_to("/dev/zero")
    assert said(check_data(root)) == {"a/zero.png": "is not a file"}


def parted_without(make_folder, *without: str):
    everything = {f"{part}/{c}": 8 for part in ("train", "val", "test") for c in ("cat", "dog")}
    return make_folder({name: 0 if name in without else n for name, n in everything.items()})


@pytest.mark.parametrize("part", ["val", "test"])
@pytest.mark.parametrize("emptied", [True, False])
def test_a_part_without_a_class_is_refused_with_one_remedy_and_used_with_it(
    make_folder, part, emptied
):
    root = parted_without(make_folder, f"{part}/dog")
    if not emptied:
        (root / part / "dog").rmdir()
    with pytest.raises(DataError) as refusal:
        open_data(root)
    [problem] = check_data(root).problems
    assert problem.remedy == (
        f"add images of 'dog' to {part}, or allow a {part} set without them with "
        '--missing-classes allow (missing_classes="allow")'
    )
    assert problem.remedy in str(refusal.value)
    data = open_data(root, missing_classes="allow")
    assert getattr(data, part).labels.tolist() == [0] * 8
    report = check_data(root, missing_classes="allow")
    assert report.problems == ()
    assert [note.problem for note in report.notes] == ["has no images of 'dog'"]


def test_classes_that_only_a_part_has_are_never_allowed(make_folder):
    root = parted_without(make_folder)
    shutil.copytree(root / "val/cat", root / "val/owl")
    for choice in ("error", "allow"):
        with pytest.raises(DataError, match=r"images of 'owl' to train, or remove 'val/owl'"):
            open_data(root, missing_classes=choice)
    with pytest.raises(DataError, match="missing_classes = 'maybe' is not allowed"):
        open_data(root, missing_classes="maybe")


def test_training_takes_a_validation_set_without_a_class(make_folder, tmp_path):
    root = parted_without(make_folder, "val/dog")
    words = ["train", "lenet1989", "--data", str(root), "--epochs", "1", "-b", "4"]
    words += ["--output", str(tmp_path / "run")]
    assert command(words) == 1
    assert command([*words, "--missing-classes", "allow"]) == 0
    assert command(["eval", str(tmp_path / "run")]) == 0
    assert command(["check-data", str(root)]) == 1
    assert command(["check-data", str(root), "--missing-classes", "allow"]) == 0
