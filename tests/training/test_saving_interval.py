"""How often a run saves, and what failures then cost: simulated one by one, against the prediction
that everybody uses.
"""

import pytest

from benchmarks import failures
from benchmarks.failures import (
    MACHINES,
    best_interval,
    of_machines,
    own_interval,
    predicted,
    simulated,
)
from convatlas.training.run import SAVING_SHARE

CELLS = [*failures.CELLS, *map(of_machines, MACHINES)]


def cost(interval: float, save: float, between: float, restart: float) -> float:
    return simulated(interval, save, between, restart, failures=8_000, seed=1)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_failures_cost_what_is_predicted(cell):
    best = best_interval(*cell[:2])
    for interval in (best, best / 3, own_interval(cell[0])):
        assert cost(interval, *cell) == pytest.approx(predicted(interval, *cell), rel=0.2)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_no_interval_costs_less_than_the_best(cell):
    best = best_interval(*cell[:2])
    least = cost(best, *cell)
    for interval in (best / 3, 3 * best):
        assert cost(interval, *cell) > least


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_run_that_is_left_to_itself_loses_five_points_more_at_most(cell):
    """It saves as often as may take one part in SAVING_SHARE of its time."""
    least = cost(best_interval(*cell[:2]), *cell)
    assert cost(own_interval(cell[0]), *cell) - least < 1 / SAVING_SHARE


def test_a_run_that_saves_in_no_time_saves_as_often_as_is_asked():
    assert [own_interval(save) for save in (0.1, 0.75, 1, 10)] == [15, 15, 20, 200]


def test_a_run_without_failures_pays_for_saving_alone():
    assert simulated(20, 1, 1e9, 0, failures=5, seed=0) == pytest.approx(1 / 21, rel=1e-3)
    assert predicted(20, 1, float("inf"), 0) == 1 / 20
