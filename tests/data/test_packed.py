"""A packed set is the folder that it was made of: the same images, names, parts, order and bits,
whoever reads it; and whatever is wrong with it is one sentence.
"""

import errno
import json
import os
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from noise import save_noise
from PIL import Image

from convatlas.data import Augment, Loader, fit_preprocess, keyed_random, open_data
from convatlas.data.packed import index, order, place, writing
from convatlas.errors import DataError

PARTS = ("train", "val", "test")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of 66 images of several kinds and sizes in three parts, and the same packed."""
    root = tmp_path_factory.mktemp("photos")
    number = 0
    for part, count in (("train", 14), ("val", 4), ("test", 4)):
        for name in ("cat", "dog", "fox"):
            (root / "f" / part / name).mkdir(parents=True)
            for i in range(count):
                place = root / "f" / part / name / f"{i}.png"
                save_noise(place, (12 + number % 5, 10 + number % 3), "RGB", number)
                if i % 3 == 1:
                    Image.open(place).save(place.with_suffix(".jpg"))
                    place.unlink()
                number += 1
    deep = np.random.default_rng(1).integers(0, 1023, (11, 13), dtype=np.uint16)
    Image.fromarray(deep).save(root / "f" / "train" / "cat" / "deep.png")
    Image.new("L", (30, 20), 90).save(root / "f" / "train" / "dog" / "grå.png")
    writing.pack([root / "f"], root / "p", workers=1)
    return root


def same(one, other):
    assert (one.classes, one.channels) == (other.classes, other.channels)
    for part in PARTS:
        a, b = getattr(one, part), getattr(other, part)
        assert a.names == b.names
        assert torch.equal(a.labels, b.labels)
        assert [a.size(i) for i in range(len(a))] == [b.size(i) for i in range(len(b))]
        assert all(torch.equal(a.read(i), b.read(i)) for i in range(len(a)))


def test_a_packed_set_is_its_folder(photos):
    folder, packed = open_data(photos / "f"), open_data(photos / "p")
    same(folder, packed)
    assert (folder.fingerprint, folder.older_fingerprint) == (
        packed.fingerprint,
        packed.older_fingerprint,
    )
    assert fit_preprocess(folder, 12) == fit_preprocess(packed, 12)
    assert fit_preprocess(packed, 12).white == 1023


def test_what_a_folder_does_not_part_is_held_out_alike(make_folder, tmp_path):
    root = make_folder({"cat": 12, "dog": 20})
    writing.pack([root], tmp_path / "p", workers=1)
    same(open_data(root, seed=5), open_data(tmp_path / "p", seed=5))


def batches(data, workers, epoch=3, start=0, **more):
    prep = fit_preprocess(data, 12, shorter=12)
    augment = Augment(flip=True, shift=1)
    loader = Loader(data.train, prep, 7, 1, augment, workers, memory_limit=0, classes=3, **more)
    return [*loader.epoch(epoch, start), *loader.all()]


def equal(one, other):
    assert len(one) == len(other)
    assert all(
        torch.equal(x, y)
        for a, b in zip(one, other, strict=True)
        for x, y in zip(a, b, strict=True)
    )


@pytest.mark.parametrize("workers", [0, 1, 4])
def test_batches_are_those_of_the_folder(photos, workers):
    equal(batches(open_data(photos / "f"), 0), batches(open_data(photos / "p"), workers))


def test_the_order_is_that_of_the_folder_on_1_2_and_3_processes(photos):
    folder, packed = open_data(photos / "f"), open_data(photos / "p")
    prep = fit_preprocess(folder, 12, shorter=12)
    whole = [i for *_, i in Loader(folder.train, prep, 9, 2, memory_limit=0).epoch(1)]
    for size in (1, 2, 3):
        parts = [
            [*Loader(packed.train, prep, 9, 2, memory_limit=0, share=(rank, size)).epoch(1)]
            for rank in range(size)
        ]
        joined = [torch.cat([part[2] for part in step]) for step in zip(*parts, strict=True)]
        assert all(map(torch.equal, whole, joined))


def test_an_order_by_blocks_is_the_same_for_any_readers_and_from_any_step(photos, monkeypatch):
    monkeypatch.setattr(order, "FULLY", 10)
    monkeypatch.setattr(order, "BLOCK", 4)
    monkeypatch.setattr(order, "WINDOW", 3)
    data = open_data(photos / "p")
    alone = batches(data, 0)
    equal(alone, batches(data, 3))
    equal(alone[2:], batches(data, 1, start=2))
    assert sorted(torch.cat([i for *_, i in alone[:6]]).tolist()) != [*range(42)]


@settings(deadline=None)
@given(st.integers(1, 700), st.integers(0, 9), st.integers(0, 9), st.randoms())
def test_the_order_by_blocks_is_a_permutation_and_local(n, seed, epoch, lots):
    rows = np.array(lots.sample(range(1000), n))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "FULLY", 0)
        patch.setattr(order, "BLOCK", 8)
        patch.setattr(order, "WINDOW", 4)
        found = order.order(rows, seed, epoch)
        assert sorted(found.tolist()) == list(range(n))
        assert (found == order.order(rows, seed, epoch)).all()
    blocks = np.argsort(np.argsort(rows))[found] // 8  # of the places, in the order read
    for start in range(0, n, 32):
        assert len(set(blocks[start : start + 32].tolist())) <= 5


def test_small_sets_have_the_folders_own_order():
    rows = np.random.default_rng(0).permutation(500)
    assert (order.order(rows, 3, 2) == keyed_random.order(500, 3, 2)).all()


def test_batches_by_blocks_are_near_enough_to_drawn_from_all():
    """100 classes of 1,000 images that lay one after the other, as in a folder, once shuffled by
    packing: each batch of 256 holds of each class what one drawn from all would.
    """
    n, batch = 100_000, 256
    shuffled = writing._order_of(np.zeros(n, np.int64))
    rows = np.empty(n, np.int64)
    rows[shuffled] = np.arange(n)
    labels = np.arange(n) // 1000

    def spread(places):
        steps = labels[places[: n // batch * batch]].reshape(-1, batch)
        counts = np.stack([np.bincount(step, minlength=100) for step in steps])
        return ((counts - batch / 100) ** 2 / (batch / 100)).sum(1).mean()  # chi squared

    by_blocks, fully = order.order(rows, 1, 1), keyed_random.order(n, 1, 1)
    assert n > order.FULLY
    assert abs(spread(by_blocks) / spread(fully) - 1) < 0.03  # 390 steps of 99 degrees: +- 0.7 %
    assert spread(by_blocks) == pytest.approx(99, rel=0.03)
    # an image's place in one epoch says nothing of its place in the next
    place, following = (np.argsort(order.order(rows, 1, epoch)) for epoch in (1, 2))
    assert abs(np.corrcoef(place, following)[0, 1]) < 0.02
    assert abs(np.corrcoef(place, np.arange(n))[0, 1]) < 0.02


def test_size_makes_larger_ones_smaller_and_leaves_the_others(make_folder, tmp_path):
    root = make_folder({"cat": 3, "dog": 3}, size=(60, 40))
    make_folder({"cat": 3, "dog": 3}, size=(12, 10), root=root, start=9)
    for i in range(3):
        save_noise(root / "cat" / f"tall{i}.png", (40, 90), "L", i)
    done = writing.pack([root], tmp_path / "p", size=20, workers=1)
    assert (done.images, done.smaller) == (9, 3)
    data = open_data(tmp_path / "p")
    assert data.fingerprint != open_data(root).fingerprint
    shapes = {
        tuple(split.read(i).shape)
        for split in (data.train, data.val, data.test)
        for i in range(len(split))
    }
    assert shapes == {(3, 10, 12), (1, 45, 20)}


# What is wrong


def read_all(place):
    data = open_data(place)
    prep = fit_preprocess(data, 12, shorter=12)
    for split in (data.train, data.val, data.test):
        split.fitted(torch.arange(len(split)), prep)


def refused(place, *words):
    with pytest.raises(DataError) as caught:
        read_all(place)
    said = str(caught.value)
    assert all(word in said for word in words), said
    return said


@pytest.fixture
def copy(photos, tmp_path):
    return Path(shutil.copytree(photos / "p", tmp_path / "p"))


def shard(place):
    return place / "00000.tar"


def test_damaged_bytes_are_named_by_image_and_shard(copy, photos):
    wanted = (photos / "f" / "train" / "fox" / "3.png").read_bytes()
    content = bytearray(shard(copy).read_bytes())
    at = content.index(wanted) + 60
    content[at] ^= 255
    shard(copy).write_bytes(content)
    said = refused(copy, "train/fox/3.png", shard(copy).name, "pack the set again")
    assert "fox/2.png" not in said


@pytest.mark.parametrize("kept", [None, 0, 3000])
def test_a_shard_that_is_cut_short_or_gone_is_named(copy, kept):
    content = shard(copy).read_bytes()
    shard(copy).unlink()
    if kept is not None:
        shard(copy).write_bytes(content[:kept])
    data = open_data(copy)
    with pytest.raises(DataError, match=r"00000\.tar") as caught:
        data.test.fitted(torch.arange(len(data.test)), fit_preprocess(open_data(copy), 12))
    assert caught.value.reasons  # who collects broken images must not go on without


def rewritten(copy, said=None, **arrays):
    """The index with other contents, by someone who knows how it is made."""
    from safetensors.numpy import load, save

    path = copy / place.INDEX
    found = load(path.read_bytes())
    about = json.loads(found["about"].tobytes()) | (said or {})
    text = np.frombuffer(json.dumps(about).encode(), np.uint8)
    path.write_bytes(save(found | arrays | {"about": text}))
    return found


def test_another_version_is_refused(copy):
    rewritten(copy, {"format": 99})
    refused(copy, "of format 99, and this version of convatlas reads 1; pack it again")


@pytest.mark.parametrize(
    "said",
    [
        {"classes": ["a", "a", "b"]},
        {"classes": [1, 2, 3]},
        {"shards": ["../../etc/passwd.tar"]},
        {"shards": []},
        {"channels": 2},
        {"index": "0" * 64},
        {"name": None},
    ],
)
def test_an_index_that_says_nonsense_is_refused(copy, said):
    rewritten(copy, said)
    refused(copy, "is damaged", "pack the set again")


@settings(deadline=None)
@given(st.data())
def test_no_index_does_more_than_be_refused(photos, data):
    """Whatever is changed in it: an error of ours, or the images as they are."""
    content = bytearray((photos / "p" / place.INDEX).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    del content[data.draw(st.integers(len(content) // 2, len(content))) :]

    class Changed(place.Disk):
        def index(self):
            return bytes(content)

    try:
        found, said = index.read(Changed("x"))
    except DataError as fault:
        assert str(fault)
    else:
        assert found.fingerprint() == said["index"]


def test_labels_that_were_changed_are_noticed(copy):
    rewritten(copy, label=np.zeros(68, np.int32))
    refused(copy, "is not what was packed")


@pytest.mark.parametrize("content", [b"", b"\0" * 8, b"x" * 900])
def test_an_index_that_is_none_is_refused(copy, content):
    (copy / place.INDEX).write_bytes(content)
    refused(copy, "its index cannot be read")


def test_the_shards_are_webdatasets(photos):
    """A file for the image and one for its class, under one name, in an order that was shuffled."""
    from convatlas.data.packed.tars import of_tars

    with tarfile.open(photos / "p" / "00000.tar") as tar:
        names = tar.getnames()
    assert names[:2] in (["000000000.png", "000000000.cls"], ["000000000.jpg", "000000000.cls"])
    found = of_tars([str(photos / "p" / "00000.tar")])
    assert found.classes == ("0", "1", "2")
    data = open_data(photos / "p")
    images = {data.train.names[i]: int(data.train.rows[i]) for i in range(len(data.train))}
    row = images["train/fox/3.png"]
    assert found.contents.content(row) == (photos / "f/train/fox/3.png").read_bytes()
    assert int(found.contents.labels[row]) == 2


def test_a_target_that_is_not_empty_is_left_alone(photos, tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name, words in (("p", "is not empty"), ("file", "is a file")):
        with pytest.raises(DataError, match=words):
            writing.pack([photos / "f"], tmp_path / name)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "mine.txt", "p"]


def test_too_little_room_is_said_before(photos, tmp_path, monkeypatch):
    real = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: real._replace(free=1000))
    with pytest.raises(DataError, match=r"needs about .* GB, and its disk has 0.0 GB free"):
        writing.pack([photos / "f"], tmp_path / "p")
    assert not any(tmp_path.iterdir())


def test_a_disk_that_fills_leaves_nothing(photos, tmp_path, monkeypatch):
    def full(self, row, label):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writing._Shards, "add", full)
    with pytest.raises(
        DataError, match=r"its disk is full\), and nothing of it is left; make room"
    ):
        writing.pack([photos / "f"], tmp_path / "p", workers=1)
    assert not any(tmp_path.iterdir())


def test_broken_images_are_all_named_and_nothing_is_written(make_folder, tmp_path):
    root = make_folder({"cat": 150, "dog": 150})
    (root / "cat" / "7.png").write_bytes(b"no image")
    (root / "dog" / "3.png").write_bytes((root / "dog" / "4.png").read_bytes()[:200])
    with pytest.raises(DataError) as caught:
        writing.pack([root], tmp_path / "p", workers=2)
    assert str(root / "cat" / "7.png") in str(caught.value)
    assert str(root / "dog" / "3.png") in str(caught.value)
    assert not (tmp_path / "p").exists()
    assert not [*tmp_path.glob(".packing*")]
    done = writing.pack([root], tmp_path / "p", bad_images="skip", workers=2)
    assert (done.images, len(done.skipped)) == (298, 2)
    data = open_data(tmp_path / "p")
    assert sum(len(getattr(data, part)) for part in PARTS) == 298


def test_what_a_killed_process_left_is_removed(photos, tmp_path):
    left = tmp_path / ".packing-p" / "packed"
    left.mkdir(parents=True)
    (left / "half").write_text("half")
    writing.pack([photos / "f"], tmp_path / "p", workers=1)
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


@pytest.mark.parametrize("words", [{"size": 8}, {"quality": 0}, {"bad_images": "no"}])
def test_nonsense_is_refused(photos, tmp_path, words):
    with pytest.raises(DataError, match="not allowed"):
        writing.pack([photos / "f"], tmp_path / "p", **words)


def test_shards_of_several_files_are_one_set(make_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "SHARD", 4000)
    root = make_folder({"cat": 100, "dog": 100})
    done = writing.pack([root], tmp_path / "p", workers=1)
    assert done.shards > 3
    packed = open_data(tmp_path / "p")
    same(open_data(root), packed)
    names = {packed.train.shelf.file_of(row) for row in range(200)}
    assert len(names) == done.shards
    assert all(os.path.isfile(name) for name in names)
    assert place.is_packed(tmp_path / "p")
