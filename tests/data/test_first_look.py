"""What is decoded to see whether it can be stays in memory, and training gets the bits that it
would have decoded itself.
"""

import os

import numpy as np
import pytest
import torch
from PIL import Image

from convatlas.data import Preprocess, first_look, image_cache, open_data, split, survey
from convatlas.data.readers import forks
from convatlas.errors import DataError
from convatlas.training import Recipe, prepare
from convatlas.training.distributed import ProcessGroup

pytestmark = pytest.mark.skipif(not forks(), reason="memory is shared with forked processes only")
RECIPE = Recipe(network="lenet1989", batch_size=8)


@pytest.fixture
def root(make_folder, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(prepare, "READ_ALONE", 0)
    root = make_folder({"a": 20, "b": 20}, size=(19, 17))
    Image.fromarray(np.full((16, 16), 40_000, np.uint16)).save(root / "a/deep.png")
    return root


@pytest.fixture
def decoded(monkeypatch) -> list[str]:
    """The files that are decoded for training, in this process."""
    found, real = [], split.read_image
    monkeypatch.setattr(
        split, "read_image", lambda path, *how: found.append(path.name) or real(path, *how)
    )
    return found


def prepared(root, **change) -> prepare.Prepared:
    recipe, group = RECIPE.change(data=str(root), workers=0, **change), ProcessGroup()
    return prepare.prepare(recipe, group, prepare.gather(recipe, group))


def pixels(ready: prepare.Prepared) -> list[torch.Tensor]:
    return [loader.images for loader in (ready.train, ready.val, ready.test)]


def test_the_first_start_decodes_each_image_once_and_the_bits_are_those_of_the_second(
    root, decoded
):
    first = prepared(root)
    assert decoded == ["deep.png"]  # what is white in it only the whole set says
    del decoded[:]
    second = prepared(root)
    assert len(decoded) == 41
    assert first.prep == second.prep
    assert all(map(torch.equal, pixels(first), pixels(second)))
    assert not image_cache._BEGUN


def test_after_a_change_only_what_is_new_is_decoded_by_the_look(root, decoded):
    whole = prepared(root)
    (root / "b/new.png").write_bytes((root / "a/0.png").read_bytes())
    del decoded[:]
    grown = prepared(root)
    assert len(decoded) == 41 and "new.png" not in decoded
    assert sum(map(len, pixels(grown))) == 42 == sum(map(len, pixels(whole))) + 1


@pytest.mark.parametrize(
    "change",
    [{"check": "none"}, {"check": "sample"}, {"crop": "random", "resize": (32,)}],
)
def test_no_memory_is_taken_where_not_all_are_looked_at_or_each_is_cut_anew(
    root, change, monkeypatch
):
    monkeypatch.setattr(image_cache, "begin", None)
    prepared(root, **change)


def test_without_memory_each_is_decoded_when_it_is_needed(root, monkeypatch):
    monkeypatch.setattr(image_cache, "free_memory", lambda: 0)
    assert not prepared(root).train.in_memory


def test_images_that_are_skipped_leave_the_others_as_they_are(root, monkeypatch):
    monkeypatch.setattr(survey, "SKIPPED_AT_MOST", 0.1)
    (root / "a/3.png").write_bytes(b"no image")
    first = prepared(root, bad_images="skip")
    second = prepared(root, bad_images="skip")
    assert all(map(torch.equal, pixels(first), pixels(second)))
    with pytest.raises(DataError, match=r"a/3\.png"):
        prepared(root)


def test_an_image_that_ends_who_reads_it_is_named_as_ever(root, monkeypatch):
    real = survey.look_through

    def deadly(path, *rest):
        if path.name == "deep.png":
            os._exit(9)
        return real(path, *rest)

    monkeypatch.setattr(survey, "look_through", deadly)
    with pytest.raises(DataError, match=r"deep\.png' kills or hangs the process"):
        prepared(root)


def test_who_does_not_know_the_shape_takes_no_memory(root, monkeypatch):
    monkeypatch.setattr(image_cache, "begin", None)
    assert first_look.first_look(open_data(root), None) is None


class Near:
    rank, size = 0, 2

    def say(self, text):
        return [text, "another shape"]


def test_all_processes_must_know_the_same_shape(root, monkeypatch):
    monkeypatch.setattr(first_look, "neighbours", Near)
    monkeypatch.setattr(image_cache, "begin", None)
    shape = Preprocess(3, 16, (0.0,) * 3, (1.0,) * 3, "resize", 16)
    assert first_look.first_look(open_data(root), shape) is None
