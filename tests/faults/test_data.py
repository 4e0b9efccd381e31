"""Bad sets of images, rows 33 to 37 and 39 of the fault matrix: named, all at once, before the
first step, without a crash.
"""

import csv
import json
import multiprocessing
import os
import shutil
import signal
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from image_folders import folder_of, image
from PIL import Image

from convatlas.cli import run as command
from convatlas.data import Loader
from convatlas.data.sources import _as_tensors
from convatlas.errors import DataError
from convatlas.model_file import load_model
from convatlas.printable import cell
from convatlas.training import Recipe, prepare, train
from convatlas.training.callbacks import Callback


@pytest.mark.parametrize(
    ("classes", "says"),
    [
        ({"cat": 3, "dog": 0}, "add images to 'dog'"),
        ({"cat": 3, "dog": 3, "cow": 0}, "remove the folder"),
        ({".": 3}, "FOLDER/cat/anything.jpg"),
        ({}, "FOLDER/cat/anything.jpg"),
        (None, "does not exist"),
    ],
)
@pytest.mark.parametrize("verb", ["check-data", "train"])
def test_33_what_is_no_set_shows_what_would_be(tmp_path, capsys, classes, says, verb):
    root = tmp_path / "set"
    for name, each in (classes or {}).items():
        folder_of(root, each, [name])
    if classes == {}:
        root.mkdir()
    words = (
        [verb, str(root)]
        if verb == "check-data"
        else ["train", "lenet1989", "--data", str(root), "--output", str(tmp_path / "run")]
    )
    assert command(words) == 1
    out, err = capsys.readouterr()
    if verb == "train" or says != "FOLDER/cat/anything.jpg":
        assert says in out + err
    assert str(root) in out + err
    assert "Traceback" not in out + err
    assert "\\n" not in out + err  # all its lines are ours: none is escaped
    assert not (tmp_path / "run").exists()


def small_set(root: Path, classes: str = "ab") -> Path:
    for part, each in (("train", 8), ("val", 2), ("test", 2)):
        for c, name in enumerate(classes):
            (root / part / name).mkdir(parents=True, exist_ok=True)
            for i in range(each):
                Image.new("L", (16, 16), 40 * c + i).save(root / part / name / f"{i}.png")
    return root


