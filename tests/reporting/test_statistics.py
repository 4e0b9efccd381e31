"""Exact tests, intervals and the spread over seeds and pictures, against others' programs."""

import importlib.util
import json
from itertools import product
from pathlib import Path

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from convatlas.reporting import statistics
from convatlas.reporting.statistics import (
    Spread,
    bca,
    crossed_bootstrap,
    fewest_seeds,
    holm,
    sign_flip,
)

EASY = settings(max_examples=40, deadline=None)

KEPT = json.loads(Path(__file__).with_name("oracles.json").read_text())
WHOLE = st.lists(st.integers(-9, 9), min_size=1, max_size=9)


def listed(values: list[int]) -> float:
    """The p of the definition: every choice of signs, one after the other."""
    sums = [
        abs(sum(s * v for s, v in zip(signs, values, strict=True)))
        for signs in product([1, -1], repeat=len(values))
    ]
    return sum(total >= abs(sum(values)) for total in sums) / len(sums)


@EASY
@given(values=WHOLE)
def test_a_sign_flip_counts_all_choices_of_signs(values):
    assert sign_flip(np.array(values)) == pytest.approx(listed(values), abs=1e-15)


@EASY
@given(values=WHOLE)
def test_many_differences_are_counted_as_exactly_as_few(values):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "FEW", 0)
        assert sign_flip(np.array(values)) == pytest.approx(listed(values), abs=1e-12)


@EASY
@given(only_one=st.integers(0, 400), only_other=st.integers(0, 400))
def test_with_one_seed_it_is_mcnemar_s_exact_test(only_one, only_other):
    both = only_one + only_other
    expected = stats.binomtest(only_one, both).pvalue if both else 1.0
    found = sign_flip(np.repeat([1, -1, 0], [only_one, only_other, 7]))
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-11)


@pytest.mark.parametrize("seeds", range(1, 12))
def test_no_difference_whatever_has_a_smaller_p_than_two_in_all_signs(seeds):
    assert sign_flip(np.arange(1, seeds + 1)) == 2 / 2**seeds


def test_ten_thousand_pictures_are_no_trouble():
    draw = np.random.default_rng(0)
    values = draw.integers(-6, 7, 10_000)
    normal = 2 * stats.norm.sf(abs(values.sum()) / np.sqrt((values**2).sum()))
    assert sign_flip(values) == pytest.approx(normal, rel=0.01)
    assert 0 < sign_flip(np.ones(10_000)) < 1e-9


def test_six_seeds_decide():
    assert [fewest_seeds(level) for level in (0.5, 0.25, 0.1, 0.05, 0.01)] == [2, 3, 5, 6, 8]


def test_what_other_programs_say():
    flips = {name: sign_flip(np.array(values)) for name, values in oracles.SEEDS.items()}
    assert flips == pytest.approx(KEPT["sign flips"], abs=1e-12)
    tables = [sign_flip(np.repeat([1, -1], each)) for each in oracles.TABLES]
    assert tables == pytest.approx(KEPT["mcnemar"], abs=1e-12)
    for p, adjusted in zip(oracles.P, KEPT["holm"], strict=True):
        assert holm(p).tolist() == pytest.approx(adjusted)


@pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("statsmodels", "scikit_posthocs"))),
    reason="statsmodels and scikit-posthocs are not installed; their answers are kept",
)
def test_the_answers_of_other_programs_are_those_that_are_kept():
    found = json.loads(json.dumps(oracles.answers()))
    assert found.keys() == KEPT.keys()
    for name in found:
        assert flat(found[name]) == pytest.approx(flat(KEPT[name]), rel=1e-9), name


def flat(value) -> list[float]:
    if isinstance(value, dict):
        value = list(value.values())
    return [x for each in value for x in flat(each)] if isinstance(value, list) else [value]


@EASY
@given(p=st.lists(st.floats(0, 1), max_size=8))
def test_holm_keeps_the_order_and_is_between_nothing_and_bonferroni(p):
    found = holm(p)
    assert np.all(found >= p) and np.all(found <= np.minimum(1, len(p) * np.array(p)) + 1e-15)
    order = np.argsort(p, kind="stable")
    assert np.all(np.diff(found[order]) >= 0)


def test_bca_is_scipy_s_and_the_same_each_time():
    values = np.array([0.3, 0.1, 0.7, 0.2, 0.9, 0.4])
    expected = stats.bootstrap((values,), np.mean, n_resamples=100_000, rng=1).confidence_interval
    assert bca(values) == pytest.approx(tuple(expected), abs=0.02)
    assert bca(values) == bca(values)


def test_bca_of_values_that_say_nothing_of_their_spread():
    assert bca(np.array([0.2, 0.2, 0.2])) == (0.2, 0.2)
    assert np.isnan(bca(np.array([0.2]))).all()
    assert np.isnan(bca(np.zeros(0))).all()


