"""A packed set is the folder that it was made of: the same images, names, parts, order and bits,
whoever reads it.
"""

import os
import tarfile

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from noise import save_noise

from convatlas.data import Augment, Loader, fit_preprocess, keyed_random, open_data
from convatlas.data.packed import order, place, writing
from convatlas.errors import DataError

PARTS = ("train", "val", "test")


def same(one, other):
    assert (one.classes, one.channels) == (other.classes, other.channels)
    assert (one.splits, one.fingerprint) == (other.splits, other.fingerprint)
    for part in PARTS:
        a, b = getattr(one, part), getattr(other, part)
        assert a.names == b.names
        assert torch.equal(a.labels, b.labels)
        assert [a.size(i) for i in range(len(a))] == [b.size(i) for i in range(len(b))]
        assert all(torch.equal(a.read(i), b.read(i)) for i in range(len(a)))


def test_a_packed_set_is_its_folder(photos):
    folder, packed = open_data(photos / "f"), open_data(photos / "p")
    same(folder, packed)
    assert folder.fingerprint == packed.fingerprint
    assert [*folder.older_fingerprints()] == [*packed.older_fingerprints()]
    assert fit_preprocess(folder, 12) == fit_preprocess(packed, 12)
    assert fit_preprocess(packed, 12).white == 1023


def test_what_a_folder_does_not_part_is_held_out_alike(make_folder, tmp_path):
    root = make_folder({"cat": 12, "dog": 20})
    writing.pack([root], tmp_path / "p", workers=1)
    same(open_data(root, seed=5), open_data(tmp_path / "p", seed=5))


@pytest.mark.parametrize("test_from", ["auto", "val"])
def test_val_may_be_the_test_set_as_of_the_folder(make_folder, tmp_path, test_from):
    """Another fingerprint then: figures on other images never stand side by side."""
    root = make_folder({f"{part}/{name}": 9 for part in ("train", "val") for name in ("a", "b")})
    writing.pack([root], tmp_path / "p", workers=1)
    folder, packed = (open_data(at, test_from=test_from) for at in (root, tmp_path / "p"))
    same(folder, packed)
    assert [*folder.older_fingerprints()] == [*packed.older_fingerprints()]
    assert packed.splits["test"] == {"auto": "a fifth of train/", "val": "val/"}[test_from]


def test_val_as_the_test_set_is_another_set_where_images_were_made_smaller(make_folder, tmp_path):
    counts = {f"{part}/{name}": 9 for part in ("train", "val") for name in ("a", "b")}
    root = make_folder(counts, size=(40, 30))
    writing.pack([root], tmp_path / "p", size=20, workers=1)
    found = [open_data(tmp_path / "p", test_from=word).fingerprint for word in ("auto", "val")]
    assert len({*found, open_data(root).fingerprint}) == 3


def test_a_packed_set_that_cannot_be_tested_on_val_is_refused(photos, make_folder, tmp_path):
    writing.pack([make_folder({"a": 6, "b": 6})], tmp_path / "p", workers=1)
    for at, why in ((photos / "p", "has a test set of its own"), (tmp_path / "p", "has no val")):
        with pytest.raises(DataError, match=f"{why}.*; leave --test-from val") as caught:
            open_data(at, test_from="val")
        assert "\n" not in str(caught.value)


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


def test_a_jpeg_of_a_multiple_of_the_size_is_made_smaller_too(tmp_path):
    """Its decoder gives the very size that is asked for, which is not that of the file."""
    for name in ("cat", "dog"):
        (tmp_path / "f" / name).mkdir(parents=True)
        for i, side in enumerate((32, 64, 128, 160)):
            save_noise(tmp_path / "f" / name / f"{i}.jpg", (side, side), "RGB", i)
    done = writing.pack([tmp_path / "f"], tmp_path / "p", size=16, workers=1)
    assert done.smaller == 8
    data = open_data(tmp_path / "p")
    assert {data.train.size(i) for i in range(len(data.train))} == {(16, 16)}


@pytest.mark.parametrize("quality", [90, 94, 100])
def test_noise_is_made_smaller_too(quality):
    """The worst for a JPEG's buffer."""
    pixels = np.random.default_rng(0).integers(0, 256, (3, 700, 900), dtype=np.uint8)
    content, height, width = writing._made_smaller(pixels, 600, quality)
    assert (height, width) == (600, 771)
    assert content[:2] == b"\xff\xd8"


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
