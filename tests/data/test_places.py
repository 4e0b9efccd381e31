"""Where a distortion acts, and between which bounds: first and last values, rows and columns."""

import numpy as np
import pytest
import torch
from PIL import Image

from convatlas.data import Augment
from convatlas.data.augment import COLUMNS
from convatlas.data.image_cache import sources
from convatlas.data.rectangles import erased_box, scaled_crop
from convatlas.data.split import FileSplit

LAST = np.nextafter(1.0, 0.0)


def draws(**values: float) -> dict[str, float]:
    return {name: values.get(name, 0.5) for name in COLUMNS}


def test_the_largest_shorter_side_of_a_range_is_drawn_too():
    lengths = {scaled_crop(100, 100, draws(crop_resize=u), (50, 51), 50)[2] for u in (0.0, LAST)}
    assert lengths == {100, 98}, "50 of 50 pixels, and 50 of 51"


@pytest.mark.parametrize(("u", "side"), [(0.0, 24), (0.4, 32), (LAST, 48)])
def test_every_size_of_a_list_is_drawn(u, side):
    assert Augment(sizes=(24, 32, 48)).side(32, u) == side


def test_the_erased_box_lies_where_it_was_drawn():
    row = draws(erase=0.0, erase_area0=0.3, erase_ratio0=0.9, erase_y=0.0, erase_x=LAST)
    top, left, height, width = erased_box(16, row, 1.0)
    assert height != width, "else rows could be columns"
    assert top != left
    x = torch.ones(1, 2, 16, 16)
    erased = Augment(random_erasing=1.0).erase(x, np.array([list(row.values())]))
    expected = torch.ones(16, 16)
    expected[top : top + height, left : left + width] = 0
    assert torch.equal(erased[0, 1], expected)


def test_crops_of_another_size_are_cut_from_images_decoded_for_it(tmp_path):
    """A large JPEG is decoded smaller, as far as the crops allow; what is kept is of one size."""
    Image.new("RGB", (256, 256)).save(tmp_path / "0.jpg")
    split = FileSplit(tmp_path, torch.tensor([0]), ["0.jpg"])
    assert [sources(split, at_least)[0].shape[1] for at_least in (32, 128, 200)] == [32, 128, 256]
