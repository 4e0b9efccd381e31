"""A fingerprint is equal for the same images, wherever they lie, and for no others."""

import hashlib
import os
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from convatlas.data import fingerprint, open_data
from convatlas.data import folder as folder_module
from convatlas.errors import RunError
from convatlas.training import Recipe, train
from convatlas.training.callbacks import Callback


def save(path, seed: int, kind: str, size=(20, 20)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path.with_suffix(f".{kind}"))


@pytest.fixture
def bitmaps(tmp_path):
    for number in range(16):
        save(tmp_path / "set" / "ab"[number % 2] / str(number), number, "bmp")
    return tmp_path / "set"


def exchange(one, other):
    between = one.with_name("between")
    one.rename(between)
    other.rename(one)
    between.rename(other)


def older(root) -> str:
    """The rule of version 1, written down anew: parts, names, sizes and labels."""
    digest = hashlib.sha256()
    for label, name in enumerate("ab"):
        files = sorted((root / name).iterdir(), key=lambda path: int(path.stem))
        for file in files:
            line = f"train\0{name}/{file.name}\0{os.lstat(file).st_size}\0{label}\0"
            digest.update(line.encode())
    return digest.hexdigest()


def test_contents_that_change_places_are_seen(bitmaps):
    data = open_data(bitmaps)
    assert data.older_fingerprint == older(bitmaps) != data.fingerprint
    assert re.fullmatch("[0-9a-f]{64}", data.fingerprint)
    exchange(bitmaps / "a/0.bmp", bitmaps / "b/1.bmp")
    other = open_data(bitmaps)
    assert other.older_fingerprint == data.older_fingerprint
    assert other.fingerprint != data.fingerprint
    exchange(bitmaps / "a/0.bmp", bitmaps / "b/1.bmp")
    assert open_data(bitmaps).fingerprint == data.fingerprint


def test_a_copy_elsewhere_has_the_same(bitmaps, tmp_path):
    shutil.copytree(bitmaps, tmp_path / "elsewhere")
    assert open_data(tmp_path / "elsewhere").fingerprint == open_data(bitmaps).fingerprint


def test_links_that_change_places_are_seen(bitmaps, tmp_path):
    for number in (1, 2):
        (bitmaps / f"a/9{number}.bmp").symlink_to(tmp_path / f"{number}.bmp")
        save(tmp_path / str(number), 50 + number, "bmp")
    before = open_data(bitmaps).fingerprint
    exchange(bitmaps / "a/91.bmp", bitmaps / "a/92.bmp")
    assert open_data(bitmaps).fingerprint != before


def test_where_all_sizes_differ_it_is_that_of_earlier_versions(tmp_path):
    for number in range(12):
        save(tmp_path / "set" / "ab"[number % 2] / str(number), 0, "bmp", (20 + number, 20))
    data = open_data(tmp_path / "set")
    assert data.fingerprint == data.older_fingerprint == older(tmp_path / "set")


@pytest.mark.parametrize("kind", ["bmp", "png", "tif"])
def test_long_files_are_told_apart_by_some_of_their_blocks(tmp_path, kind, monkeypatch):
    """Plain pixels with a little drawing on a white ground; compressed ones of equal length."""
    for number in range(8):
        path = tmp_path / "set" / "ab"[number % 2] / f"{number}.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full((300, 300, 3), 255, np.uint8)
        pixels[100:140] = np.random.default_rng(number).integers(0, 256, (40, 300, 3))
        Image.fromarray(pixels).save(path)
        with open(path, "ab") as file:
            file.write(bytes(300_000 - path.stat().st_size))
    read = []
    blocks = fingerprint._blocks
    monkeypatch.setattr(
        fingerprint, "_blocks", lambda *a: (read.append(len(b)) or b for b in blocks(*a))
    )
    before = open_data(tmp_path / "set").fingerprint
    assert sum(read) <= 8 * 2**18
    exchange(tmp_path / f"set/a/0.{kind}", tmp_path / f"set/b/1.{kind}")
    if kind != "png":  # compressed, it is all at the beginning of a file made longer by zeros
        assert open_data(tmp_path / "set").fingerprint != before


def test_what_is_no_file_is_not_opened(bitmaps):
    os.mkfifo(bitmaps / "a/98.png")
    os.mkfifo(bitmaps / "a/99.png")
    (bitmaps / "a/97.png").symlink_to("nowhere")
    assert open_data(bitmaps).fingerprint


def test_a_run_that_recorded_the_older_fingerprint_goes_on(bitmaps, tmp_path, monkeypatch):
    recipe = Recipe(network="lenet1989", data=str(bitmaps), epochs=2, batch_size=4, save_every=0)

    class Interrupted(Callback):
        def epoch(self, record):
            raise KeyboardInterrupt

    def begin(folder):
        with pytest.raises(KeyboardInterrupt):
            train(recipe, folder, callback=Interrupted())

    begin(tmp_path / "new")
    real = fingerprint.fingerprints
    with monkeypatch.context() as patch:
        patch.setattr(folder_module, "fingerprints", lambda *a: real(*a)[1:] * 2)
        begin(tmp_path / "old")
    exchange(bitmaps / "a/0.bmp", bitmaps / "b/1.bmp")
    with pytest.raises(RunError, match="changed since"):
        train(recipe, tmp_path / "new", resume=True)
    assert train(recipe, tmp_path / "old", resume=True)["test"]["count"] == 3
