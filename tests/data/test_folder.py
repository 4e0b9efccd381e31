"""Folders: what is found, what is ignored, and what is said of those that cannot be used."""

import os
import re
import shutil

import pytest
import torch
from PIL import Image

from convatlas.data import find_images, fit_preprocess, open_data
from convatlas.data.walk import natural
from convatlas.errors import DataError


def refusal(path, **how) -> str:
    with pytest.raises(DataError) as caught:
        open_data(path, **how)
    return str(caught.value)


def test_a_folder_of_class_folders(make_folder):
    data = open_data(make_folder({"cat": 10, "dog": 20}))
    assert (data.name, data.classes, data.channels, data.ignored) == ("set", ("cat", "dog"), 3, ())
    assert [part.labels.bincount().tolist() for part in (data.train, data.val, data.test)] == [
        [7, 15],
        [1, 1],
        [2, 4],
    ]
    everything = [*data.train.names, *data.val.names, *data.test.names]
    assert sorted(everything) == sorted(
        [f"cat/{i}.png" for i in range(10)] + [f"dog/{i}.png" for i in range(20)]
    )
    assert data.train.read(0).shape == (3, 10, 12)
    assert set(data.train.size(0)) == {10, 12}


def test_classes_and_images_are_in_natural_order(make_folder):
    data = open_data(make_folder({"10": 3, "2": 12, "1": 3, "b": 3, "A": 3}))
    assert data.classes == ("1", "2", "10", "A", "b")
    twos = [name for name in data.train.names if name.startswith("2/")]
    assert twos == sorted(twos, key=lambda name: int(re.findall(r"\d+", name)[1]))
    assert sorted(["a10", "a9", "A9", "a", ""], key=natural) == ["", "a", "A9", "a9", "a10"]


def test_the_test_set_is_the_same_for_every_seed_and_validation_is_not(make_folder):
    root = make_folder({"a": 40, "b": 40})
    one, same, two = open_data(root, seed=1), open_data(root, seed=1), open_data(root, seed=2)
    assert one.test.names == two.test.names
    assert one.val.names == same.val.names != two.val.names
    assert len(open_data(root, val_fraction=0).val) == 0
    assert len(open_data(root, val_fraction=0.5).val) == 32


def test_the_fingerprint_is_of_names_sizes_and_labels(make_folder, tmp_path):
    root = make_folder({"a": 4, "b": 4})
    first = open_data(root).fingerprint
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert open_data(str(root), seed=9).fingerprint == first
    shutil.copytree(root, tmp_path / "elsewhere")
    assert open_data(tmp_path / "elsewhere").fingerprint == first
    with open(root / "a" / "0.png", "ab") as file:
        file.write(b"\0")
    longer = open_data(root).fingerprint
    (root / "a" / "0.png").rename(root / "b" / "9.png")
    assert len({first, longer, open_data(root).fingerprint}) == 3


@pytest.mark.parametrize("name", ["val", "valid", "Validation"])
def test_train_val_test_are_respected(make_folder, name):
    root = make_folder(
        {f"{part}/{c}": n for part, n in (("train", 5), (name, 2), ("test", 3)) for c in "ab"}
    )
    data = open_data(root)
    assert data.classes == ("a", "b")
    assert [len(part) for part in (data.train, data.val, data.test)] == [10, 4, 6]
    assert all(n.startswith(f"{name}/") for n in data.val.names)
    assert all(n.startswith("test/") for n in data.test.names)


def test_what_the_folder_does_not_part_is_held_out_of_train(make_folder, tmp_path):
    with_val = open_data(
        make_folder({"train/a": 10, "train/b": 10, "val/a": 2, "val/b": 2}, root=tmp_path / "1")
    )
    assert [len(part) for part in (with_val.train, with_val.val, with_val.test)] == [16, 4, 4]
    assert all(name.startswith("train/") for name in with_val.test.names)
    with_test = open_data(
        make_folder({"train/a": 10, "train/b": 10, "test/a": 2, "test/b": 2}, root=tmp_path / "2")
    )
    assert [len(part) for part in (with_test.train, with_test.val, with_test.test)] == [18, 2, 4]
    alone = open_data(make_folder({"train/a": 10, "train/b": 10}, root=tmp_path / "3"))
    assert [len(part) for part in (alone.train, alone.val, alone.test)] == [14, 2, 4]


