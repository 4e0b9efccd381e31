"""Which network is better, and is the difference real: every pair of networks on one data set.

    found = compare([Results("lenet5", seeds, errors, pictures, wrong), ...])
    found.sentence                    # "lenet_caffe is better than lenet5 by 0.31 points (...)."
    found.pairs[0].sentence, found.pairs[0].better

Two things differ from study to study: how training went (the seed) and which pictures the test set
happens to hold. A difference counts as real only if neither explains it: docs/statistics.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from convatlas.reporting import needs, wording
from convatlas.reporting.leads import Lead, Results
from convatlas.reporting.statistics import bca, crossed_bootstrap, holm

__all__ = ["Comparison", "Judgement", "Pair", "Results", "Summary", "compare", "judge"]


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
    crossed: tuple[float, float] | None  # bootstrap over seeds and pictures; None: no answers
    p_seeds: float  # exact sign-flip over the seeds: luck of training, on these pictures?
    p_pictures: float | None  # exact sign-flip over the pictures: luck of these? None: no answers
    p_mcnemar: tuple[float, ...] | None  # exact, of each shared seed, in rising order of the seeds
    p_both: float  # t over seeds and pictures: luck of either?
    p: float  # max(p_pictures, p_both), after Holm over all pairs
    level: float  # of a wrong "better" anywhere in the comparison
    better: bool  # p <= level and p_seeds <= level
    tells: float | None  # the smallest lead that such a study tells, 4 times of 5; None: no lead
    seeds_needed: int | None  # to tell a lead as large as this, 4 times of 5; None: no number does
    pictures_needed: int | None  # the same, with as many seeds, or six if these are fewer

    @property
    def sentence(self) -> str:
        """The verdict in words, in points of error."""
        return wording.verdict(self)


@dataclass(frozen=True)
class Comparison:
    """All networks on one data set."""

    level: float  # of a wrong "better" anywhere in it
    networks: tuple[Summary, ...]  # lowest mean error first
    pairs: tuple[Pair, ...]  # in the order of networks: first with second, first with third, ...
    against: str | None = None

    @property
    def sentence(self) -> str:
        """The answer, in a sentence or a few."""
        return wording.answer(self)

    def pair(self, one: str, other: str) -> Pair:
        """The pair of two names, in either order. KeyError for names that are not compared."""
        for pair in self.pairs:
            if {pair.ahead, pair.behind} == {one, other}:
                return pair
        raise KeyError(f"{one} and {other} are not compared")


@dataclass(frozen=True)
class Judgement:
    """Whether a lead is real: all that a verdict rests on."""

    lead: Lead
    p: float  # after Holm
    better: bool


def judge(
    results: Sequence[Results], level: float = 0.05, against: str | None = None
) -> list[Judgement]:
    """The verdicts of `compare` without what it says beside them."""
    _check(results, against)
    leads = [
        Lead.of(one, other)
        for one, other in combinations(sorted(results, key=lambda found: found.mean), 2)
        if against in (None, one.name, other.name)
    ]
    adjusted = holm([lead.p for lead in leads])
    return [
        Judgement(lead, float(p), bool(p <= level and lead.p_seeds <= level))
        for lead, p in zip(leads, adjusted, strict=True)
    ]


def compare(
    results: Sequence[Results], level: float = 0.05, against: str | None = None
) -> Comparison:
    """Every pair of networks; only the pairs with `against` if it is given (a baseline), which Holm
    then counts alone.

    Works with one network (no pairs), one seed (nothing is better) and seeds that only some share.
    Raises ValueError for two results of one name, seeds twice, shapes that do not fit, an error
    outside 0 to 1, networks on different numbers of pictures, or an unknown `against`.
    """
    judged = judge(results, level, against)
    return Comparison(
        level,
        tuple(_summary(found, level) for found in sorted(results, key=lambda found: found.mean)),
        tuple(_pair(each, level, len(judged)) for each in judged),
        against,
    )


def _check(results: Sequence[Results], against: str | None) -> None:
    names = [found.name for found in results]
    for found in results:
        found.check()
        if names.count(found.name) > 1:
            raise ValueError(f"{found.name} stands twice: give each its own name")
        if found.pictures != results[0].pictures:
            raise ValueError(
                f"{found.name} answered {found.pictures} pictures, {names[0]} "
                f"{results[0].pictures}: compare answers to the same ones"
            )
    if against is not None and against not in names:
        raise ValueError(f"{against} is none of {', '.join(names)}")


def _summary(found: Results, level: float) -> Summary:
    seeds = len(found.seeds)
    sd = float(np.std(found.errors, ddof=1)) if seeds > 1 else float("nan")
    low, high = found.spread.share_interval(found.mean, level)
    return Summary(found.name, seeds, found.pictures, found.mean, sd, low, high)


def _pair(found: Judgement, level: float, pairs: int) -> Pair:
    lead = found.lead
    low, high = lead.spread.interval(lead.mean, level)
    return Pair(
        ahead=lead.ahead.name,
        behind=lead.behind.name,
        seeds=len(lead.seeds),
        pictures=lead.ahead.pictures,
        lead=lead.mean,
        low=low,
        high=high,
        bootstrap=bca(lead.by_seed, level),
        crossed=None if lead.table is None else crossed_bootstrap(lead.table, level),
        p_seeds=lead.p_seeds,
        p_pictures=lead.p_pictures,
        p_mcnemar=lead.p_mcnemar,
        p_both=lead.p_both,
        p=found.p,
        level=level,
        better=found.better,
        tells=needs.tells(lead.spread, level, pairs),
        seeds_needed=needs.seeds_needed(lead.mean, lead.spread, level, pairs),
        pictures_needed=needs.pictures_needed(lead.mean, lead.spread, level, pairs),
    )
