"""Whether a network's answers are any better than one answer for everything."""

import math

import torch
from torch import Tensor

UNLIKELY = 0.01  # a result that luck gives this rarely is none of luck's


def chance_of(seen: Tensor | list[int]) -> float:
    """The share of images that are right when each gets the same answer, the commonest class.

    seen: (classes,) the images of each class.
    """
    counts = torch.as_tensor(seen)
    return float(counts.max() / counts.sum().clamp_min(1))


def is_at_chance(seen: Tensor | list[int], correct: int) -> bool:
    """Whether so many right answers are no surprise from one that answers by lot, right as often as
    chance_of: a binomial tail above UNLIKELY. False where the images are too few for any number of
    right answers to be a surprise.
    """
    count, chance = int(torch.as_tensor(seen).sum()), chance_of(seen)
    if not 0 < chance < 1 or chance**count > UNLIKELY:
        return False
    return tail(count, correct, chance) > UNLIKELY


def tail(count: int, correct: int, chance: float) -> float:
    """The probability of `correct` or more hits in `count` tries that each hit with 0 < `chance` <
    1.
    """
    hits = torch.arange(correct, count + 1, dtype=torch.float64)
    choices = math.lgamma(count + 1) - torch.lgamma(hits + 1) - torch.lgamma(count - hits + 1)
    logs = choices + hits * math.log(chance) + (count - hits) * math.log1p(-chance)
    return min(1.0, float(logs.exp().sum()))


def chance_line(seen: Tensor | list[int], correct: int) -> str:
    """A sentence for a result at chance, with what usually helps; "" for any other."""
    if not is_at_chance(seen, correct):
        return ""
    return (
        f"at chance: one and the same answer to every image is right for "
        f"{100 * chance_of(seen):.2f} %. What usually helps: a lower or higher --lr, more "
        "--epochs, the network's own --size, and a look at the images with `convatlas check-data`"
    )
