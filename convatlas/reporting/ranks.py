"""Networks over several data sets: average ranks, Friedman's test, critical difference."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


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
    chi_square: float  # Friedman's
    p: float  # of Iman and Davenport's F; NaN below two data sets or three networks
    critical_difference: float  # of average ranks, Nemenyi; NaN likewise
    pairs: tuple[RankedPair, ...]
    sentence: str


def rank(names: Sequence[str], errors: np.ndarray, level: float = 0.05) -> Ranking:
    """errors: (data sets, networks) mean errors. Raises ValueError for other shapes or NaN."""
    raise NotImplementedError
