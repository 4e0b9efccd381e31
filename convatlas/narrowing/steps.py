"""The steps of NetAdapt over costs: how much to take in each step, and which proposal wins. Knows
nothing of networks.

The schedule and its defaults are those of the authors' code, github.com/denru01/netadapt (README).
"""

from collections.abc import Sequence
from typing import NamedTuple

from convatlas.errors import InputError

FIRST = 0.025
DECAY = 0.96
SMALLEST = 0.001  # of the whole cost, that a step takes


class Scored(NamedTuple):
    """A proposal after its short fine-tune, scored on the validation split."""

    group: str
    width: int
    right: int
    loss: float


def require_reachable(full: float, budget: float, first: float, decay: float) -> None:
    """InputError where the steps shrink too fast ever to take `full` down to `budget`, or where the
    two cannot be.
    """
    if not (0 < budget < full and 0 < first < 1 and 0 < decay < 1):
        raise InputError(
            f"a budget of {budget:g} of {full:g}, in steps of {first:g} and decay {decay:g}, "
            "cannot be planned: give a budget between 0 and the full cost, steps between 0 and 1"
        )
    least = full * (1 - first / (1 - decay))
    if budget <= least:
        raise InputError(
            f"steps of {first:g} with decay {decay:g} never come down to {budget:g}: they end "
            f"above {least:g}; give a larger --first, a --decay nearer to 1 or a larger budget"
        )


def target(
    cost: float, full: float, budget: float, step: int, first: float = FIRST, decay: float = DECAY
) -> float:
    """What a network that costs `cost` must come down to in step `step`, from 0: less by
    first * decay**step of `full`, and by a thousandth at least; but the budget in the last one.
    """
    return max(budget, cost - full * max(first * decay**step, SMALLEST))


def reachable(goal: float, cost: float, least: float, full: float) -> float:
    """The target of a step of which no layer alone brings `cost` below `least`: a half of what was
    asked, or half of that, as often as it needs. InputError where what can be taken is neither what
    was asked nor a thousandth of `full`.
    """
    asked, possible = cost - goal, cost - least
    if possible < min(asked, full * SMALLEST):
        raise InputError(
            f"no layer alone brings it below {cost:g}; give a budget of {cost:g} or more, and "
            "another folder with --output"
        )
    while asked > possible:
        asked /= 2
    return max(cost - asked, least)


def best(scored: Sequence[Scored]) -> Scored:
    """The proposal with most pictures right; of equals the one of least loss, then the first."""
    return max(scored, key=lambda proposal: (proposal.right, -proposal.loss))
