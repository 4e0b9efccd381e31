"""NetAdapt's steps over planted costs."""

import pytest

from convatlas.errors import InputError
from convatlas.narrowing import steps
from convatlas.narrowing.steps import Scored


def test_each_step_takes_less_and_the_last_ends_at_the_budget():
    assert steps.target(100.0, 100.0, 70.0, 0, first=0.2, decay=0.5) == pytest.approx(80)
    assert steps.target(80.0, 100.0, 70.0, 1, first=0.2, decay=0.5) == pytest.approx(70)
    assert steps.target(71.0, 100.0, 70.0, 2, first=0.2, decay=0.5) == 70
    assert steps.target(1000.0, 1000.0, 700.0, 0) == pytest.approx(975)
    assert steps.target(970.0, 1000.0, 700.0, 1) == pytest.approx(946)


def test_a_budget_that_the_steps_never_reach_is_refused():
    with pytest.raises(InputError, match="end above 375; give a larger --first"):
        steps.require_reachable(1000.0, 370.0, 0.025, 0.96)
    steps.require_reachable(1000.0, 380.0, 0.025, 0.96)


def test_a_step_is_a_thousandth_at_least():
    assert steps.target(600.0, 1000.0, 400.0, 500) == 599
    assert steps.target(400.5, 1000.0, 400.0, 500) == 400


def test_where_no_layer_can_give_so_much_half_is_asked():
    assert steps.reachable(80.0, 100.0, 70.0, 100.0) == 80
    assert steps.reachable(80.0, 100.0, 80.0, 100.0) == 80
    assert steps.reachable(80.0, 100.0, 81.0, 100.0) == 90
    assert steps.reachable(80.0, 100.0, 94.9, 100.0) == 95
    assert steps.reachable(99.99, 100.0, 99.98, 100.0) == 99.99  # the last step may be smaller


@pytest.mark.parametrize("least", [99.95, 100.0, 101.0, float("inf")])
def test_where_no_layer_can_give_a_thousandth_it_ends(least):
    with pytest.raises(InputError, match="brings it below 100; give a budget of 100 or more"):
        steps.reachable(80.0, 100.0, least, 100.0)


@pytest.mark.parametrize("budget", [0.0, 100.0, 120.0, float("nan")])
def test_a_budget_outside_the_cost_is_refused(budget):
    with pytest.raises(InputError, match="between 0 and the full cost"):
        steps.require_reachable(100.0, budget, 0.025, 0.96)


def test_most_right_wins_then_least_loss_then_the_first():
    scored = [Scored("a", 8, 90, 0.1), Scored("b", 8, 91, 0.5), Scored("c", 8, 91, 0.4)]
    assert steps.best(scored).group == "c"
    assert steps.best([*scored, Scored("d", 8, 91, 0.4)]).group == "c"
