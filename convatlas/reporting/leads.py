"""By how much one network is ahead of another, seed by seed and picture by picture, and what luck
alone would give.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from convatlas.reporting.statistics import Spread, sign_flip


@dataclass(frozen=True, eq=False)
class Results:
    """What one network, with one recipe, answered on the test pictures of one data set."""

    name: str  # as the sentences call it: a network, or network and setting
    seeds: tuple[int, ...]  # n of them, all different
    errors: np.ndarray  # (n,) share of the test pictures that is wrong, 0 to 1
    pictures: int  # m test pictures
    wrong: np.ndarray | None = None  # (n, m) bool, pictures in one order; None: not recorded

    def check(self) -> None:
        """ValueError for seeds twice, shapes that do not fit, an error outside 0 to 1."""
        n, errors = len(self.seeds), np.asarray(self.errors)
        if not n or len(set(self.seeds)) < n:
            raise ValueError(f"{self.name}: seeds {list(self.seeds)}; one or more, each once")
        if errors.shape != (n,) or not np.all((errors >= 0) & (errors <= 1)):
            raise ValueError(f"{self.name}: an error from 0 to 1 for each of {n} seeds")
        if self.pictures < 1:
            raise ValueError(f"{self.name}: {self.pictures} test pictures; one at least")
        if self.wrong is not None and np.shape(self.wrong) != (n, self.pictures):
            found = " x ".join(map(str, np.shape(self.wrong)))
            raise ValueError(f"{self.name}: {found} answers of {n} seeds, {self.pictures} pictures")

    @property
    def mean(self) -> float:
        return float(np.mean(self.errors))

    @cached_property
    def spread(self) -> Spread:
        if self.wrong is not None:
            return Spread.of(np.asarray(self.wrong))
        return Spread.unpaired(np.asarray(self.errors), self.pictures, self.of_pictures)

    @property
    def of_pictures(self) -> float:
        """The most that other pictures can add to the variance of the mean error."""
        return self.mean * (1 - self.mean) / self.pictures

    def only(self, seeds: list[int]) -> "Results":
        """Of these seeds alone, in their order."""
        rows = [self.seeds.index(seed) for seed in seeds]
        wrong = None if self.wrong is None else np.asarray(self.wrong)[rows]
        return Results(
            self.name, tuple(seeds), np.asarray(self.errors, float)[rows], self.pictures, wrong
        )


@dataclass(frozen=True, eq=False)
class Lead:
    """`ahead` has the lower mean error over the seeds that both have; over all where none is."""

    ahead: Results
    behind: Results
    seeds: tuple[int, ...]  # the n that both have

    @classmethod
    def of(cls, one: Results, other: Results) -> "Lead":
        shared = sorted({*one.seeds} & {*other.seeds})
        if shared:
            one, other = one.only(shared), other.only(shared)
        ahead, behind = (other, one) if other.mean < one.mean else (one, other)
        return cls(ahead, behind, tuple(shared))

    @property
    def mean(self) -> float:
        """A share of the pictures, 0 or more."""
        return self.behind.mean - self.ahead.mean

    @property
    def by_seed(self) -> np.ndarray:
        """(n,) shares of the pictures."""
        return self.behind.errors - self.ahead.errors if self.seeds else np.zeros(0)

    @cached_property
    def table(self) -> np.ndarray | None:
        """(n, m): 1 where only `behind` is wrong, -1 where only `ahead`. None without answers."""
        if not self.seeds or self.ahead.wrong is None or self.behind.wrong is None:
            return None
        return np.asarray(self.behind.wrong, np.int8) - np.asarray(self.ahead.wrong, np.int8)

    @cached_property
    def spread(self) -> Spread:
        """Without answers as if each network found other pictures hard: no less than it is."""
        if self.table is not None:
            return Spread.of(self.table)
        bound = self.ahead.of_pictures + self.behind.of_pictures
        return Spread.unpaired(self.by_seed, self.ahead.pictures, bound)

    @cached_property
    def p_seeds(self) -> float:
        """Exact, by flips of the signs of the seeds' leads: of these pictures, other trainings."""
        return sign_flip(np.rint(self.by_seed * self.ahead.pictures))

    @cached_property
    def p_pictures(self) -> float | None:
        """Exact, by flips of the signs of the pictures' leads: of these trainings, other pictures.
        McNemar's exact test where there is one seed. None without answers.
        """
        return None if self.table is None else sign_flip(self.table.sum(axis=0, dtype=np.int64))

    @cached_property
    def p_mcnemar(self) -> tuple[float, ...] | None:
        """McNemar's exact test of each seed's two networks. None without answers."""
        return None if self.table is None else tuple(sign_flip(row) for row in self.table)

    @cached_property
    def p_both(self) -> float:
        """Of other trainings and other pictures: t of the mean."""
        return self.spread.p(self.mean)

    @property
    def p(self) -> float:
        """What Holm adjusts. The t allows for both kinds of luck, but leans on pictures being many;
        the exact test of the pictures does not.
        """
        return max(self.p_both, self.p_pictures or 0.0)
