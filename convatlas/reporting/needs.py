"""What a study can tell, and how many seeds or pictures would tell more.

All for the rule of verdicts.py: t over seeds and pictures at the level that Holm asks of the first
pair, and the sign-flip over the seeds at the level itself. `POWER` of such studies would tell.
"""

from dataclasses import replace

import numpy as np
from scipy import special

from convatlas.reporting.statistics import Spread, fewest_seeds, quantile

POWER = 0.8  # the usual aim: four studies of five
LUCK, CHANCE = np.polynomial.hermite_e.hermegauss(9)  # a normal number, and how likely
CHANCE = CHANCE / CHANCE.sum()
MOST_SEEDS = 1_000
MOST_PICTURES = 10_000_000


def expected(spread: Spread, seeds: int, pictures: int) -> Spread:
    """The spread that other numbers of seeds and pictures would have."""
    n, m = spread.seeds, spread.pictures
    seed = np.maximum(0.0, spread.of_seeds - spread.of_both) * n / seeds
    picture = max(0.0, spread.of_pictures - spread.of_both) * m / pictures
    both = spread.of_both * n * m / (seeds * pictures)
    return replace(
        spread,
        seeds=seeds,
        pictures=pictures,
        of_seeds=seed + both,
        of_pictures=picture + both,
        of_both=both,
    )


def power(lead: float, spread: Spread, level: float = 0.05, pairs: int = 1) -> float:
    """The share of studies with this spread that call a true difference of `lead`."""
    if spread.seeds < fewest_seeds(level) or np.isnan(spread.of_seeds):
        return 0.0
    here = lead + LUCK * np.sqrt(spread.variance - spread.of_seeds)  # of the pictures, all seeds'
    both = _both(here, spread, level / pairs)
    return float(CHANCE @ np.minimum(both, _seeds(here, spread, level)))


def tells(spread: Spread, level: float = 0.05, pairs: int = 1) -> float | None:
    """The smallest lead that POWER of such studies call; None where no lead can be."""
    if spread.seeds < fewest_seeds(level):
        return None
    low, high = 0.0, 1.0
    while power(high, spread, level, pairs) < POWER:
        high *= 2
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (
            (low, middle) if power(middle, spread, level, pairs) >= POWER else (middle, high)
        )
    return high


def seeds_needed(lead: float, spread: Spread, level: float = 0.05, pairs: int = 1) -> int | None:
    """The fewest seeds that tell a true difference of `lead` on as many pictures; None: none do."""
    return _fewest(
        lambda n: power(lead, expected(spread, n, spread.pictures), level, pairs),
        fewest_seeds(level),
        MOST_SEEDS,
    )


def pictures_needed(lead: float, spread: Spread, level: float = 0.05, pairs: int = 1) -> int | None:
    """The same of pictures, with as many seeds, or the fewest that can tell; None: none do."""
    seeds = max(spread.seeds, fewest_seeds(level))
    return _fewest(
        lambda m: power(lead, expected(spread, seeds, m), level, pairs),
        spread.pictures,
        MOST_PICTURES,
    )


def _fewest(power_of, low: int, high: int) -> int | None:
    """The smallest number in [low, high] of which power_of, which rises, is POWER or more."""
    if power_of(high) < POWER:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of(middle) >= POWER else (middle + 1, high)
    return low


def _both(lead: np.ndarray, spread: Spread, level: float) -> np.ndarray:
    """Of the t over seeds and pictures, on pictures where the lead is this (k,)."""
    rest = spread.of_seeds / spread.variance
    distance = lead / np.sqrt(spread.variance)
    return _exceeds(distance, rest, spread.critical(level), spread.freedom)


def _seeds(lead: np.ndarray, spread: Spread, level: float) -> np.ndarray:
    """Of the sign-flip over the seeds, on the same pictures. With the fewest seeds all must agree;
    with more it is as good as a t test.
    """
    n = spread.seeds
    distance = lead / np.sqrt(max(spread.of_seeds, 1e-300))
    if n == fewest_seeds(level):
        return special.ndtr(distance / np.sqrt(n)) ** n
    return _exceeds(distance, 1.0, quantile(n - 1, level), n - 1)


def _exceeds(
    distance: np.ndarray | float, variance: float, critical: float, freedom: float
) -> np.ndarray:
    """That a mean, `distance` standard errors from 0 and of this variance in units of theirs, is
    more than `critical` of them as they are estimated: with 1 the noncentral t, by its normal
    approximation, which is within 0.02 and never fails.
    """
    spread = np.sqrt(variance + critical**2 / (2 * freedom))
    return special.ndtr((distance - critical * (1 - 1 / (4 * freedom))) / spread)
