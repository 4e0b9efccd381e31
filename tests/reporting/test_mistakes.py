"""Which pictures are got wrong, and as what."""

import numpy as np
from scipy.sparse import csr_array

from convatlas.reporting.mistakes import Confused, always_wrong, confused, disagreements

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


def test_confusions_are_of_wrong_answers_only_the_largest_difference_first():
    a = csr_array([[9, 1, 0], [4, 5, 1], [0, 0, 3]])
    b = csr_array([[5, 1, 4], [1, 9, 0], [0, 0, 3]])
    found = [Confused(0, 2, 0, 4), Confused(1, 0, 4, 1), Confused(1, 2, 1, 0)]
    assert confused(a, b) == found
    assert [each.more for each in found] == [-4, 3, 1]
    assert confused(a, b, most=1) == found[:1]
    assert confused(a, a) == []
    assert a[0, 0] == 9  # what was given is left alone
