"""Distortions: each does what its name says, exactly where pixels only move, and an image depends
on its own draws.
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convatlas.data import Augment
from convatlas.data.augment import COLUMNS
from convatlas.data.keyed_random import draws
from convatlas.data.policies import POLICIES
from convatlas.errors import DataError

EVERYTHING = Augment(pad=3, flip=True, shift=1.5, rotate=15, scale=0.2, squeeze=0.1, shear=0.2)


def images(n: int = 6, c: int = 1, side: int = 12, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(
        np.random.default_rng(seed).integers(0, 256, (n, c, side, side), dtype=np.uint8)
    )


def drawn(**values: float) -> np.ndarray:
    """One row of draws: 0.5, which is no distortion, wherever nothing else is said."""
    return np.array([[values.get(name, 0.5) for name in COLUMNS]])


def almost_one(u: float = 1.0) -> float:
    return np.nextafter(u, 0)


def smooth(side: int = 33) -> torch.Tensor:
    """A blob off the centre, (1, 1, side, side): its centre of mass and spread say
    where it went.
    """
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    blob = 255 * np.exp(-((x - 4) ** 2 + (y - 2) ** 2) / 18)
    return torch.from_numpy(blob.round().astype(np.uint8))[None, None]


def moments(image: torch.Tensor) -> np.ndarray:
    """Centre of mass (x, y), counted from the middle."""
    values = image.double().numpy()[0, 0]
    y, x = np.mgrid[: len(values), : len(values)] - (len(values) - 1) / 2
    return np.array([(values * x).sum(), (values * y).sum()]) / values.sum()


def test_nothing_asked_nothing_done():
    x = images()
    assert Augment().apply(x, draws(0, 0, range(6), len(COLUMNS))) is x


@pytest.mark.parametrize(
    ("u_y", "u_x", "dy", "dx"),
    [(0.0, 0.0, -2, -2), (0.5, 0.5, 0, 0), (0.99, 0.2, 2, -1), (0.61, 0.5, 1, 0)],
)
def test_pad_moves_by_whole_pixels_over_black(u_y, u_x, dy, dx):
    x = images(1, 3)
    moved = Augment(pad=2).apply(x, drawn(pad_y=u_y, pad_x=u_x))
    expected = torch.zeros_like(x)
    side = x.shape[-1]
    for i in range(side):
        for j in range(side):
            if 0 <= i + dy < side and 0 <= j + dx < side:
                expected[..., i, j] = x[..., i + dy, j + dx]
    assert moved.dtype == torch.uint8
    assert torch.equal(moved, expected)


def test_every_offset_is_as_likely_and_half_the_images_are_mirrored():
    n, marker = 20_000, torch.zeros(1, 1, 7, 7, dtype=torch.uint8)
    marker[..., 3, 3], marker[..., 3, 4] = 1, 2
    moved = (
        Augment(pad=2, flip=True)
        .apply(marker.expand(n, -1, -1, -1), draws(0, 0, range(n), len(COLUMNS)))
        .numpy()
    )
    _, _, rows, columns = np.nonzero(moved == 1)
    counts = np.bincount((rows - 1) * 5 + columns - 1, minlength=25)
    assert len(rows) == n
    assert counts.min() > n / 25 - 5 * np.sqrt(n / 25)
    assert counts.max() < n / 25 + 5 * np.sqrt(n / 25)
    mirrored = (np.nonzero(moved == 2)[3] < columns).mean()
    assert abs(mirrored - 0.5) < 4 * 0.5 / np.sqrt(n)


def test_flip():
    x = images(1, 3)
    assert torch.equal(Augment(flip=True).apply(x, drawn(flip=0.49)), x.flip(3))
    assert torch.equal(Augment(flip=True).apply(x, drawn(flip=0.5)), x)
    assert torch.equal(Augment(pad=1).apply(x, drawn(flip=0.0)), x)


@pytest.mark.parametrize("name", ["shift", "rotate", "scale", "squeeze", "shear"])
def test_an_affine_map_in_the_middle_of_its_range_changes_nothing(name):
    x = images(1, 3)
    result = Augment(**{name: 0.3}).apply(x, drawn())
    assert result.dtype == torch.float32
    assert (result - x).abs().max() < 1e-3


def test_a_shift_by_whole_pixels_is_exact():
    x = images(1, 2)
    right_and_up = Augment(shift=2).apply(x, drawn(shift_x=almost_one(), shift_y=0.0))
    assert (right_and_up[..., :-2, 2:] - x[..., 2:, :-2]).abs().max() < 1e-2
    assert right_and_up[..., :2].abs().max() < 1e-2
    assert right_and_up[..., -2:, :].abs().max() < 1e-2


def test_half_a_pixel_is_the_mean_of_two():
    x = images(1, 1).float()
    result = Augment(shift=0.5).apply(x.to(torch.uint8), drawn(shift_x=almost_one()))
    assert (result[..., 1:] - (x[..., 1:] + x[..., :-1]) / 2).abs().max() < 1e-2


def test_a_quarter_turn_is_exact():
    x = images(1, 1)
    turned = Augment(rotate=90).apply(x, drawn(rotate=almost_one()))
    assert (turned - x.rot90(-1, (2, 3))).abs().max() < 1e-2  # clockwise on the screen


@pytest.mark.parametrize(
    ("augment", "where", "factor"),
    [
        (Augment(scale=0.25), {"scale": 1.0}, (1.25, 1.25)),
        (Augment(scale=0.25), {"scale": 0.0}, (0.75, 0.75)),
        (Augment(squeeze=0.25), {"squeeze": 1.0}, (1.25, 1 / 1.25)),
        (Augment(squeeze=0.2), {"squeeze": 0.0}, (0.8, 1.25)),
    ],
)
def test_scale_and_squeeze_stretch_from_the_middle(augment, where, factor):
    before, after = moments(smooth()), moments(augment.apply(smooth(), drawn(**where)))
    assert after == pytest.approx(before * factor, abs=0.06)


def test_shear_is_horizontal_and_grows_with_the_height():
    before, after = moments(smooth()), moments(Augment(shear=0.5).apply(smooth(), drawn(shear=1.0)))
    assert after == pytest.approx([before[0] + 0.5 * before[1], before[1]], abs=0.06)


def test_the_maps_are_composed_as_said():
    """squeeze, shear, rotation, size, shift: the inverse maps times that product
    are the identity.
    """
    u = draws(5, 0, range(50), len(COLUMNS))
    maps = EVERYTHING._inverse_maps(dict(zip(COLUMNS, u.T, strict=True))).double().numpy()
    for row, inverse in zip(2 * u - 1, maps, strict=True):
        w = dict(zip(COLUMNS, row, strict=True))
        a, q, s, k = (
            np.radians(15 * w["rotate"]),
            1 + 0.1 * w["squeeze"],
            1 + 0.2 * w["scale"],
            0.2 * w["shear"],
        )
        forward = (
            s
            * np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
            @ np.array([[1, k], [0, 1]])
            @ np.diag([q, 1 / q])
        )
        shift = 1.5 * np.array([w["shift_x"], w["shift_y"]])
        point = np.array([3.0, -7.0])
        assert inverse[:, :2] @ (forward @ point + shift) + inverse[:, 2] == pytest.approx(
            point, abs=1e-5
        )


@given(
    augment=st.sampled_from(
        [EVERYTHING, Augment(pad=3, flip=True), Augment(shear=0.3), Augment(rotate=45)]
    ),
    indices=st.lists(st.integers(0, 40), min_size=1, max_size=9),
    c=st.sampled_from([1, 3]),
)
@settings(max_examples=60, deadline=None)
def test_a_image_does_not_depend_on_its_batch(augment, indices, c):
    everything = images(41, c, side=9)
    together = augment.apply(everything[indices], draws(1, 2, indices, len(COLUMNS)))
    for index, result in zip(indices, together, strict=True):
        alone = augment.apply(everything[index][None], draws(1, 2, [index], len(COLUMNS)))
        assert torch.equal(alone[0], result)


def test_turning_one_distortion_on_leaves_the_others_as_they_were():
    x, u = images(50), draws(0, 0, range(50), len(COLUMNS))
    flipped = Augment(flip=True).apply(x, u)
    both = Augment(pad=1, flip=True).apply(x, u)
    moved_only_by_nothing = (u[:, :2] * 3).astype(int).tolist()
    still = [i for i, offsets in enumerate(moved_only_by_nothing) if offsets == [1, 1]]
    assert len(still) > 1
    assert torch.equal(flipped[still], both[still])


@pytest.mark.parametrize(
    "wrong",
    [
        {"pad": -1},
        {"pad": 1.5},
        {"pad": "2"},
        {"shift": -1},
        {"rotate": float("nan")},
        {"shear": float("inf")},
        {"scale": 1},
        {"scale": 1.5},
        {"squeeze": 1},
        {"flip": None},
        {"shift": None},
    ],
)
def test_impossible_amounts_are_refused(wrong):
    with pytest.raises(DataError, match=f"^{next(iter(wrong))} = .* (is not allowed|must be)"):
        Augment(**wrong)


def test_every_policy_may_be_asked_for():
    for name in POLICIES:
        Augment(auto_augment=name)
    with pytest.raises(DataError) as refused:
        Augment(auto_augment="none")
    assert str(refused.value).endswith("allowed: " + " | ".join(["", *POLICIES]))
