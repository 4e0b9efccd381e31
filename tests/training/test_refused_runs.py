"""Runs that cannot be: refused before the first step, or stopped with the way on."""

from pathlib import Path

import pytest
from PIL import Image
from short_runs import SMALL, StopAt

from convatlas.errors import (
    DataError,
    RunError,
    Stopped,
    UnknownNetwork,
)
from convatlas.training import train


def images_in(folder: Path, classes: str, each: int = 8) -> Path:
    for shade, label in enumerate(classes):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for i in range(each):
            Image.new("L", (28, 28), 25 * shade + i).save(folder / label / f"{i}.png")
    return folder


def test_other_classes_or_images_on_resume_are_refused_with_both_lists(tmp_path):
    recipe = SMALL.change(data=str(images_in(tmp_path / "set", "ab")), batch_size=4)
    with pytest.raises(Stopped):
        train(recipe, tmp_path / "run", callback=StopAt(1))
    (tmp_path / "set" / "a" / "7.png").unlink()
    with pytest.raises(RunError, match=r"the images of .* changed since the run"):
        train(recipe, tmp_path / "run", resume=True)
    images_in(tmp_path / "set", "abc")
    with pytest.raises(
        RunError, match=r"begun with 2 classes \(a, b\), and .* now has 3 \(a, b, c\)"
    ):
        train(recipe, tmp_path / "run", resume=True)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        RunError, match=r"cannot write in the run folder .*file/run: Not a directory; .*--output"
    ):
        train(SMALL, tmp_path / "file" / "run")


@pytest.mark.parametrize("name", ["log.jsonl", "metrics.json"])
def test_a_file_that_cannot_be_written_is_named_with_the_way_on(tmp_path, name):
    class Block(StopAt):
        def step(self, progress, loss, rate):
            if progress.step == 3:
                (tmp_path / name).mkdir()

    with pytest.raises(RunError, match=rf"{name}: .*; .* --resume {tmp_path}"):
        train(SMALL, tmp_path, callback=Block(0))
    (tmp_path / name).rmdir()
    assert train(SMALL, tmp_path, resume=True)["steps"] == 8


def test_a_broken_test_image_is_found_before_the_first_step(tmp_path):
    for split in ("train", "test"):
        images_in(tmp_path / "set" / split, "ab")
    (tmp_path / "set" / "test" / "b" / "3.png").write_bytes(b"not an image")
    with pytest.raises(DataError, match=r"3\.png"):
        train(SMALL.change(data=str(tmp_path / "set")), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_nothing_is_left_behind_by_a_wrong_name_size_or_data_set(tmp_path):
    folder = tmp_path / "run"
    for change, error in [
        ({"network": "lenet6"}, UnknownNetwork),
        ({"size": 5}, ValueError),
        ({"data": str(tmp_path / "gone")}, ValueError),
    ]:
        with pytest.raises(error):
            train(SMALL.change(**change), folder)
    assert not folder.exists()


def test_an_illegal_size_names_the_network_and_the_sizes(tmp_path):
    with pytest.raises(
        ValueError, match=r"alexnet reads images from 224x224 to \d+x\d+ pixels, not 64x64"
    ):
        train(SMALL.change(network="alexnet", size=64), tmp_path)
