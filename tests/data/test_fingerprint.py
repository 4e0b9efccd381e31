"""A fingerprint is equal for the same images, wherever they lie, and for no others."""

import hashlib
import itertools
import os
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from convatlas.data import content_digests, open_data
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


def by_rule(rule: int, root) -> str:
    """Each of the three rules, written down anew for whole files of equal size: parts, names, sizes
    and labels; these and contents; all in blocks, and a digest of each file's contents.
    """
    files = [
        (f"{name}/{file.name}".encode(), os.lstat(file).st_size, label, file.read_bytes())
        for label, name in enumerate("ab")
        for file in sorted((root / name).iterdir(), key=lambda path: int(path.stem))
    ]
    names, sizes, labels, contents = zip(*files, strict=True)
    text = b"".join(b"train\0%s\0%d\0%d\0" % file[:3] for file in files)
    if rule == 2:
        text += b"".join(b"train\0%s\0%s" % (file[0], file[3]) for file in files)
    if rule == 3:
        ends = itertools.accumulate(map(len, names))
        text = b"train\0%d\0%d\0" % (len(files), len(b"".join(names))) + b"".join(names)
        for numbers in (ends, sizes, labels):
            text += b"".join(number.to_bytes(8, "little") for number in numbers)
        text += b"".join(hashlib.sha256(content).digest()[:16] for content in contents)
    return hashlib.sha256(text).hexdigest()


def test_contents_that_change_places_are_seen(bitmaps):
    data = open_data(bitmaps)
    assert data.fingerprint == by_rule(3, bitmaps)
    older = data.older_fingerprints()
    assert [*older] == [by_rule(2, bitmaps), by_rule(1, bitmaps)]
    assert re.fullmatch("[0-9a-f]{64}", data.fingerprint)
    exchange(bitmaps / "a/0.bmp", bitmaps / "b/1.bmp")
    other = open_data(bitmaps)
    assert not other.are_of(data.fingerprint)
    assert not other.are_of(older[0])
    assert other.are_of(older[1])
    assert not data.older_fingerprints()  # these are no longer there
    exchange(bitmaps / "a/0.bmp", bitmaps / "b/1.bmp")
    assert open_data(bitmaps).fingerprint == data.fingerprint


def test_older_rules_are_asked_only_where_the_fingerprint_is_another(bitmaps, monkeypatch):
    asked = []
    real = folder_module.older_fingerprints
    monkeypatch.setattr(folder_module, "older_fingerprints", lambda *a: asked.append(1) or real(*a))
    data = open_data(bitmaps)
    assert data.are_of(by_rule(3, bitmaps))
    assert not asked
    assert all(data.are_of(by_rule(rule, bitmaps)) for rule in (1, 2))
    assert not data.are_of("0" * 64)
    assert len(asked) == 3


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
    data, oldest = open_data(tmp_path / "set"), by_rule(1, tmp_path / "set")
    assert (data.fingerprint, *data.older_fingerprints()) == (oldest, oldest, oldest)


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
    real = content_digests.content

    def counting(path, size):
        found = real(path, size)
        read.append(len(found))
        return found

    monkeypatch.setattr(content_digests, "content", counting)
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

    begin(tmp_path / "rule3")
    for rule in (1, 2):
        with monkeypatch.context() as patch:
            patch.setattr(folder_module, "fingerprint_of", lambda *a, r=rule: by_rule(r, bitmaps))
            begin(tmp_path / f"rule{rule}")
    exchange(bitmaps / "a/0.bmp", bitmaps / "b/1.bmp")
    for rule in (2, 3):
        with pytest.raises(RunError, match="changed since"):
            train(recipe, tmp_path / f"rule{rule}", resume=True)
    assert train(recipe, tmp_path / "rule1", resume=True)["test"]["count"] == 3
    exchange(bitmaps / "a/0.bmp", bitmaps / "b/1.bmp")
    metrics = train(recipe, tmp_path / "rule2", resume=True)
    assert metrics["fingerprint"] == by_rule(3, bitmaps)
