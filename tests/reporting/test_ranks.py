"""Ranks over data sets, against scipy, scikit-posthocs and what Demšar printed."""

import json
from pathlib import Path

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from convatlas.reporting.ranks import _critical_difference, rank

EASY = settings(max_examples=40, deadline=None)

KEPT = json.loads(Path(__file__).with_name("oracles.json").read_text())
NAMES = list("abcd")
ERRORS = np.array(oracles.ERRORS)


def test_ranks_and_friedman_are_scipy_s():
    found = rank(NAMES, ERRORS)
    assert found.names == ("c", "a", "b", "d")
    assert found.ranks == pytest.approx((1.083333, 2.083333, 2.833333, 4.0), abs=1e-5)
    chi_square, _ = KEPT["friedman"]
    assert found.chi_square == pytest.approx(chi_square)
    f = 5 * chi_square / (6 * 3 - chi_square)
    assert stats.f.sf(f, 3, 15) < 24.0**-5  # which six data sets cannot prove
    assert found.p == 24.0**-5


@EASY
@given(seed=st.integers(0, 2**32), n=st.integers(2, 9), k=st.integers(3, 6))
def test_friedman_s_chi_square_is_scipy_s_with_ties(seed, n, k):
    errors = np.random.default_rng(seed).integers(0, 5, (n, k)) / 5
    if (np.ptp(errors, axis=1) == 0).all():
        return
    found = rank([str(i) for i in range(k)], errors)
    assert found.chi_square == pytest.approx(stats.friedmanchisquare(*errors.T).statistic)
    assert found.p >= 1 / np.prod(range(1, k + 1)) ** (n - 1)


def test_p_is_iman_and_davenport_s():
    errors = np.random.default_rng(3).random((8, 4)) + np.array([0, 0.1, 0.2, 0.3])
    chi_square, _ = stats.friedmanchisquare(*errors.T)
    f = 7 * chi_square / (8 * 3 - chi_square)
    assert rank(NAMES, errors).p == pytest.approx(stats.f.sf(f, 3, 21))


def test_the_critical_difference_is_the_one_that_demsar_printed():
    """2006, Sec. 3.2.2: four classifiers, 14 data sets, 1.25."""
    assert _critical_difference(14, 4, 0.05) == pytest.approx(1.25, abs=0.005)


def test_networks_that_differ_by_the_critical_difference_have_nemenyi_s_p_of_the_level():
    found = rank(NAMES, ERRORS)
    kept = np.array(KEPT["nemenyi"])
    for pair in found.pairs:
        p = kept[NAMES.index(pair.ahead), NAMES.index(pair.behind)]
        assert (pair.distance > found.critical_difference) == (p < 0.05)


def test_wilcoxon_is_scipy_s():
    for pair in rank(NAMES, ERRORS).pairs:
        both = "".join(sorted((pair.ahead, pair.behind)))
        if both == "ac":  # one data set without a difference: scipy's is not exact there
            assert pair.p_wilcoxon == 2 / 2**5
        else:
            assert pair.p_wilcoxon == pytest.approx(KEPT["wilcoxon"][both])


def test_six_data_sets_call_what_all_agree_on():
    found = rank(NAMES, ERRORS)
    assert [(p.ahead, p.behind) for p in found.pairs if p.better] == [("c", "d")]
    assert found.sentence == (
        "c has the best average rank over six data sets, 1.08; it is better than d."
    )


def test_five_data_sets_never_call_any():
    found = rank(NAMES, ERRORS[:5])
    assert not any(pair.better for pair in found.pairs)
    assert found.sentence.endswith("six data sets are the fewest that can call a network better.")


def test_data_sets_that_all_agree_prove_no_more_than_their_number():
    assert rank("abc", np.array([[1, 2, 3], [1, 2, 3]]) / 9).p == pytest.approx(1 / 6)
    assert rank("abc", np.full((4, 3), 0.5)).p == 1


@pytest.mark.parametrize("shape", [(1, 3), (7, 2)])
def test_too_few_for_friedman(shape):
    found = rank("abc"[: shape[1]], np.arange(np.prod(shape)).reshape(shape) / 99)
    assert np.isnan(found.p) and np.isnan(found.critical_difference)


def test_two_networks_are_judged_by_their_signed_ranks():
    errors = np.array([[0.1, 0.2], [0.3, 0.35], [0.2, 0.3], [0.1, 0.4], [0.2, 0.5], [0.3, 0.31]])
    (pair,) = rank("ab", errors).pairs
    assert pair.p_wilcoxon == 2 / 2**6 and pair.better


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.parametrize(("n", "k"), [(6, 3), (6, 10), (12, 4)])
def test_of_a_thousand_studies_without_a_difference_at_most_one_in_twenty_calls_one(n, k):
    draw = np.random.default_rng(0)
    names = [str(i) for i in range(k)]
    called = sum(
        any(pair.better for pair in rank(names, draw.random((n, k))).pairs) for _ in range(1000)
    )
    assert called <= 50


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        (np.zeros((2, 3)), "2 networks"),
        (np.zeros(2), "2 networks"),
        (np.array([[0.1, np.nan]]), "missing"),
    ],
)
def test_what_cannot_be_ranked_is_refused(errors, said):
    with pytest.raises(ValueError, match=said):
        rank(["a", "b"], errors)
