"""What a study can tell, and what would tell more: against the noncentral t, and by simulation."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from studies import LUCKS

from convatlas.reporting.leads import Lead
from convatlas.reporting.needs import (
    POWER,
    _exceeds,
    expected,
    pictures_needed,
    power,
    seeds_needed,
    tells,
)
from convatlas.reporting.statistics import Spread, quantile
from convatlas.reporting.verdicts import judge

EASY = settings(max_examples=40, deadline=None)

KEPT = json.loads(Path(__file__).with_name("oracles.json").read_text())
SPREAD = st.builds(
    Spread,
    st.integers(6, 20),
    st.integers(100, 10_000),
    st.floats(1e-8, 1e-3),
    st.floats(1e-8, 1e-3),
    st.floats(0, 1e-8),
)


@pytest.mark.parametrize(("distance", "n", "level", "said"), KEPT["t power"])
def test_the_power_of_a_t_test_is_statsmodels(distance, n, level, said):
    found = _exceeds(distance * n**0.5, 1.0, quantile(n - 1, level), n - 1)
    assert found == pytest.approx(said, abs=0.02)


@EASY
@given(spread=SPREAD)
def test_a_study_tells_the_lead_that_it_is_said_to_tell(spread):
    least = tells(spread)
    assert power(least, spread) == pytest.approx(POWER, abs=1e-6)
    assert power(least * 1.1, spread) > POWER > power(least * 0.9, spread)
    assert tells(spread, pairs=45) >= least


@EASY
@given(spread=SPREAD, share=st.floats(0.2, 3))
def test_the_number_of_seeds_is_the_smallest_that_is_enough(spread, share):
    lead = share * tells(spread)
    n = seeds_needed(lead, spread)
    if n is None:  # the pictures alone leave too much doubt
        assert power(lead, expected(spread, 1000, spread.pictures)) < POWER
    else:
        assert power(lead, expected(spread, n, spread.pictures)) >= POWER
        assert n == 6 or power(lead, expected(spread, n - 1, spread.pictures)) < POWER


@EASY
@given(spread=SPREAD, share=st.floats(0.2, 3))
def test_the_number_of_pictures_is_the_smallest_that_is_enough(spread, share):
    lead = share * tells(spread)
    m = pictures_needed(lead, spread)
    if m is not None and m > spread.pictures:
        assert power(lead, expected(spread, spread.seeds, m)) >= POWER
        assert power(lead, expected(spread, spread.seeds, m - 1)) < POWER


@EASY
@given(spread=SPREAD)
def test_a_study_of_the_same_size_has_the_same_spread(spread):
    again = expected(spread, spread.seeds, spread.pictures)
    assert again.variance == pytest.approx(spread.variance, rel=1e-6)


def test_five_seeds_tell_nothing_and_one_seed_cannot_even_plan():
    spread = Spread(5, 500, 1e-6, 1e-6, 0.0)
    assert power(0.9, spread) == 0 and tells(spread) is None
    assert seeds_needed(0.1, spread) == 6
    alone = Spread(1, 500, float("nan"), 1e-6, 0.0)
    assert seeds_needed(0.1, alone) is None and pictures_needed(0.1, alone) is None


def test_no_lead_needs_no_number():
    spread = Spread(6, 500, 1e-6, 1e-6, 0.0)
    assert seeds_needed(0.0, spread) is None and pictures_needed(0.0, spread) is None


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.parametrize(
    ("luck", "error"), [("rest", 0.075), ("pictures", 0.06), ("training", 0.03), ("all", 0.065)]
)
def test_as_many_studies_tell_a_lead_as_are_said_to(luck, error):
    """What a large study says of one with six seeds and 500 pictures, and 400 of these."""
    draw = np.random.default_rng(1)
    large = Lead.of(*LUCKS[luck].study(draw, [error, 0.1], 60, 20_000)).spread
    told = 0
    for _ in range(400):
        (found,) = judge(LUCKS[luck].study(draw, [error, 0.1], 6, 500))
        told += found.better
    said = power(0.1 - error, expected(large, 6, 500))
    assert 0.5 < said < 0.95
    assert told / 400 == pytest.approx(said, abs=0.08)
