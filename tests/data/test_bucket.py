"""A packed set in an object store, which is far away and fails now and then: the same images, bits
and order, few requests, a bounded cache; and what cannot be had is one sentence.
"""

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from bucket import served
from noise import save_noise
from skips import needs

from convatlas import object_store
from convatlas.data import Augment, Loader, fit_preprocess, open_data, readers
from convatlas.data.packed import block_cache, order, writing
from convatlas.data.packed.checking import check_packed
from convatlas.errors import DataError

pytestmark = needs("boto3 is not installed (extra shards)", "boto3")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A folder that a server has as bucket/photos, and the images as they were."""
    root = tmp_path_factory.mktemp("store")
    for i in range(90):
        (root / "f" / f"class{i % 3}").mkdir(parents=True, exist_ok=True)
        save_noise(root / "f" / f"class{i % 3}" / f"{i}.png", (14, 12), "RGB", i)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "SHARD", 40_000)
        writing.pack([root / "f"], root / "s" / "bucket" / "photos", workers=1)
    return root


@pytest.fixture
def bucket(store, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr(object_store, "PAUSES", (0.01, 0.02, 0.04, 0.08))
    monkeypatch.setattr(order, "BLOCK", 16)
    monkeypatch.setattr("convatlas.data.packed.shelf.BLOCK", 16)
    with served(store / "s") as (bucket, address):
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        yield bucket


def batches(data, workers=0):
    prep = fit_preprocess(data, 12, shorter=12)
    augment = Augment(flip=True, shift=1)
    loader = Loader(data.train, prep, 8, 1, augment, workers, memory_limit=0, classes=3)
    return [tensor for epoch in (0, 1) for batch in loader.epoch(epoch) for tensor in batch]


def equal(one, other):
    return len(one) == len(other) and all(map(torch.equal, one, other))


@pytest.mark.parametrize("workers", [0, 3])
def test_the_same_batches_from_far_away(store, bucket, workers):
    far = open_data("s3://bucket/photos")
    assert far.fingerprint == open_data(store / "f").fingerprint
    assert equal(batches(open_data(store / "f")), batches(far, workers))


def test_blocks_are_fetched_once(bucket):
    data = open_data("s3://bucket/photos")
    assert bucket.requests == 1  # the index
    batches(data)
    blocks = -(-90 // 16)
    assert bucket.requests <= 1 + blocks + 2  # which lie in three shards
    before = bucket.requests
    batches(open_data("s3://bucket/photos/"))
    assert bucket.requests == before + 1


def test_one_percent_of_failures_changes_nothing(store, bucket, monkeypatch):
    """Far more than 1 %: every seventh request, in five ways."""
    wanted = batches(open_data(store / "f"))
    monkeypatch.setattr(block_cache, "SHARE", 10**12)  # no room: every image is a request
    bucket.every, bucket.hows, bucket.pause = 7, (500, "reset", 503, "short", "late"), 0.3
    assert equal(wanted, batches(open_data("s3://bucket/photos")))
    assert bucket.failed > 15


def test_a_lost_connection_is_one_sentence_after_some_tries(bucket):
    data = open_data("s3://bucket/photos")
    bucket.down = True
    with pytest.raises(DataError, match=r"could not be read in 5 tries over \d+ seconds") as caught:
        data.train.read(0)
    assert "with --resume" in str(caught.value)
    assert caught.value.reasons


def test_all_tries_are_over_before_a_reader_is_given_up():
    """Else the run would end with a sentence about a silent reader."""
    tries = sum(object_store.PAUSES) + (len(object_store.PAUSES) + 1) * object_store.ANSWER_WITHIN
    assert block_cache.WAIT + tries < readers.TIMEOUT


def test_a_connection_that_comes_back_is_gone_on_with(bucket, monkeypatch):
    monkeypatch.setattr(object_store, "PAUSES", (0.2, 0.2, 0.2))
    data, pauses = open_data("s3://bucket/photos"), []
    bucket.down = True

    def wait(seconds):
        pauses.append(seconds)
        bucket.down = len(pauses) < 3

    monkeypatch.setattr(time, "sleep", wait)
    assert data.train.read(0).shape == (3, 12, 14)
    assert pauses == [0.2, 0.2, 0.2]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("s3://nowhere/photos", "is not there"),
        ("s3://bucket/other", "is not there"),
        ("s3://bucket", "is not there"),
        ("s3://private/photos", "may not be read"),
        ("s3://", "names no bucket; give s3://BUCKET/PATH"),
        ("s3://no bucket!/x", "check the bucket and the path"),
    ],
)
def test_what_cannot_be_had_is_said_at_once(bucket, address, words):
    with pytest.raises(DataError, match=words) as caught:
        open_data(address)
    assert "\n" not in str(caught.value)
    assert bucket.requests <= 1


def test_without_credentials_it_is_said_what_to_give(bucket, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(DataError, match="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        open_data("s3://bucket/photos")


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    with pytest.raises(DataError, match=r"pip install 'convatlas\[shards\]'"):
        open_data("s3://bucket/photos")


def test_a_shard_that_is_gone_and_one_that_changed_are_named(store, bucket, tmp_path):
    place_of_it = bucket.root / "bucket" / "broken"
    shutil.copytree(bucket.root / "bucket" / "photos", place_of_it)
    try:
        data = open_data("s3://bucket/broken")
        row = int(data.train.rows[0])
        path = place_of_it / data.train.shelf.files[data.train.shelf.index.shard[row]]
        content = bytearray(path.read_bytes())
        content[int(data.train.shelf.index.offset[row]) + 30] ^= 1
        path.write_bytes(content)
        with pytest.raises(DataError, match=rf"damaged in its shard .*{path.name}"):
            data.train.read(0)
        path.unlink()
        data = open_data("s3://bucket/broken")
        with pytest.raises(DataError, match=rf"the shard .*{path.name}' is not there"):
            data.train.read(0)
    finally:
        shutil.rmtree(place_of_it)


@pytest.mark.parametrize("room", [True, False])
@pytest.mark.parametrize("share", [0, 0.3, 0.99])
def test_a_shard_that_is_cut_short_is_named_at_once(bucket, monkeypatch, room, share):
    """It is no lost connection, for which one waits."""
    monkeypatch.setattr(time, "sleep", None)
    if not room:
        monkeypatch.setattr(block_cache, "SHARE", 10**12)
    place_of_it = bucket.root / "bucket" / "short"
    shutil.copytree(bucket.root / "bucket" / "photos", place_of_it)
    try:
        data = open_data("s3://bucket/short")
        shelf, index = data.train.shelf, data.train.shelf.index
        ends = index.offset + index.length
        kept = int(ends[index.shard == 0].max() * share)
        path = place_of_it / shelf.files[0]
        path.write_bytes(path.read_bytes()[:kept])
        gone = np.flatnonzero((index.shard == 0) & (ends > kept)).tolist()
        _, problems = check_packed(data, 0, 60)
        names = index.called()
        assert [one.file for one in problems] == [f"s3://bucket/short/{names[i]}" for i in gone]
        said = f"is damaged in its shard 's3://bucket/short/{path.name}'"
        assert all(one.problem.startswith(said) for one in problems)
    finally:
        shutil.rmtree(place_of_it)


def test_a_set_that_cannot_be_reached_is_no_list_of_broken_images(bucket):
    data = open_data("s3://bucket/photos")
    bucket.down = True
    with pytest.raises(DataError, match="could not be read in 5 tries"):
        check_packed(data, 0, 60)
    assert bucket.requests <= 1 + 16 * 5


@pytest.mark.parametrize(
    "address", ["S3://bucket/photos", "s3:/bucket/photos", "s3://bucket//photos/"]
)
def test_an_address_is_understood_in_any_spelling(bucket, address):
    data = open_data(address)
    assert data.train.called(0).startswith("s3://bucket/photos/class")


def test_what_is_kept_is_looked_at_seldom(bucket, monkeypatch):
    """Else the time for a set of very many blocks would grow with their square."""
    looks, real = [], block_cache._sizes
    monkeypatch.setattr(block_cache, "_sizes", lambda home: looks.append(home) or real(home))
    monkeypatch.setattr(block_cache.BlockCache, "_share", lambda self: 10_000_000)
    cache = open_data("s3://bucket/photos").train.shelf.cache
    for number in range(300):
        cache.read(number, [(0, 1)], 1000, lambda: bytes(1000))
    assert len(looks) <= 3
    assert len([*cache.folder.iterdir()]) == 600  # each has a lock


def test_a_block_that_was_damaged_here_is_fetched_again(store, bucket):
    wanted = batches(open_data(store / "f"))
    data = open_data("s3://bucket/photos")
    assert equal(wanted, batches(data))
    for path in data.train.shelf.cache.folder.iterdir():
        if path.suffix != ".lock":
            path.write_bytes(bytes(path.stat().st_size))
    assert equal(wanted, batches(data))


def kept(home: Path) -> int:
    files = (path for path in home.rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in files)


def test_what_is_kept_is_bounded(store, bucket, monkeypatch):
    """Room for all six blocks, for two, for none; and a disk that takes nothing."""
    wanted = batches(open_data(store / "f"))
    monkeypatch.setattr(order, "FULLY", 10)
    monkeypatch.setattr(order, "WINDOW", 1)
    monkeypatch.setattr("convatlas.data.packed.shelf.WINDOW", 1)
    by_blocks = None
    for limit in (2**40, 100_000, 5):
        shutil.rmtree(block_cache._home(), ignore_errors=True)
        monkeypatch.setattr(block_cache.BlockCache, "_share", lambda self, limit=limit: limit)
        found = batches(open_data("s3://bucket/photos"))
        by_blocks = by_blocks or found
        assert equal(by_blocks, found)
        assert kept(block_cache._home()) <= limit
        assert (kept(block_cache._home()) > 0) == (limit > 100)
    monkeypatch.setattr(block_cache.BlockCache, "_share", lambda self: 2**40)
    shutil.rmtree(block_cache._home(), ignore_errors=True)
    block_cache._home().parent.mkdir(parents=True, exist_ok=True)
    block_cache._home().write_text("no folder")
    assert equal(by_blocks, batches(open_data("s3://bucket/photos")))
    assert not equal(by_blocks, wanted)


def test_a_sample_of_a_set_too_large_to_keep_asks_for_its_images_only(bucket, monkeypatch):
    """Standardising looks at some images all over the set, whose blocks nobody will need soon."""
    monkeypatch.setattr(order, "FULLY", 10)
    monkeypatch.setattr("convatlas.data.packed.shelf.WINDOW", 1)
    monkeypatch.setattr(block_cache.BlockCache, "_share", lambda self: 100_000)
    monkeypatch.setattr("convatlas.data.preprocess.SAMPLE", 5)
    data = open_data("s3://bucket/photos")
    fit_preprocess(data, 12, shorter=12)
    assert bucket.requests == 1 + 5
    assert bucket.bytes < 20_000 + 2 * len(data.train.shelf.place.index())


def test_readers_of_one_machine_share_what_they_fetch(bucket):
    batches(open_data("s3://bucket/photos"), workers=4)
    assert bucket.requests <= 1 + 6 + 3


def test_a_process_that_was_forked_asks_for_itself(bucket):
    """Three readers, of a process whose own client has been used."""
    data = open_data("s3://bucket/photos")
    data.train.read(0)
    client = data.train.shelf.place.store.client()
    assert client is data.train.shelf.place.store.client()
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, b"1" if data.train.shelf.place.store.client() is not client else b"0")
        os._exit(0)
    os.wait()
    assert os.read(read, 1) == b"1"


def test_sides_and_lengths_cost_no_request(bucket):
    data = open_data("s3://bucket/photos")
    assert {data.train.size(i) for i in range(len(data.train))} == {(12, 14)}
    assert np.all(data.train.shelf.index.length > 0)
    assert bucket.requests == 1