SMALL = Recipe(
    network="lenet1989", epochs=2, batch_size=2, opt="sgd", lr=0.01, warmup_epochs=0, save_every=0
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    place = tmp_path_factory.mktemp("finished")
    recipe = SMALL.change(data=str(small_set(place / "set")))
    return recipe, place / "run", train(recipe, place / "run")


def test_34_junk_is_ignored_and_counted(tmp_path, capsys):
    root = small_set(tmp_path / "set")
    for name in (
        "__MACOSX/train/a/._1.png",
        "train/.ipynb_checkpoints/1.png",
        "train/a/Thumbs.db",
        "train/a/notes.txt",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    assert (
        command(
            [
                "train",
                "lenet1989",
                "--data",
                str(root),
                "--epochs",
                "1",
                "-b",
                "4",
                "--output",
                str(tmp_path / "run"),
            ]
        )
        == 0
    )
    assert "(4 files ignored: 3 hidden, 1 .txt)" in capsys.readouterr().out
    assert json.loads((tmp_path / "run/metrics.json").read_text())["classes"] == ["a", "b"]
    assert command(["check-data", str(root)]) == 0
    assert (
        "24 images looked at, 4 other files ignored (3 hidden, 1 .txt): 0 problems"
        in capsys.readouterr().out
    )


def test_35_other_classes_than_in_training_or_in_the_run_are_both_listed(
    tmp_path, capsys, finished
):
    root = small_set(tmp_path / "set", "abc")
    shutil.rmtree(root / "val/b")
    assert (
        command(["train", "lenet1989", "--data", str(root), "--output", str(tmp_path / "run")]) == 1
    )
    said = capsys.readouterr().err
    assert "'a', 'c' in" in said and "'a', 'b', 'c' in train" in said
    _, run, _ = finished
    assert command(["eval", str(run), "--data", str(small_set(tmp_path / "other", "ax"))]) == 1
    said = capsys.readouterr().err
    assert "has images of 'x', which the network does not know; it knows 'a', 'b'" in said


NAMES = [
    "ü 猫.png",
    "new\nline.png",
    "<script>alert(1)</script>.png",
    "x" * 251 + ".png",
    "=1+1.png",
    "-rf.png",
    os.fsdecode(b"\xff\xfe.png"),
]


def test_36_odd_names_work_and_are_named(tmp_path, capsys, finished):
    _, run, _ = finished
    good = small_set(tmp_path / "good")
    for name in NAMES:
        shutil.copy(
            good / "train/a/0.png",
            good / "train/a" / name.replace("<script>alert(1)</script>", "<script>"),
        )
    assert command(["check-data", str(good), "--csv", str(tmp_path / "none.csv")]) == 0
    assert command(["predict", str(run), str(good / "train/a"), "--json"]) == 0
    capsys.readouterr()
    bad = small_set(tmp_path / "bad")
    listed = [name.replace("</script>", "") for name in NAMES]
    for name in listed:
        (bad / "train/a" / name).write_bytes(b"")
    assert command(["check-data", str(bad), "--csv", str(tmp_path / "bad.csv")]) == 1
    out = capsys.readouterr().out
    assert all(repr(f"train/a/{name}") in out for name in listed)
    with open(tmp_path / "bad.csv", newline="", encoding="utf-8") as file:
        assert {row["file"] for row in csv.DictReader(file)} == {
            cell(f"train/a/{name}") for name in listed
        }


@pytest.mark.parametrize("label", [3, 255, -1, -100, float("nan"), float("inf")])
def test_37_a_label_that_is_none_is_refused_and_its_row_named(label):
    labels = np.array([0, 1, 2, 1, label, 2])
    dataset = SimpleNamespace(data=np.zeros((6, 8, 8), np.uint8), targets=labels)
    with pytest.raises(ValueError, match="for 3 classes, the first at image 4"):
        _as_tensors(dataset, 3)
    dataset.targets = np.array([0, 1, 2, 1, 0, 2])
    assert _as_tensors(dataset, 3)[1].tolist() == [0, 1, 2, 1, 0, 2]


class Attack(Callback):
    """Sends a signal to one of the processes that read images, after a step of the second epoch."""

    def __init__(self, number: int):
        self.number, self.warnings = number, []

    def step(self, progress, loss, rate):
        if progress.step == 9:
            reader = multiprocessing.active_children()[0]
            os.kill(reader.pid, self.number)
            if self.number == signal.SIGSTOP:
                os.waitid(
                    os.P_PID, reader.pid, os.WSTOPPED
                )  # it answers until the system has come round to it

    def warn(self, text):
        self.warnings.append(text)


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGKILL,
        signal.SIGSTOP,
        pytest.param(signal.SIGSEGV, marks=pytest.mark.full),
        pytest.param(signal.SIGBUS, marks=pytest.mark.full),
    ],
)  # what running out of shared memory looks like
def test_39_a_reader_that_dies_or_stands_still_costs_nothing_saved(
    tmp_path, monkeypatch, finished, number
):
    """Which file it had open: tests/data/test_loader.py."""
    recipe, _, metrics = finished
    monkeypatch.setattr(prepare, "Loader", partial(Loader, memory_limit=0, timeout=3))
    streamed = recipe.change(workers=2)
    with pytest.raises(DataError, match="a process that reads images failed"):
        train(streamed, tmp_path / "run", callback=Attack(number))
    assert not multiprocessing.active_children()
    callback = Attack(0)
    again = train(streamed, tmp_path / "run", resume=True, callback=callback)
    assert callback.warnings == []
    assert again["test"] == metrics["test"]
    whole, resumed = (
        load_model(folder).net.state_dict() for folder in (finished[1], tmp_path / "run")
    )
    assert all(torch.equal(whole[name], tensor) for name, tensor in resumed.items())


def test_what_is_not_used_is_said_before_the_first_step_and_by_predict(tmp_path, capsys):
    root = small_set(tmp_path / "set")
    shutil.rmtree(root / "test")
    for name in ("test/1.png", "labels/1.txt", "labels/2.txt", "train/a/1.svg", "train/a/99.svg"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).touch()
    image(1).save(root / "test/1.png")
    image(2).save(root / "train/a/new.png")
    shutil.copy(root / "train/a/new.png", root / "val/a/new.png")
    (root / "train/b/link.png").symlink_to(root / "train/a/0.png")
    words = ["train", "lenet1989", "--data", str(root), "--epochs", "1", "-b", "4"]
    assert command([*words, "--output", str(tmp_path / "run")]) == 0
    out, err = capsys.readouterr()
    assert "(5 files ignored: 2 .txt, 2 .svg, 1 .png)" in out
    assert "note: 'test' is not used, for it has no class folders (1 images)" in out
    assert "more are so the same as images of another class or part" in out
    assert "warning: 'train/a/99.svg' is not used, for this kind (SVG drawing)" in err
    assert ", by a link or a hard link, which is of another class; keep the right one" in err
    assert command(["predict", str(tmp_path / "run"), str(root / "train/a")]) == 0
    assert "note: 2 other files ignored (2 .svg)" in capsys.readouterr().err
