"""Published weights on pictures as people have them: grey, transparent, turned, tiny, huge."""

import numpy as np
import pytest
import torch
import torchvision.models as tv
from PIL import Image

import convatlas
from convatlas.cli import run as command

NAME = "squeezenet1_1"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    torch.manual_seed(0)
    theirs = tv.squeezenet1_1()
    torch.nn.init.normal_(theirs.classifier[1].weight)
    path = tmp_path_factory.mktemp("odd") / "w.pth"
    torch.save(theirs.state_dict(), path)
    return convatlas.open_network(NAME, path)


@pytest.fixture(scope="module")
def photo():
    colours = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    return Image.fromarray(colours).resize((90, 60), Image.Resampling.BICUBIC)


def answer(saved, picture, tmp_path, name="a.png", **how):
    """Of a file, as read from the disk."""
    picture.save(tmp_path / name, **how)
    (found,) = saved(tmp_path / name, top=3)
    assert not found.problem
    return found.classes, found.probabilities


def test_grey_is_grey_in_three_channels(saved, photo, tmp_path):
    grey = photo.convert("L")
    expected = answer(saved, grey.convert("RGB"), tmp_path)
    assert answer(saved, grey, tmp_path) == expected
    assert answer(saved, grey.convert("LA"), tmp_path) == expected
    assert saved(grey, top=3)[0].classes == expected[0]


def test_opaque_and_palette_pictures_are_their_colours(saved, photo, tmp_path):
    few = photo.quantize(64)
    expected = answer(saved, photo, tmp_path)
    assert answer(saved, photo.convert("RGBA"), tmp_path) == expected
    assert answer(saved, few, tmp_path) == answer(saved, few.convert("RGB"), tmp_path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photograph_is_seen_upright(saved, photo, tmp_path, orientation):
    """As cameras write them: the pixels as the sensor lay, and how to turn them."""
    ways = {
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }
    lying = photo
    for way in ways.get(orientation, []):
        lying = lying.transpose(way)
    exif = Image.Exif()
    exif[0x0112] = orientation
    expected = answer(saved, photo, tmp_path)
    assert answer(saved, lying, tmp_path, "turned.png", exif=exif) == expected
    assert orientation == 1 or answer(saved, lying, tmp_path) != expected


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (2000, 1)])
def test_of_one_colour_any_size_answers_alike(saved, tmp_path, size):
    expected = answer(saved, Image.new("RGB", (300, 300), (200, 40, 90)), tmp_path)
    assert answer(saved, Image.new("RGB", size, (200, 40, 90)), tmp_path) == expected


def test_a_huge_picture_is_a_problem_of_its_own(saved, photo, tmp_path, capsys):
    Image.new("1", (9000, 9000)).save(tmp_path / "huge.png")
    photo.save(tmp_path / "good.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "good.png").read_bytes()[:300])
    files = [tmp_path / name for name in ("huge.png", "good.png", "cut.png")]
    huge, good, cut = saved(files)
    assert "9000 x 9000 pixels, more than the limit of 64" in huge.problem
    assert (good.problem, bool(cut.problem)) == ("", True)
    words = ["predict", NAME, "--weights", str(saved.provenance["weights"])]
    assert command([*words, *map(str, files)]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 3
