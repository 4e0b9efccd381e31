"""The steps of NetAdapt over a table of costs: how much to take in each step, how wide that leaves
each group of layers, and which proposal wins. Knows nothing of networks.

The schedule and its defaults are those of the authors' code, github.com/denru01/netadapt (README).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from convatlas.errors import InputError

FIRST = 0.025
DECAY = 0.96


class Scored(NamedTuple):
    """A proposal after its short fine-tune, scored on the validation split."""

    group: str
    width: int
    right: int
    loss: float


def targets(full: float, budget: float, first: float = FIRST, decay: float = DECAY) -> list[float]:
    """The cost to reach in each step, from below `full` down to `budget`, in the unit of both.

    Step i takes first * decay**i of `full`; the last one stops at the budget.
    Raises InputError where the steps shrink too fast ever to arrive.
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
            f"above {least:g}; give a larger first step or a larger budget"
        )
    steps = []
    cost = full
    while cost > budget:
        cost = max(budget, cost - full * first * decay ** len(steps))
        steps.append(cost)
    return steps


def widest(costs: Mapping[int, float], width: int, target: float) -> int | None:
    """The largest width below `width` whose cost of the whole network is within `target`; None
    where there is none.
    """
    return max((w for w, cost in costs.items() if w < width and cost <= target), default=None)


def best(scored: Sequence[Scored]) -> Scored:
    """The proposal with most pictures right; of equals the one of least loss, then the first."""
    return max(scored, key=lambda proposal: (proposal.right, -proposal.loss))
