"""The learning rate at exact steps."""

import math

import pytest

from convatlas.training import Recipe
from convatlas.training.schedule import learning_rate


def rates(recipe, steps, per_epoch, scores=()):
    return [learning_rate(recipe, step, per_epoch, scores) for step in steps]


def test_constant():
    assert rates(Recipe(sched="constant", lr=0.3, warmup_epochs=0), [0, 7, 1000], 10) == [
        0.3,
        0.3,
        0.3,
    ]


def test_cosine_runs_from_the_peak_to_zero():
    recipe = Recipe(sched="cosine", lr=1.0, epochs=4, warmup_epochs=0)
    assert rates(recipe, [0, 10, 20, 30, 40], 10) == pytest.approx(
        [1, 0.5 + math.sqrt(0.125), 0.5, 0.5 - math.sqrt(0.125), 0], abs=1e-15
    )


def test_warm_up_is_linear_and_reaches_the_peak_at_its_last_step():
    recipe = Recipe(sched="constant", lr=0.8, warmup_epochs=2)
    assert rates(recipe, [0, 1, 6, 7, 8], 4) == pytest.approx([0.1, 0.2, 0.7, 0.8, 0.8])


def test_cosine_after_warm_up_covers_what_is_left():
    recipe = Recipe(sched="cosine", lr=1.0, epochs=5, warmup_epochs=1)
    assert rates(recipe, [10, 30, 50], 10) == pytest.approx([1, 0.5, 0], abs=1e-15)


def test_step_divides_at_each_milestone_as_resnet20_does():
    recipe = Recipe(
        sched="step", lr=0.1, milestones=(91, 137), gamma=0.1, epochs=182, warmup_epochs=0
    )
    found = rates(recipe, [0, 91 * 351 - 1, 91 * 351, 137 * 351 - 1, 137 * 351, 182 * 351 - 1], 351)
    assert found == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001])


@pytest.mark.parametrize(
    ("scores", "drops"),
    [
        ([], 0),
        ([0.5, 0.4, 0.5], 0),
        ([0.5, 0.4, 0.5, 0.5], 1),
        ([0.1, 0.2, 0.3, 0.4, 0.5], 0),
        ([0.5, 0, 0, 0, 0.6, 0, 0, 0], 2),
        ([0.5, 0, 0, 0, 0, 0, 0], 2),
    ],
)
def test_plateau_drops_after_more_than_patience_epochs_without_a_better_score(scores, drops):
    recipe = Recipe(sched="plateau", lr=1.0, gamma=0.5, patience=2, warmup_epochs=0)
    assert rates(recipe, [80], 10, scores) == [0.5**drops]


def test_warm_up_may_begin_above_zero():
    recipe = Recipe(sched="constant", lr=0.8, warmup_lr=0.4, warmup_epochs=2)
    assert rates(recipe, [0, 1, 7, 8], 4) == pytest.approx([0.45, 0.5, 0.8, 0.8])


def test_polynomial_falls_to_zero_after_the_warm_up():
    recipe = Recipe(sched="polynomial", lr=1.0, epochs=5, warmup_epochs=1)
    assert rates(recipe, [10, 20, 30, 50], 10) == pytest.approx([1, 0.75, 0.5, 0])
    assert rates(recipe.change(power=2.0), [10, 20, 30, 50], 10) == pytest.approx(
        [1, 0.5625, 0.25, 0]
    )


def test_exponential_falls_by_gamma_every_decay_epochs_as_efficientnet_does():
    """0.97 every 2.4 epochs."""
    recipe = Recipe(sched="exponential", lr=1.0, gamma=0.97, decay_epochs=2.4, warmup_epochs=0)
    assert rates(recipe, [0, 23, 24, 47, 48], 10) == pytest.approx([1, 1, 0.97, 0.97, 0.97**2])


def test_a_warm_up_that_ends_within_a_step_never_exceeds_the_peak_rate():
    for epochs in (1e-300, 0.05, 0.25, 0.3, 1.75):
        recipe = Recipe(sched="constant", lr=0.8, warmup_epochs=epochs)
        found = rates(recipe, range(20), 5)
        assert found == sorted(found) and max(found) == 0.8
