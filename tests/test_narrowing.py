"""NetAdapt's steps over planted costs."""

import pytest

from convatlas import narrowing
from convatlas.errors import InputError
from convatlas.narrowing import Scored


def test_each_step_takes_less_and_the_last_ends_at_the_budget():
    steps = narrowing.targets(100.0, 70.0, first=0.2, decay=0.5)
    assert steps == pytest.approx([80.0, 70.0])
    steps = narrowing.targets(1000.0, 700.0)
    assert steps[:2] == pytest.approx([975.0, 951.0])
    assert steps[-1] == 700.0
    assert steps == sorted(steps, reverse=True)


def test_a_budget_that_the_steps_never_reach_is_refused():
    with pytest.raises(InputError, match="end above 375; give a larger first step"):
        narrowing.targets(1000.0, 370.0)
    assert narrowing.targets(1000.0, 380.0)[-1] == 380.0


@pytest.mark.parametrize("budget", [0.0, 100.0, 120.0, float("nan")])
def test_a_budget_outside_the_cost_is_refused(budget):
    with pytest.raises(InputError, match="between 0 and the full cost"):
        narrowing.targets(100.0, budget)


def test_a_group_keeps_as_much_as_the_target_allows():
    costs = {8: 60.0, 16: 75.0, 24: 74.0, 32: 100.0}
    assert narrowing.widest(costs, 32, 75.0) == 24
    assert narrowing.widest(costs, 24, 75.0) == 16
    assert narrowing.widest(costs, 32, 59.0) is None
    assert narrowing.widest(costs, 8, 75.0) is None


def test_most_right_wins_then_least_loss_then_the_first():
    scored = [Scored("a", 8, 90, 0.1), Scored("b", 8, 91, 0.5), Scored("c", 8, 91, 0.4)]
    assert narrowing.best(scored).group == "c"
    assert narrowing.best([*scored, Scored("d", 8, 91, 0.4)]).group == "c"
