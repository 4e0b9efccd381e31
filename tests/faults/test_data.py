"""Bad data, rows 28 to 37 and 39 of the fault matrix: named, all at once, before the first step,
without a crash.
"""

import csv
import json
import multiprocessing
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import zlib
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from convatlas.cli import run as command
from convatlas.data import Loader, Preprocess, fit_preprocess, open_data, read_image
from convatlas.data.checking import check_data
from convatlas.data.folder import layout
from convatlas.data.sources import _as_tensors
from convatlas.data.survey import examine
from convatlas.errors import DataError
from convatlas.model_file import load_model
from convatlas.training import Recipe, prepare, train
from convatlas.training.callbacks import Callback

ENDINGS = ("jpg", "png", "webp", "bmp", "gif", "tif")
SURELY_BAD = ("empty", "html", "noise", "half")


def image(seed: int, size=(24, 20)) -> Image.Image:
    return Image.fromarray(
        np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    )


def folder_of(root: Path, each: int, classes: str = "ab", endings=("png",)) -> Path:
    for c, name in enumerate(classes):
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(each):
            image(1000 * c + i).save(root / name / f"{i}.{endings[i % len(endings)]}")
    return root


def mutated(content: bytes, kind: str, dice: np.random.Generator) -> bytes:
    if kind == "flip":
        changed = bytearray(content)
        for at in dice.integers(0, len(content), dice.integers(1, 5)):
            changed[at] ^= 1 << int(dice.integers(8))
        return bytes(changed)
    return {
        "empty": b"",
        "html": b"<!doctype html><title>404</title>",
        "noise": dice.bytes(400),
        "half": content[: len(content) // 2],
    }[kind]


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.full) for seed in range(1, 6))]
)
def test_28_every_bad_file_of_200_mutations_is_named_in_one_pass(tmp_path, seed):
    """100 surely bad, 100 with flipped bits, which may still decode: those are named that reading
    them refuses.
    """
    root = folder_of(tmp_path / "set", 180, endings=ENDINGS)
    files = sorted(root.rglob("*.*"))
    dice = np.random.default_rng(seed)
    chosen = dice.permutation(len(files))[:200]
    bad = set()
    for number, i in enumerate(chosen):
        kind = SURELY_BAD[number % 4] if number < 100 else "flip"
        files[i].write_bytes(mutated(files[i].read_bytes(), kind, dice))
        if kind != "flip" or examine(files[i]).reason:
            bad.add(files[i].relative_to(root).as_posix())
    before = {file: file.read_bytes() for file in files}
    done = subprocess.run(
        [sys.executable, "-m", "convatlas", "check-data", root, "--csv", tmp_path / "bad.csv"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    with open(tmp_path / "bad.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert done.returncode == 1, done.stderr
    assert {row["file"] for row in rows} == bad
    assert all(repr(name) in done.stdout for name in bad)
    assert all(row["problem"] and row["remedy"] for row in rows)
    assert "Traceback" not in done.stderr
    assert {file: file.read_bytes() for file in files} == before


def kinds(root: Path) -> dict[str, np.ndarray]:
    """Files of every kind with what a person sees on them, uint8 (H, W, 3)."""
    grey = (np.arange(480).reshape(20, 24) % 256).astype(np.uint8)
    rgb = np.stack([grey, 255 - grey, np.full_like(grey, 90)], 2)
    as_rgb = np.repeat(grey[..., None], 3, 2)
    clear = np.dstack([rgb, np.where(grey > 100, 255, 0).astype(np.uint8)])
    palette = Image.fromarray(as_rgb).convert("P", palette=Image.Palette.ADAPTIVE, colors=256)
    files = {
        "rgb.png": (Image.fromarray(rgb), rgb),
        "grey.png": (Image.fromarray(grey), as_rgb),
        "deep.png": (Image.fromarray(grey.astype(np.uint16) * 257), as_rgb),
        "float.tif": (Image.fromarray(grey.astype(np.float32)), as_rgb),
        "bits.png": (Image.fromarray(grey > 99), np.where(as_rgb > 99, 255, 0).astype(np.uint8)),
        "palette.png": (palette, as_rgb),
        "clear.png": (Image.fromarray(clear), np.where(clear[..., 3:] == 255, rgb, 255)),
        "cmyk.tif": (Image.fromarray(rgb).convert("CMYK"), rgb),
    }
    for name, (file, _) in files.items():
        file.save(root / name)
    Image.fromarray(rgb).save(
        root / "moving.png", save_all=True, append_images=[Image.new("RGB", (24, 20))]
    )
    return {name: seen for name, (_, seen) in files.items()} | {"moving.png": rgb}


def test_29_every_kind_of_image_is_the_same_in_training_and_in_prediction(tmp_path):
    root = folder_of(tmp_path, 12)
    expected = kinds(root / "a")
    data = open_data(root, val_fraction=0)
    prep = fit_preprocess(data, 24)
    seen = 0
    for split in (data.train, data.test):
        for x, _, indices in Loader(split, prep, 4).all():
            for row, i in zip(x, indices.tolist(), strict=True):
                name = split.names[i]
                file = root / name
                assert torch.equal(prep.normalise(prep.fit_image(read_image(file))[None])[0], row)
                if file.name in expected:
                    pixels = (
                        prep.in_channels(read_image(file)[None])[0]
                        .permute(1, 2, 0)
                        .numpy()
                        .astype(int)
                    )
                    assert np.abs(pixels - expected[file.name]).max() <= 2, name
                    seen += 1
    assert seen == 9


def test_30_every_exif_orientation_is_upright(tmp_path):
    upright = np.random.default_rng(0).integers(0, 256, (20, 24, 3), dtype=np.uint8)
    turned = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: upright.transpose(1, 0, 2)[::-1],
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: upright.transpose(1, 0, 2)[:, ::-1],
    }
    root = folder_of(tmp_path, 3)
    for orientation, pixels in turned.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(np.ascontiguousarray(pixels)).save(
            root / "a" / f"exif{orientation}.png", exif=exif
        )
    data = open_data(root, val_fraction=0)
    prep = Preprocess(3, 24, (0.0,) * 3, (1.0,) * 3, "pad", 24)
    rows = [
        row
        for split in (data.train, data.test)
        for x, _, indices in Loader(split, prep, 4).all()
        for row, i in zip(x, indices.tolist(), strict=True)
        if "exif" in split.names[i]
    ]
    assert len(rows) == 8
    assert all(torch.equal(row, rows[0]) for row in rows)
    assert torch.equal(
        (rows[0][:, 2:22] * 255).round().permute(1, 2, 0).to(torch.uint8), torch.from_numpy(upright)
    )


def bomb(width: int, height: int) -> bytes:
    """A one-bit PNG, without ever holding its pixels."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    squeeze, row = zlib.compressobj(9), bytes(1 + (width + 7) // 8)
    rows = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


def growth_of(files: list[Path]) -> tuple[int, list[str]]:
    """(bytes by which this process's peak grew, reasons) while it examined the files."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    reasons = [examine(file).reason for file in files]
    return 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before), reasons


def in_another_process(work, *args):
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *args).result(timeout=60)


def test_31_bombs_are_named_and_take_no_memory(tmp_path):
    root = folder_of(tmp_path, 3)
    for name, (width, height) in {"95.png": (10_000, 9_500), "400.png": (20_000, 20_000)}.items():
        (root / "a" / name).write_bytes(bomb(width, height))
        assert (root / "a" / name).stat().st_size < 100_000
    grown, reasons = in_another_process(growth_of, [root / "a/95.png", root / "a/400.png"])
    assert all("64 megapixels; make it smaller" in reason for reason in reasons)
    assert grown < 200e6
    assert {found.file for found in check_data(root).problems} == {"a/95.png", "a/400.png"}


def reasons_as_nobody(root: Path) -> list[str]:
    """Reading all files, in this process, as a user who may not read everything: root may."""
    Image.init()  # what is imported late must be there by then
    if os.geteuid() == 0:
        os.setuid(65534)
    found = layout(root)
    reasons = [
        f"{name}: {reason}" for name in found.images if (reason := examine(root / name).reason)
    ]
    return sorted(reasons + [f"{name}: {reason}" for name, reason in found.troubles])


def test_32_loops_dead_links_pipes_sockets_and_forbidden_files(tmp_path):
    place = Path(tempfile.mkdtemp())  # pytest's own folders are closed to others
    place.chmod(0o755)
    try:
        root = folder_of(place / "set", 4)
        (root / "a/loop").symlink_to(root, target_is_directory=True)
        (root / "a/dead.png").symlink_to("nowhere.png")
        os.mkfifo(root / "a/pipe.png")
        with socket.socket(socket.AF_UNIX) as plug:
            plug.bind(str(root / "a/plug.png"))
        (root / "b/0.png").chmod(0)
        (root / "b/cellar").mkdir(mode=0)
        found = in_another_process(reasons_as_nobody, root)
        report = check_data(root)
        (root / "b/cellar").chmod(0o755)
    finally:
        shutil.rmtree(place)
    assert [reason.split(": ", 1)[0] for reason in found] == [
        str(root / "b/cellar"),
        "a/dead.png",
        "a/pipe.png",
        "a/plug.png",
        "b/0.png",
    ]
    assert "may not be read by this user" in found[-1]
    assert report.ignored == ("a/loop",)
    assert report.images == 11  # eight, and the three that only look like images


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
    assert "knows the classes a, b" in said and "has a, x" in said


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
    with open(tmp_path / "bad.csv", newline="", errors="surrogateescape") as file:
        assert {row["file"] for row in csv.DictReader(file)} == {
            f"train/a/{name}" for name in listed
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
