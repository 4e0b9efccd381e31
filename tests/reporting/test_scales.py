"""Axes: every value has a place on them, and what is written beside them is round."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convatlas.reporting.page import scales

VALUES = st.lists(st.floats(0.001, 1e6), min_size=1, max_size=9)


@settings(deadline=None)
@given(VALUES)
def test_linear_holds_all_values_between_round_ends(values):
    scale = scales.linear(values)
    assert all(-1e-9 <= scale.place(value) <= 1 + 1e-9 for value in values)
    assert 2 <= len(scale.ticks) <= 12
    assert [*scale.ticks] == sorted({*scale.ticks})


@settings(deadline=None)
@given(VALUES)
def test_logarithmic_holds_all_values(values):
    scale = scales.logarithmic(values)
    assert all(0 < scale.place(value) < 1 for value in values)
    assert 1 <= len(scale.ticks) <= 12


@settings(deadline=None)
@given(st.lists(st.floats(0, 100), min_size=1, max_size=9), st.sampled_from([0.01, 0.2, 1.0]))
def test_errors_begin_at_zero_and_keep_their_order(values, unit):
    scale = scales.errors(values, unit)
    assert scale.place(0) == 0
    placed = [scale.place(value) for value in sorted(values)]
    assert placed == sorted(placed)
    assert all(-1e-9 <= each <= 1 + 1e-9 for each in placed)
    assert len(scale.ticks) <= 12


@settings(deadline=None)
@given(st.sets(st.integers(1, 2000), min_size=1, max_size=9))
def test_tight_ends_where_the_values_end(values):
    scale = scales.tight([*values])
    ends = {min(values), max(values)}
    assert ends <= {*scale.ticks}
    assert all(math.isfinite(scale.place(value)) for value in values)


@pytest.mark.parametrize(
    ("values", "ticks"),
    [([0.3, 0.9], (0.2, 0.4, 0.6, 0.8, 1)), ([0, 4], (0, 1, 2, 3, 4)), ([5.0], (2, 4, 6, 8))],
)
def test_ticks_of_a_linear_axis(values, ticks):
    assert scales.linear(values).ticks == ticks


def test_ticks_of_the_errors_of_a_curve():
    assert scales.errors([0.0, 1.6, 90.0], 0.8).ticks == (0, 1, 5, 10, 20, 50)
