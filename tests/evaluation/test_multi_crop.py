"""Each way to test shows exactly the crops that its paper names; here they are cut by hand, with
numpy.
"""

import numpy as np
import pytest
import torch

from convatlas.data import shorter_side_at
from convatlas.errors import MultiCropError
from convatlas.evaluation import MultiCrop


def image(h, w, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (3, h, w), dtype=np.uint8))


def mirrored(crops):
    return [*crops, *(crop[..., ::-1] for crop in crops)]


def same(views, by_hand):
    assert views.shape[0] == len(by_hand)
    for view, crop in zip(views.numpy(), by_hand, strict=True):
        assert np.array_equal(view, crop)


def test_ten_crops_of_a_landscape_are_cut_from_its_central_square():
    landscape = image(8, 14)
    square = landscape.numpy()[:, :, 3:11]
    by_hand = [
        square[:, :5, :5],
        square[:, :5, 3:],
        square[:, 3:, :5],
        square[:, 3:, 3:],
        square[:, 2:7, 2:7],
    ]
    [views] = MultiCrop("10", (8,)).of(landscape, 5)
    same(views, mirrored(by_hand))


@pytest.mark.parametrize("portrait", [False, True])
def test_144_crops_are_four_scales_three_squares_six_crops_and_their_mirrors(portrait):
    """At the size it already has, the squares can be cut by hand; the scaled whole is checked by
    its mean colours.
    """
    seen = image(20, 12) if portrait else image(12, 20)
    pixels = seen.numpy()
    views = MultiCrop("144", (12,)).of(seen, 7)[0]
    assert views.shape == (36, 3, 7, 7)
    for number, start in enumerate((0, 4, 8)):
        square = pixels[:, start : start + 12] if portrait else pixels[:, :, start : start + 12]
        by_hand = [
            square[:, :7, :7],
            square[:, :7, 5:],
            square[:, 5:, :7],
            square[:, 5:, 5:],
            square[:, 2:9, 2:9],
        ]
        same(views[6 * number : 6 * number + 5], by_hand)
        same(views[18 + 6 * number : 18 + 6 * number + 5], [crop[..., ::-1] for crop in by_hand])
        whole = views[6 * number + 5].numpy()
        assert np.abs(whole.mean((1, 2)) - square.mean((1, 2))).max() < 4
        assert np.array_equal(views[18 + 6 * number + 5].numpy(), whole[..., ::-1])


@pytest.mark.parametrize(
    ("crops", "side", "sizes", "count"),
    [
        ("144", 224, (256, 288, 320, 352), 144),
        ("10", 224, (256,), 10),
        ("10", 227, (259,), 10),
        ("dense", 224, (256,), 2),
    ],
)
def test_the_papers_sizes_and_counts_are_the_defaults(crops, side, sizes, count):
    views = MultiCrop(crops)
    assert views.sizes_for(side) == sizes
    assert views.count(side) == count
    assert sum(len(stack) for stack in views.of(image(260, 270), side)) == count


def test_the_whole_square_is_scaled_with_antialiasing():
    [views] = MultiCrop("144", (64,)).of(torch.full((1, 64, 64), 9, dtype=torch.uint8), 32)
    assert views.unique().tolist() == [9]
    board = (torch.arange(64)[:, None] + torch.arange(64)) % 2 * 200
    [views] = MultiCrop("144", (64,)).of(board.to(torch.uint8)[None], 32)
    assert (views[5].float() - 100).abs()[
        :, 2:-2, 2:-2
    ].max() <= 1  # every second pixel alone would be 0 or 200


def test_dense_shows_the_whole_image_at_every_size():
    views = MultiCrop("dense", (8, 16)).of(image(8, 14), 8)
    assert [tuple(stack.shape) for stack in views] == [(2, 3, 8, 14), (2, 3, 16, 28)]
    same(views[0], mirrored([image(8, 14).numpy()]))


def test_the_centre_crop_at_several_sizes():
    views = MultiCrop("center", (9, 18)).of(image(9, 13), 5)
    same(views[0], [image(9, 13).numpy()[:, 2:7, 4:9]])
    assert views[1].shape == (1, 3, 5, 5)


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((30, 20), (15, 10)),
        ((20, 30), (10, 15)),
        ((20, 20), (10, 10)),
        ((5, 200), (10, 40)),
        ((1, 60_000), (10, 40)),
    ],
)
def test_the_shorter_side_is_what_was_asked_and_a_strip_loses_its_ends(size, wanted):
    assert tuple(shorter_side_at(torch.zeros(1, *size, dtype=torch.uint8), 10).shape[1:]) == wanted


@pytest.mark.parametrize(
    ("views", "says"),
    [
        (("12",), r"crops = '12' is not allowed; allowed: center \| 10 \| 144 \| dense"),
        (("10", (8, 256)), r"sizes = 8: .* no room .* 32 pixels; give sizes of 32 or more"),
    ],
)
def test_what_cannot_be_is_said(views, says):
    with pytest.raises(MultiCropError, match=says):
        MultiCrop(*views).of(image(40, 40), 32)
