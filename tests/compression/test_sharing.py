"""Which weights stay, which values they share, and where they stand."""

import numpy as np
import pytest

from convatlas.compression.sharing import gaps_of, k_means, kept, places_of, share
from convatlas.errors import InputError


def test_the_largest_stay():
    weights = np.array([[0.1, -3.0], [2.0, 0.0], [-0.5, 1.0]], dtype=np.float32)
    assert kept(weights, 0.5).tolist() == [[False, True], [True, False], [False, True]]
    assert kept(weights, 0.01).sum() == 1
    assert kept(np.zeros((4,)), 0.5).tolist() == [True, True, False, False]


def test_centres_end_in_the_means_of_what_is_nearest_to_them():
    assert k_means(np.array([0.0, 1.0, 9.0, 11.0, 20.0]), 3).tolist() == [0.5, 10.0, 20.0]


def test_each_weight_takes_the_nearest_value():
    random = np.random.default_rng(0)
    weights = random.normal(size=(20, 10)).astype(np.float32)
    one = share(weights, kept(weights, 0.5), 4)
    assert len(one.codebook) <= 16
    original = weights.reshape(-1)[one.places]
    distances = np.abs(original[:, None] - one.codebook)
    assert np.allclose(np.abs(original - one.codebook[one.codes]), distances.min(1), atol=1e-6)
    assert np.count_nonzero(one.tensor()) == 100


def test_weights_of_few_values_are_shared_without_loss():
    weights = np.array([[2.0, -1.0, 0.5, 2.0, -1.0]], dtype=np.float32)
    one = share(weights, weights != 0, 8)
    assert np.array_equal(one.tensor(), weights)
    assert len(one.codebook) == 3


@pytest.mark.parametrize(
    "places", [[0], [5], [254], [255], [256], [0, 1, 2], [3, 259, 2000, 2001], [510], [511]]
)
def test_places_come_back_from_gaps(places):
    gaps = gaps_of(np.array(places))
    assert places_of(gaps, places[-1] + 1).tolist() == places
    with pytest.raises(ValueError, match="lead out"):
        places_of(gaps, places[-1])


def test_a_gap_of_255_zeros_is_a_symbol_without_a_weight():
    assert gaps_of(np.array([255])).tolist() == [255, 0]
    assert gaps_of(np.array([254])).tolist() == [254]
    with pytest.raises(ValueError, match="lead out"):
        places_of(np.array([255], dtype=np.uint8), 1000)


def test_what_cannot_be_is_refused():
    weights = np.ones((2, 2), dtype=np.float32)
    for keep in (0, 1.1, float("nan")):
        with pytest.raises(InputError, match="above 0 and at most 1"):
            kept(weights, keep)
    for bits in (0, 9):
        with pytest.raises(InputError, match="1 to 8 bits"):
            share(weights, weights > 0, bits)