def test_a_class_may_be_called_train(make_folder):
    assert open_data(make_folder({"bus": 3, "train": 3, "plane": 3})).classes == (
        "bus",
        "plane",
        "train",
    )


def test_classes_that_differ_are_both_listed(make_folder):
    message = refusal(
        make_folder({"train/a": 3, "train/b": 3, "train/c": 3, "val/a": 3, "val/c": 3})
    )
    assert "classes of val" in message
    assert "'a', 'c' in" in message
    assert "'a', 'b', 'c' in train" in message


def test_junk_is_ignored_and_counted(make_folder):
    root = make_folder(
        {"a": 4, "b": 4, "__MACOSX": 2, ".ipynb_checkpoints": 1, "a/.cache": 1, "a/deeper": 2}
    )
    for name in ("Thumbs.db", "README.txt", "a/._0.png", "a/notes.csv", "b/Thumbs.db"):
        (root / name).write_text("junk")
    data = open_data(root)
    assert data.classes == ("a", "b")
    assert len(data.train) + len(data.val) + len(data.test) == 10
    assert data.ignored == (
        ".ipynb_checkpoints/0.png",
        "__MACOSX/0.png",
        "__MACOSX/1.png",
        "a/._0.png",
        "a/.cache/0.png",
        "a/notes.csv",
        "b/Thumbs.db",
        "README.txt",
        "Thumbs.db",
    )


def test_strays_beside_train_and_val_are_counted_too(make_folder):
    root = make_folder({"train/a": 4, "train/b": 4, "val/a": 1, "val/b": 1})
    (root / "LICENSE").touch()
    (root / "val" / "x.csv").touch()
    assert open_data(root).ignored == ("LICENSE", "val/x.csv")


def test_extensions_in_any_case(make_folder):
    root = make_folder({"a": 3, "b": 3})
    for name in ("A.JPG", "b.JPEG", "c.jfif", "d.WebP", "e.BMP", "f.TIFF", "g.gif"):
        Image.new("RGB", (4, 4)).save(root / "a" / name, format="PNG")
    data = open_data(root)
    assert sum(part.labels.bincount()[0] for part in (data.train, data.val, data.test)) == 10
    assert not data.ignored


def test_a_loop_of_links_is_entered_once(make_folder):
    root = make_folder({"a": 4, "b": 4})
    (root / "a" / "loop").symlink_to(root, target_is_directory=True)
    (root / "a" / "self").symlink_to(root / "a", target_is_directory=True)
    (root / "b" / "other").symlink_to(root / "a", target_is_directory=True)
    data = open_data(root)
    assert len(data.train) + len(data.val) + len(data.test) == 8
    assert data.ignored == ("a/loop", "a/self", "b/other")
    assert len(find_images(root)) == 8


def test_of_a_folder_and_a_link_to_it_the_folder_is_taken(make_folder):
    root = make_folder({"a": 3, "b": 3, "a/z": 1})
    (root / "a" / "link").symlink_to(root / "a" / "z", target_is_directory=True)
    data = open_data(root)
    assert "a/z/0.png" in [*data.train.names, *data.val.names, *data.test.names]
    assert data.ignored == ("a/link",)


def test_a_class_folder_may_be_a_link(make_folder, tmp_path):
    elsewhere = make_folder({"images": 4}, root=tmp_path / "elsewhere")
    root = make_folder({"a": 4})
    (root / "b").symlink_to(elsewhere / "images", target_is_directory=True)
    assert open_data(root).classes == ("a", "b")


def test_what_is_no_set(make_folder, tmp_path):
    (tmp_path / "file.zip").touch()
    (tmp_path / "empty").mkdir()
    flat = make_folder({".": 3}, root=tmp_path / "flat")
    one = make_folder({"cat": 3}, root=tmp_path / "one")
    hole = make_folder({"cat": 3, "dog": 3, "cow": 0}, root=tmp_path / "hole")
    no_train = make_folder({"val/a": 3, "test/a": 3}, root=tmp_path / "no_train")
    two_vals = make_folder({"train/a": 3, "val/a": 3, "valid/a": 3}, root=tmp_path / "two")
    for path, *said in (
        (tmp_path / "none", "does not exist", "FOLDER/cat/"),
        (tmp_path / "file.zip", "unpack it"),
        (tmp_path / "empty", "no class folders", "FOLDER/cat/"),
        (flat, "no class folders, only 3 loose images", "FOLDER/cat/"),
        (one, "images of one class only, 'cat'", "FOLDER/cat/"),
        (hole, "cow' holds no images", "remove the folder"),
        (no_train, "no folder 'train'", "FOLDER/cat/"),
        (two_vals, "'val', 'valid'", "keep one"),
    ):
        message = refusal(path)
        assert str(path) in message
        assert all(part in message for part in said), message


