"""X as pictures: every layout that is understood, every one that is refused, and grey levels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from convatlas.estimator.pictures import (
    extent,
    flat,
    in_bytes,
    layout_of,
    layout_of_rows,
    other_scale,
)


def random_pictures(*shape: int) -> np.ndarray:
    return np.random.RandomState(0).randint(0, 256, shape).astype(np.uint8)


def as_networks_read(X, asked=None) -> np.ndarray:
    rows, shape = flat(X)
    layout = layout_of(shape) if shape else layout_of_rows(rows.shape[1], asked)
    return layout.pictures(rows)


def test_each_layout_gives_the_same_pictures():
    colours_last = random_pictures(5, 6, 7, 3)
    wanted = colours_last.transpose(0, 3, 1, 2)
    assert np.array_equal(as_networks_read(colours_last), wanted)
    assert np.array_equal(as_networks_read(wanted), wanted)
    assert np.array_equal(as_networks_read(colours_last.tolist()), wanted)
    assert np.array_equal(as_networks_read(colours_last.reshape(5, -1), (6, 7, 3)), wanted)
    assert np.array_equal(as_networks_read(wanted.reshape(5, -1), (3, 6, 7)), wanted)


def test_grey_pictures_may_lack_the_axis_of_colours():
    grey = random_pictures(4, 6, 6)
    for X in (grey, grey[:, None], grey[..., None], grey.reshape(4, 36)):
        assert np.array_equal(as_networks_read(X), grey[:, None])


def test_rows_are_filled_up_with_black():
    rows = random_pictures(2, 5)
    (first, _) = as_networks_read(rows, "fill")
    assert first.shape == (1, 3, 3)
    assert first.ravel().tolist() == [*rows[0].tolist(), 0, 0, 0, 0]
    assert as_networks_read(random_pictures(2, 9), "fill").shape == (2, 1, 3, 3)


@pytest.mark.parametrize(
    ("shape", "asked", "said"),
    [
        ((2, 6, 7, 5), None, "no axis is 1 or 3 long"),
        ((2, 3, 7, 3), None, "so could the last"),
        ((2, 0, 7), None, "there are none"),
        ((2, 30), None, "shape='fill'"),
        ((2, 30), (5, 7), r"a picture of shape = \(5, 7\) has 35"),
        ((2, 30), (5, 3, 2), "no axis is 1 or 3 long"),
        ((2, 30), "square", "shape = 'square' is not allowed"),
        ((2, 30), (5.0, 6.0), "is not allowed"),
        ((2, 30), (-5, -6), "there are none"),
        ((2, 30), (30,), "there are none"),
    ],
)
def test_what_is_no_picture_is_refused_in_a_sentence(shape, asked, said):
    with pytest.raises(ValueError, match=said):
        as_networks_read(np.zeros(shape), asked)


def test_bytes_are_taken_as_they_are():
    X = np.array([[3, 7], [9, 4]], np.uint8)
    assert extent(X) == (0, 255)
    assert in_bytes(X, *extent(X)) is X


def test_other_numbers_reach_from_black_to_white():
    X = np.array([[-1.0, 0.0], [0.5, 1.0]])
    assert in_bytes(X, *extent(X)).tolist() == [[0, 128], [191, 255]]
    assert in_bytes(np.array([[-9.0, 9.0]]), -1, 1).tolist() == [[0, 255]]
    assert in_bytes(np.array([[True, False]]), 0, 1).tolist() == [[255, 0]]
    assert in_bytes(np.full((2, 2), 3.5), *extent(np.full((2, 2), 3.5))).tolist() == [[0, 0]] * 2


def test_numbers_that_are_too_far_apart_are_refused():
    with pytest.raises(ValueError, match="too far for grey levels"):
        extent(np.array([[-1.5e308, 1.5e308]]))


@given(
    arrays.arrays(
        np.float64, (4, 9), elements=st.floats(-1e100, 1e100, allow_subnormal=False), unique=True
    )
)
def test_order_is_kept_and_the_ends_are_black_and_white(X):
    levels = in_bytes(X, *extent(X))
    in_order = levels.ravel()[np.argsort(X.ravel())]
    assert (np.diff(in_order.astype(int)) >= 0).all()
    assert (in_order[0], in_order[-1]) == (0, 255)


def test_grey_levels_do_not_depend_on_how_many_rows_there_are():
    X = np.random.RandomState(0).normal(size=(3000, 4))
    whole = in_bytes(X, *extent(X))
    assert np.array_equal(whole[2500:], in_bytes(X[2500:], *extent(X)))


BYTES = np.random.RandomState(0).randint(0, 256, (3, 64))


@pytest.mark.parametrize(
    ("X", "seen"),
    [
        (BYTES.astype(np.uint8), (0, 255)),
        (BYTES / 1.0, (0, 255)),
        (BYTES * 0, (0, 255)),  # a black picture
        (BYTES // 32, (0, 255)),  # a dark one
        (BYTES / 255, (0, 1)),
        (BYTES * 0.0 + 7, (7, 7)),
        (BYTES / 100, (0, 2)),  # a little brighter than any before
    ],
)
def test_the_scale_of_fit_is_known_again(X, seen):
    assert other_scale(X, *seen) == ""


@pytest.mark.parametrize(
    ("X", "seen"),
    [
        (BYTES / 255, (0, 255)),
        (BYTES.astype(np.uint8), (0, 1)),
        (BYTES / 16, (0, 1)),
        (BYTES / 255 - 1.5, (0, 1)),
    ],
)
def test_another_scale_is_told(X, seen):
    assert "bring X to that scale" in other_scale(X, *seen)
