"""Networks over several data sets: average ranks, Friedman's test, critical difference."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from scipy import special, stats

from convatlas.reporting.statistics import fewest_seeds, holm, sign_flip
from convatlas.reporting.wording import count, listed


@dataclass(frozen=True)
class RankedPair:
    ahead: str  # with the lower average rank
    behind: str
    distance: float  # of the average ranks
    p_ranks: float  # two-sided z of that distance, before Holm
    p_wilcoxon: float  # exact signed ranks of the two networks alone
    p: float  # p_ranks after Holm over all pairs
    better: bool  # Friedman's p, p and p_wilcoxon all <= level


@dataclass(frozen=True)
class Ranking:
    names: tuple[str, ...]  # best average rank first
    ranks: tuple[float, ...]  # 1 is best; equal errors share
    data_sets: int
    level: float
    chi_square: float  # Friedman's, corrected for ties
    p: float  # of Iman and Davenport's F; NaN below two data sets or three networks
    critical_difference: float  # of average ranks, Nemenyi; NaN likewise
    pairs: tuple[RankedPair, ...]

    @property
    def sentence(self) -> str:
        """The answer in words."""
        over = count(self.data_sets, "data set")
        best = f"{self.names[0]} has the best average rank over {over}, {self.ranks[0]:.2f}"
        told = [pair.behind for pair in self.pairs if pair.better and pair.ahead == self.names[0]]
        if told:
            return f"{best}; it is better than {listed(told)}."
        least = fewest_seeds(self.level)
        if self.data_sets < least:
            few = count(least, "data set")
            return f"{best}; {few} are the fewest that can call a network better."
        return f"{best}; it cannot be told from any other."


def rank(names: Sequence[str], errors: np.ndarray, level: float = 0.05) -> Ranking:
    """errors: (data sets, networks) mean errors. Raises ValueError for other shapes or NaN."""
    errors = np.asarray(errors, dtype=float)
    if errors.ndim != 2 or errors.shape[1] != len(names) or not errors.size:
        raise ValueError(f"errors {errors.shape} of {len(names)} networks: a row a data set")
    if np.isnan(errors).any():
        raise ValueError("an error is missing: rank networks that have run on every data set")
    rows = stats.rankdata(errors, axis=1)
    average = rows.mean(axis=0)
    order = np.argsort(average, kind="stable")
    chi_square, p = _friedman(rows)
    return Ranking(
        tuple(names[i] for i in order),
        tuple(float(average[i]) for i in order),
        len(errors),
        level,
        chi_square,
        p,
        _critical_difference(*errors.shape, level),
        _pairs(names, errors, average, order, p, level),
    )


def _friedman(rows: np.ndarray) -> tuple[float, float]:
    """Chi-square with the correction for ties, and p of F = (n - 1) chi / (n (k - 1) - chi)."""
    n, k = rows.shape
    if n < 2 or k < 3:
        return float("nan"), float("nan")
    between = n * ((rows.mean(axis=0) - (k + 1) / 2) ** 2).sum()
    within = ((rows - (k + 1) / 2) ** 2).sum() / (n * (k - 1))
    if within == 0:
        return 0.0, 1.0  # all equal everywhere
    chi = between / within
    left = max(n * (k - 1) - chi, 1e-12 * n * k)  # nothing where all data sets have one order
    p = float(special.fdtrc(k - 1, (k - 1) * (n - 1), (n - 1) * chi / left))
    return float(chi), max(p, float(math.factorial(k)) ** (1 - n))  # the chance of one order


def _critical_difference(n: int, k: int, level: float) -> float:
    if n < 2 or k < 3:
        return float("nan")
    return _studentized_range(k, level) * float(np.sqrt(k * (k + 1) / (12 * n)))


@cache
def _studentized_range(k: int, level: float) -> float:
    return float(stats.studentized_range.isf(level, k, np.inf))  # takes a tenth of a second


def _wilcoxon(differences: np.ndarray) -> float:
    """Exact also with equal ones; those of 0 are left out."""
    some = differences[differences != 0]
    ranks = stats.rankdata(np.abs(some))
    return sign_flip(np.rint(2 * ranks * np.sign(some)))  # a half, where two share a rank


def _pairs(
    names: Sequence[str],
    errors: np.ndarray,
    average: np.ndarray,
    order: np.ndarray,
    friedman: float,
    level: float,
) -> tuple[RankedPair, ...]:
    """Friedman's test has a say only where there is one, from three networks on."""
    n, k = errors.shape
    both = list(combinations(order, 2))
    distances = [float(average[j] - average[i]) for i, j in both]
    error = np.sqrt(k * (k + 1) / (6 * n))
    p_ranks = [float(2 * special.ndtr(-distance / error)) for distance in distances]
    adjusted = holm(p_ranks)
    all_equal = friedman > level  # False for NaN
    found = []
    for (i, j), distance, alone, p in zip(both, distances, p_ranks, adjusted, strict=True):
        p_wilcoxon = _wilcoxon(errors[:, j] - errors[:, i])
        better = not all_equal and p <= level and p_wilcoxon <= level
        found.append(
            RankedPair(names[i], names[j], distance, alone, p_wilcoxon, float(p), bool(better))
        )
    return tuple(found)
