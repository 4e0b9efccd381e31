"""Which pictures are got wrong, and as what."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from convatlas.reporting.mistakes import (
    always_wrong,
    confusion,
    confusion_differences,
    disagreements,
)

EASY = settings(max_examples=40, deadline=None)

A = np.array([[1, 1, 0, 1], [1, 0, 0, 1]], bool)
B = np.array([[1, 0, 0, 1], [1, 0, 1, 0], [1, 0, 0, 0]], bool)


def test_pictures_that_all_get_wrong():
    assert always_wrong([A, B]).tolist() == [0]
    assert always_wrong([A]).tolist() == [0, 3]
    assert always_wrong([A, ~A]).tolist() == []


def test_where_two_disagree():
    found = disagreements(A, B)
    assert np.allclose(found, [0, 1 / 2, -1 / 3, 2 / 3])
    assert np.argsort(-abs(found), kind="stable").tolist() == [3, 1, 2, 0]


def test_a_confusion_counts_pictures_a_seed():
    truth = np.array([0, 0, 1, 2])
    answers = np.array([[0, 1, 1, 2], [0, 0, 1, 1]])
    assert confusion(truth, answers, 3).tolist() == [[1.5, 0.5, 0], [0, 1, 0], [0, 0.5, 0.5]]


def test_confusion_differences_name_wrong_answers_only_the_largest_first():
    a = np.array([[9, 1, 0], [4, 5, 1], [0, 0, 3]])
    b = np.array([[5, 1, 4], [1, 9, 0], [0, 0, 3]])
    assert confusion_differences(a, b) == [(0, 2, -4.0), (1, 0, 3.0), (1, 2, 1.0)]
    assert confusion_differences(a, b, most=1) == [(0, 2, -4.0)]
    assert confusion_differences(a, a) == []
    assert a[0, 0] == 9  # what was given is left alone


@EASY
@given(seed=st.integers(0, 2**32), classes=st.integers(1, 6), seeds=st.integers(1, 4))
def test_a_confusion_has_all_pictures(seed, classes, seeds):
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, classes, 30)
    found = confusion(truth, draw.integers(0, classes, (seeds, 30)), classes)
    assert np.allclose(found.sum(axis=1), np.bincount(truth, minlength=classes))