def test_too_few_images_of_a_class(make_folder, tmp_path):
    assert "class 'b' has 2; every class needs 3" in refusal(make_folder({"a": 5, "b": 2}))
    root = make_folder(
        {"train/a": 5, "train/b": 2, "test/a": 1, "test/b": 1}, root=tmp_path / "parted"
    )
    assert len(open_data(root).val) == 2
    (root / "train" / "b" / "1.png").unlink()
    assert "every class needs 2" in refusal(root)
    assert len(open_data(root, val_fraction=0).train) == 6


def test_channels_are_read_from_headers(make_folder, tmp_path):
    grey = make_folder({"a": 4, "b": 4}, mode="L", root=tmp_path / "grey")
    assert open_data(grey).channels == 1
    Image.new("RGB", (4, 4)).save(grey / "b" / "0.png")
    data = open_data(grey)
    assert data.channels == 3
    assert fit_preprocess(data, 8).channels == 3


@pytest.mark.parametrize("workers", [0, 2])
def test_all_broken_images_are_named_at_once(make_folder, workers):
    root = make_folder({"a": 60, "b": 60})
    data = open_data(root)
    broken = data.train.names[::4][:22]
    for name in broken:
        (root / name).write_bytes(b"")
    os.mkfifo(root / "a" / "pipe.png")  # came after the set was opened: no part of it
    with pytest.raises(DataError) as caught:
        fit_preprocess(data, 8, workers=workers)
    lines = str(caught.value).splitlines()
    assert lines[0] == "22 images cannot be used:"
    assert lines[-1].strip() == "and 2 more"
    assert len(lines) == 22
    assert all(
        name in line and "is empty" in line for name, line in zip(broken, lines[1:-1], strict=False)
    )
    assert len(caught.value.reasons) == 22


def test_what_cannot_be_opened_is_found_but_named(make_folder):
    root = make_folder({"a": 3, "b": 3})
    os.mkfifo(root / "a" / "pipe.png")
    (root / "b" / "dead.png").symlink_to(root / "gone.png")
    data = open_data(root, val_fraction=0)
    names = {*data.train.names, *data.test.names}
    assert {"a/pipe.png", "b/dead.png"} <= names
    messages = []
    for part in (data.train, data.test):
        for i in range(len(part)):
            try:
                part.read(i)
            except DataError as refused:
                messages.append(str(refused))
    assert sorted("not a file" in m for m in messages) == [False, True]


def test_find_images(make_folder, tmp_path):
    root = make_folder({"a": 12, "b": 1})
    (root / "b" / "notes.txt").touch()
    found = find_images([root / "b" / "0.png", root, str(root / "a" / "3.png")])
    assert found == [root / "b" / "0.png", *(root / "a" / f"{i}.png" for i in range(12))]
    assert find_images(str(root / "b" / "notes.txt")) == [
        root / "b" / "notes.txt"
    ]  # named outright: kept
    (tmp_path / "bare").mkdir()
    for paths, said in (
        ([tmp_path / "none.png"], "does not exist"),
        ([tmp_path / "bare"], "holds no images"),
        ([], "no image was named"),
    ):
        with pytest.raises(DataError, match=said):
            find_images(paths)


def test_a_image_read_through_the_set_is_upright(make_folder):
    root = make_folder({"a": 3, "b": 3})
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (6, 4)).save(root / "a" / "0.png", exif=exif)
    data = open_data(root, val_fraction=0)
    part = data.train if "a/0.png" in data.train.names else data.test
    assert part.read(part.names.index("a/0.png")).shape == (3, 6, 4)
    assert torch.is_tensor(part.labels)