def test_the_parts_of_the_spread_are_those_of_an_analysis_of_variance():
    table = np.array(KEPT["table"])
    of_seeds, of_pictures, of_both = KEPT["mean squares"]
    n, m = table.shape
    spread = Spread.of(table)
    assert spread.of_seeds == pytest.approx(of_seeds / (n * m))
    assert spread.of_pictures == pytest.approx(of_pictures / (n * m))
    assert spread.of_both == pytest.approx(of_both / (n * m))


def test_what_lies_in_both_parts_counts_once_and_no_part_is_more_than_the_whole():
    assert Spread(6, 100, 3.0, 4.0, 1.0).variance == 6.0
    assert Spread(6, 100, 3.0, 4.0, 3.5).variance == 4.0  # of_seeds happened to be small
    assert Spread(6, 100, 3.0, 0.0, 0.0).freedom == pytest.approx(5)
    assert Spread(6, 100, 0.0, 4.0, 0.0).freedom == pytest.approx(99)


TABLE = st.integers(0, 2**32).map(
    lambda seed: np.random.default_rng(seed).choice([-1, 0, 0, 1], (6, 40))
)


@EASY
@given(table=TABLE)
def test_an_interval_holds_nothing_exactly_where_p_is_above_the_level(table):
    spread = Spread.of(table)
    mean = float(table.mean())
    low, high = spread.interval(mean)
    assert low <= mean <= high
    assert (low <= 0 <= high) == (spread.p(mean) >= 0.05)


@EASY
@given(table=TABLE, order=st.permutations(range(40)))
def test_the_order_of_pictures_and_who_is_first_change_nothing(table, order):
    spread = Spread.of(table)
    for other in (table[:, order], -table, table[::-1]):
        assert Spread.of(other).variance == pytest.approx(spread.variance)


def test_answers_that_are_all_equal_still_leave_a_picture_s_worth_of_doubt():
    low, high = Spread.of(np.zeros((6, 400))).interval(0.0)
    assert (low, high) == pytest.approx((-1.966 / 400, 1.966 / 400), rel=1e-3)


def test_one_seed_has_no_interval_and_proves_nothing():
    spread = Spread.of(np.ones((1, 50)))
    assert spread.p(1.0) == 1
    assert np.isnan(spread.interval(1.0)).all() and np.isnan(spread.share_interval(1.0)).all()


@pytest.mark.parametrize(("wilson", "share"), [*zip(KEPT["wilson"], oracles.SHARES, strict=True)])
def test_a_share_s_interval_is_wilson_s_where_seeds_do_not_differ(wilson, share):
    wrong, pictures = share
    one = np.arange(pictures) < wrong
    spread = Spread.of(np.tile(one, (8, 1)))
    found = spread.share_interval(wrong / pictures)
    assert found == pytest.approx(tuple(wilson), abs=0.0005)  # t of 359, not normal


@EASY
@given(share=st.floats(0, 1), of_seeds=st.floats(0, 0.1), of_pictures=st.floats(0, 0.1))
def test_a_share_s_interval_holds_it_and_stays_between_0_and_1(share, of_seeds, of_pictures):
    spread = Spread.unpaired(np.array([share, share]), 100, of_pictures)
    low, high = spread.share_interval(share)
    assert 0 <= low <= share + 1e-12 and share - 1e-12 <= high <= 1


def test_a_share_s_interval_holds_the_truth_19_times_of_20():
    draw = np.random.default_rng(3)
    held = 0
    for _ in range(400):
        hard = draw.beta(0.3, 2.7, 300)  # each picture's chance to be got wrong: a mean of 0.1
        wrong = draw.random((6, 300)) < hard * draw.normal(1, 0.1, (6, 1)).clip(0.5)
        low, high = Spread.of(wrong).share_interval(float(wrong.mean()))
        held += low <= 0.1 <= high
    assert held / 400 >= 0.94


@EASY
@given(table=TABLE)
def test_the_crossed_bootstrap_varies_as_seeds_and_pictures_do(table):
    """Owen 2007: like the sum of both, and then some of what neither explains."""
    low, high = crossed_bootstrap(table)
    spread = Spread.of(table)
    n, m = table.shape
    expected = (
        spread.of_seeds * (n - 1) / n + spread.of_pictures * (m - 1) / m + spread.of_both
    ) ** 0.5
    assert high - low == pytest.approx(2 * 1.96 * expected, rel=0.15)
    assert crossed_bootstrap(table) == (low, high)


def test_the_crossed_bootstrap_of_one_seed_is_unknown():
    assert np.isnan(crossed_bootstrap(np.ones((1, 9)))).all()
