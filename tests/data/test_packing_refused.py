"""Whatever is wrong with a packed set, or with what is to be packed, is one sentence, and nothing
is left half written.
"""

import errno
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convatlas.data import fit_preprocess, open_data
from convatlas.data.packed import index, place, writing
from convatlas.errors import DataError

PARTS = ("train", "val", "test")


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
        {"older_fingerprints": []},
        {"older_fingerprints": {"auto": "a"}},
        {"older_fingerprints": {"auto": [1]}},
    ],
)
def test_an_index_that_says_nonsense_is_refused(copy, said):
    rewritten(copy, said)
    refused(copy, "is damaged", "pack the set again")


@pytest.mark.parametrize(
    "fingerprints", [{}, {"auto": ["", ""]}, {"auto": ["", ""], "val": ["", 1]}, {"auto": 1}, []]
)
def test_an_index_without_its_fingerprints_is_refused(copy, fingerprints):
    rewritten(copy, {"fingerprints": fingerprints})
    refused(copy, "makes no sense")


def test_an_index_that_promises_more_than_there_is_takes_no_memory(copy):
    """By someone who signs it as well: half a terabyte, in a shard of some kilobytes."""
    found = rewritten(copy)
    last = int(found["offset"].argmax())
    found["length"] = found["length"].copy()
    found["length"][last] = 2**39
    arrays = {name: found[name] for name in index.KINDS}
    rewritten(copy, {"index": index.Index(**arrays).fingerprint()}, length=found["length"])
    refused(copy, "is damaged in its shard")


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


def test_a_target_that_is_not_empty_is_left_alone(photos, tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name, words in (("p", "is not empty"), ("file", "is a file")):
        with pytest.raises(DataError, match=words):
            writing.pack([photos / "f"], tmp_path / name)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "mine.txt", "p"]


def test_a_target_within_the_source_is_refused(make_folder):
    root = make_folder({"cat": 3, "dog": 3})
    with pytest.raises(DataError, match="which is to be packed; name a new folder elsewhere"):
        writing.pack([root], root / "packed")
    assert sorted(path.name for path in root.iterdir()) == ["cat", "dog"]


def test_a_whole_disk_is_refused_before_the_work(photos, tmp_path, monkeypatch):
    """A new disk is an empty folder, and nothing can be renamed to it."""
    (tmp_path / "disk").mkdir()
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == tmp_path / "disk")
    with pytest.raises(DataError, match="is a whole disk; name a new folder in it"):
        writing.pack([photos / "f"], tmp_path / "disk")
    writing.pack([photos / "f"], tmp_path / "disk" / "p", workers=1)


def test_a_link_to_an_empty_folder_is_packed_into(photos, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    writing.pack([photos / "f"], tmp_path / "link", workers=1)
    assert (tmp_path / "link").is_symlink()
    assert open_data(tmp_path / "there").fingerprint == open_data(photos / "f").fingerprint


def test_a_packed_set_is_not_packed_again(photos, tmp_path):
    with pytest.raises(DataError, match="is packed already; pack the folder"):
        writing.pack([photos / "p"], tmp_path / "q")


def test_a_file_far_larger_than_its_pixels_need_is_named_and_not_read(
    make_folder, tmp_path, monkeypatch
):
    root = make_folder({"cat": 3, "dog": 3})
    with open(root / "cat" / "1.png", "r+b") as file:
        file.truncate(2**40)  # which takes no room
    with pytest.raises(DataError, match=r"cat/1.png' is a file of 1,099.5 GB for 12 x 10 pixels"):
        writing.pack([root], tmp_path / "p", size=16, workers=1)


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


@pytest.mark.parametrize("words", [{"size": 8}, {"size": 20, "quality": 0}, {"bad_images": "no"}])
def test_nonsense_is_refused(photos, tmp_path, words):
    with pytest.raises(DataError, match="not allowed"):
        writing.pack([photos / "f"], tmp_path / "p", **words)
