"""Which network is better, and is the difference real: every pair of networks on one data set.

    found = compare([Results("lenet5", seeds, errors, pictures, wrong), ...])
    found.sentence                    # "lenet_caffe is better than lenet5 by 0.31 points (...)."
    found.pairs[0].sentence, found.pairs[0].better

Two things differ from study to study: how training went (the seed) and which pictures the test set
happens to hold. A difference counts as real only if neither explains it: docs/statistics.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Results:
    """What one network, with one recipe, answered on the test pictures of one data set."""

    name: str  # as the sentences call it: a network, or network and setting
    seeds: tuple[int, ...]  # n of them, all different
    errors: np.ndarray  # (n,) share of the test pictures that is wrong, 0 to 1
    pictures: int  # m test pictures
    wrong: np.ndarray | None = None  # (n, m) bool, pictures in one order; None: not recorded


@dataclass(frozen=True)
class Summary:
    """The error of a network: all shares, 0 to 1. NaN where one seed cannot tell."""

    name: str
    seeds: int
    pictures: int
    mean: float
    sd: float  # over the seeds, divisor n - 1
    low: float  # interval of the mean at 1 - level: other seeds and other pictures
    high: float


@dataclass(frozen=True)
class Pair:
    """Two networks over the seeds they share; `ahead` has the lower mean error of the two."""

    ahead: str
    behind: str
    seeds: int  # that both have
    pictures: int
    lead: float  # mean error of behind - mean error of ahead, a share, >= 0
    low: float  # interval of the lead at 1 - level: other seeds and other pictures
    high: float
    bootstrap: tuple[float, float]  # BCa interval of the lead over the seeds, these pictures
    crossed: tuple[float, float] | None  # the same over seeds and pictures; None: no answers
    p_seeds: float  # sign-flip over the seeds, exact: is it the training? These pictures given
    p_pictures: float | None  # sign-flip over the pictures, exact: is it the test set? These runs given
    p_mcnemar: tuple[float, ...] | None  # exact McNemar of each shared seed, in the seeds' order
    p_both: float  # either: t over seeds and pictures
    p: float  # max(p_pictures, p_both) after Holm over all pairs
    better: bool  # p <= level and p_seeds <= level
    tells: float | None  # the smallest lead that as many seeds and pictures tell, 4 times of 5
    seeds_needed: int | None  # for a lead as large as this one, 4 times of 5; None: no number is enough
    pictures_needed: int | None  # with as many seeds, at least six; None: no number is enough
    sentence: str  # the verdict, in points of error


@dataclass(frozen=True)
class Comparison:
    """All networks on one data set."""

    level: float  # of a wrong "better" anywhere in it
    networks: tuple[Summary, ...]  # lowest mean error first
    pairs: tuple[Pair, ...]  # in the order of networks: first with second, first with third, ...
    sentence: str  # the answer, in a sentence or a few

    def pair(self, one: str, other: str) -> Pair:
        """The pair of two names, in either order. KeyError for names that are not compared."""
        raise NotImplementedError


def compare(
    results: Sequence[Results], level: float = 0.05, against: str | None = None
) -> Comparison:
    """Every pair of networks; only the pairs with `against` if it is given (a baseline), which Holm
    then counts alone.

    Works with one network (no pairs), one seed (nothing is better) and seeds that only some share.
    Raises ValueError for two results of one name, seeds twice, shapes that do not fit, an error
    outside 0 to 1, networks on different numbers of pictures, or an unknown `against`.
    """
    raise NotImplementedError
