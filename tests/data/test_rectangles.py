"""Boxes drawn by lot: inside the image, of the printed distribution, and exact where everything is
known.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convatlas.data import Augment
from convatlas.data.augment import COLUMNS
from convatlas.data.keyed_random import draws
from convatlas.data.rectangles import cutmix_box, erased_box, inception_crop, scaled_crop
from convatlas.errors import DataError

N = 20_000


def u_of(**values: float) -> dict[str, float]:
    return {name: values.get(name, 0.5) for name in COLUMNS}


def drawn(n: int = N, seed: int = 0) -> list[dict[str, float]]:
    return [
        dict(zip(COLUMNS, row, strict=True))
        for row in draws(seed, 0, range(n), len(COLUMNS)).tolist()
    ]


@given(
    h=st.integers(1, 400),
    w=st.integers(1, 400),
    index=st.integers(0, 10**6),
    area=st.tuples(st.floats(0.01, 1), st.floats(0.01, 1)).map(sorted),
    ratio=st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)).map(sorted),
)
@settings(max_examples=300, deadline=None)
def test_every_box_lies_inside_and_is_not_empty(h, w, index, area, ratio):
    u = dict(zip(COLUMNS, draws(1, 2, [index], len(COLUMNS))[0].tolist(), strict=True))
    boxes = [inception_crop(h, w, u, tuple(area), tuple(ratio)), scaled_crop(h, w, u, (32, 48), 32)]
    for top, left, height, width in boxes:
        assert 0 <= top <= top + height <= h and height > 0
        assert 0 <= left <= left + width <= w and width > 0


def test_an_inception_crop_by_hand():
    """Half of 100 x 200 pixels, ratio 1: 100 x 100; placed by the last fourth of 101 columns."""
    u = u_of(crop_area0=0.5, crop_ratio0=0.5, crop_y=0.9, crop_x=0.75)
    assert inception_crop(100, 200, u, (0.0001, 0.9999), (0.5, 2)) == (0, 75, 100, 100)
    wide = u_of(crop_area0=0.0, crop_ratio0=np.nextafter(1, 0), crop_y=0.0, crop_x=0.0)
    assert inception_crop(100, 100, wide, (0.25, 1), (0.25, 4)) == (0, 0, 25, 100)


def test_a_shape_that_does_not_fit_is_drawn_again_and_after_ten_the_middle_is_taken():
    u = u_of(
        crop_area0=0.999, crop_ratio0=0.999, crop_area1=0.0, crop_ratio1=0.5, crop_y=0.0, crop_x=0.0
    )
    assert inception_crop(100, 100, u, (0.25, 1), (0.25, 4)) == (0, 0, 50, 50)
    never = u_of(**{f"crop_area{i}": 0.999 for i in range(10)})
    assert inception_crop(10, 200, never, (0.9, 1), (3 / 4, 4 / 3)) == (0, 93, 10, 13)
    assert inception_crop(200, 10, never, (0.9, 1), (3 / 4, 4 / 3)) == (93, 0, 13, 10)
    whole = u_of(**{f"crop_ratio{i}": 0.0 for i in range(10)})
    assert inception_crop(20, 20, whole, (1, 1), (0.5, 2)) == (0, 0, 20, 20)


def test_inception_areas_are_uniform_and_ratios_log_uniform():
    """An image large enough that hardly anything is drawn again: the deciles of both are those of
    the definition.
    """
    boxes = np.array([inception_crop(1000, 1000, u, (0.08, 0.5), (3 / 4, 4 / 3)) for u in drawn()])
    area = boxes[:, 2] * boxes[:, 3] / 1e6
    ratio = np.log(boxes[:, 3] / boxes[:, 2])
    deciles = np.linspace(0.1, 0.9, 9)
    assert np.quantile(area, deciles) == pytest.approx(0.08 + 0.42 * deciles, abs=0.01)
    assert np.quantile(ratio, deciles) == pytest.approx(np.log(4 / 3) * (2 * deciles - 1), abs=0.01)
    free = (1000 - boxes[:, 2], 1000 - boxes[:, 3])
    for axis in (0, 1):
        assert np.quantile(boxes[:, axis] / free[axis], deciles) == pytest.approx(deciles, abs=0.02)


def test_inception_crops_are_distributed_as_torchvisions():
    import torch
    from torchvision.transforms.v2 import RandomResizedCrop

    torch.manual_seed(0)
    theirs_of = RandomResizedCrop(224)
    image = [torch.zeros(3, 300, 500, dtype=torch.uint8)]
    theirs = [theirs_of.make_params(image) for _ in range(4000)]
    theirs = np.array([[p["top"], p["left"], p["height"], p["width"]] for p in theirs])
    ours = np.array([inception_crop(300, 500, u, (0.08, 1.0), (3 / 4, 4 / 3)) for u in drawn(4000)])
    for column in range(4):
        both = np.sort(np.concatenate([theirs[:, column], ours[:, column]]))
        distance = (
            np.abs(
                np.searchsorted(np.sort(theirs[:, column]), both, "right")
                - np.searchsorted(np.sort(ours[:, column]), both, "right")
            ).max()
            / 4000
        )
        assert distance < 1.95 * np.sqrt(2 / 4000)  # Kolmogorov-Smirnov at 0.1 %


def test_a_scaled_crop_is_a_plain_one_where_the_image_has_that_size():
    assert scaled_crop(256, 300, u_of(crop_y=0.999, crop_x=0.0), (256,), 224) == (32, 0, 224, 224)
    assert scaled_crop(512, 600, u_of(crop_y=0.0, crop_x=0.999), (256,), 224) == (0, 152, 448, 448)
    assert scaled_crop(100, 100, u_of(crop_resize=0.0), (224, 448), 224) == (0, 0, 100, 100)
    assert scaled_crop(100, 100, u_of(crop_resize=0.9999), (224, 448), 224)[2:] == (50, 50)


def test_every_shorter_side_of_the_range_and_every_place_is_as_likely():
    boxes = np.array([scaled_crop(480, 480, u, (256, 480), 224) for u in drawn()])
    shorter = 224 * 480 / boxes[:, 2]
    assert np.quantile(shorter, [0.25, 0.5, 0.75]) == pytest.approx([312, 368, 424], abs=3)
    tops = np.bincount([scaled_crop(8, 8, u, (8,), 4)[0] for u in drawn()], minlength=5)
    assert tops.min() > N / 5 - 5 * np.sqrt(N / 5)
    assert len(tops) == 5


def test_erasing():
    assert erased_box(32, u_of(erase=0.25), 0.25) is None
    by_hand = u_of(erase=0.1, erase_area0=0.0, erase_ratio0=0.5, erase_y=0.0, erase_x=0.999)
    area, middle = 0.02 * 100**2, np.sqrt(0.3 * 3.3)
    height, width = round(np.sqrt(area / middle)), round(np.sqrt(area * middle))
    assert erased_box(100, by_hand, 0.25) == (0, 100 - width, height, width)
    boxes = [erased_box(224, u, 0.25) for u in drawn()]
    assert np.mean([box is not None for box in boxes]) == pytest.approx(0.25, abs=0.01)
    shares = [box[2] * box[3] / 224**2 for box in boxes if box]
    assert np.quantile(shares, [0.1, 0.5, 0.9]) == pytest.approx([0.051, 0.175, 0.299], abs=0.012)


def test_cutmix_boxes():
    assert cutmix_box(32, 0.25, 0.5, 0.5) == (8, 8, 16, 16)
    assert cutmix_box(32, 0.25, 0.0, 0.999) == (0, 23, 8, 9)
    assert cutmix_box(32, 1.0, 0.5, 0.5) == (0, 0, 32, 32)
    assert cutmix_box(32, 0.0, 0.3, 0.3)[2:] == (0, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"crop": "middle"},
        {"resize": (300, 200)},
        {"resize": (1,)},
        {"resize": (224.0,)},
        {"resize": (1, 2, 3)},
        {"crop_scale": (0.5,)},
        {"crop_scale": (0.0, 1.0)},
        {"crop_scale": (0.5, 1.1)},
        {"crop_ratio": (2, 1)},
        {"auto_augment": "fast"},
        {"sizes": (0,)},
        {"random_erasing": 1.1},
        {"mixup": -1},
        {"lighting": float("nan")},
    ],
)
def test_impossible_wishes_are_refused(wrong):
    with pytest.raises(DataError, match=f"^{next(iter(wrong))} = .* (is not allowed|must be)"):
        Augment(**wrong)
