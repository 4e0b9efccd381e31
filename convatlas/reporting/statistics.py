"""What luck alone would give: exact tests, intervals, and the spread over seeds and pictures.

A table of values has a row for each seed and a column for each test picture: 1 where the answer is
wrong, or the difference of two networks, -1, 0 or 1. Sources of the formulas: docs/statistics.md.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import fft, special, stats

RESAMPLES = 10_000  # of the bootstrap over seeds
CROSSED = 2_000  # of the bootstrap over seeds and pictures
LEAST_P = 1e-15  # no smaller p is told apart
FEW = 12  # so many differences have 2 ** FEW signs at most: quicker listed than transformed


def fewest_seeds(level: float = 0.05) -> int:
    """The smallest n with 2 / 2**n <= level: six for 0.05. Fewer can never call anything better."""
    return int(np.ceil(np.log2(2 / level)))


def sign_flip(differences: np.ndarray) -> float:
    """Exact two-sided p of the sum of whole numbers (k,), each as likely with the other sign.

    Over seeds: pictures that one network got wrong more often than the other. Over pictures: seeds
    of which that holds; with one seed this is McNemar's exact test.
    """
    sizes = np.abs(np.asarray(differences, dtype=np.int64))
    seen = abs(int(np.sum(differences, dtype=np.int64)))
    sizes = sizes[sizes > 0]
    if seen == 0:
        return 1.0
    if sizes.min() == sizes.max():  # a count of coins
        against = (len(sizes) - seen // int(sizes[0])) // 2
        p = 2 * float(special.bdtr(against, len(sizes), 0.5))
    elif len(sizes) <= FEW:
        sums = np.zeros(1, np.int64)
        for size in sizes:
            sums = np.concatenate([sums + size, sums - size])
        p = float(np.mean(np.abs(sums) >= seen))
    else:
        p = max(2 * _tail(sizes, seen), 2.0 ** (1 - len(sizes)))
    return min(1.0, max(p, LEAST_P))


def _tail(sizes: np.ndarray, seen: int) -> float:
    """The probability of a sum of at least `seen`, by the inverse of its characteristic function,
    the product of the cosines.
    """
    most = int(sizes.sum())
    points = fft.next_fast_len(2 * most + 1)
    angles = 2 * np.pi / points * np.arange(points)
    product = np.ones(points)
    for size, times in zip(*np.unique(sizes, return_counts=True), strict=True):
        product *= np.cos(angles * size) ** int(times)
    return float(fft.fft(product).real[seen : most + 1].sum() / points)


def holm(p: Sequence[float]) -> np.ndarray:
    """(k,) p-values -> (k,) adjusted for k questions asked at once (Holm 1979)."""
    p = np.asarray(p, dtype=float)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, steps)
    return adjusted


def bca(values: np.ndarray, level: float = 0.05) -> tuple[float, float]:
    """Interval of the mean of (n,) values by the bootstrap, corrected for bias and acceleration.
    NaN for one value; the mean itself where all are equal.
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return (float("nan"), float("nan"))
    if np.ptp(values) < 1e-12:  # shares of pictures that differ by rounding alone
        return (float(values[0]), float(values[0]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        found = stats.bootstrap(
            (values,),
            np.mean,
            n_resamples=RESAMPLES,
            confidence_level=1 - level,
            random_state=np.random.default_rng(0),
        ).confidence_interval
    return (float(found.low), float(found.high))


def crossed_bootstrap(table: np.ndarray, level: float = 0.05) -> tuple[float, float]:
    """Interval of the mean of (n, m) values: seeds and pictures are both drawn anew, each apart
    (Owen 2007). NaN for one seed.
    """
    seeds, pictures = table.shape
    if seeds < 2:
        return (float("nan"), float("nan"))
    draw = np.random.default_rng(0)
    rows = draw.multinomial(seeds, np.full(seeds, 1 / seeds), CROSSED) / seeds
    kinds, times = np.unique(table, axis=1, return_counts=True)  # pictures answered alike
    columns = draw.multinomial(pictures, times / pictures, CROSSED) / pictures
    means = np.einsum("bk,bk->b", rows @ kinds.astype(float), columns)
    low, high = np.quantile(means, [level / 2, 1 - level / 2])
    return (float(low), float(high))


def quantile(freedom: float, level: float) -> float:
    """What |t| exceeds with probability `level`."""
    return float(-special.stdtrit(freedom, level / 2))


@dataclass(frozen=True)
class Spread:
    """Where the variance of a mean over n seeds and m pictures comes from; each part as it counts
    in that mean.
    """

    seeds: int
    pictures: int
    of_seeds: float  # of the means of seeds, / n; NaN for one seed
    of_pictures: float  # of the means of pictures, / m
    of_both: float  # what neither explains, / (n m): it is in each of the two above

    @classmethod
    def of(cls, table: np.ndarray) -> "Spread":
        """Of (n, m) values. A picture's worth is the least that m pictures can vary."""
        n, m = table.shape
        table = table.astype(float)
        rows, columns = table.mean(axis=1), table.mean(axis=0)
        of_pictures = max(columns.var(ddof=1) / m if m > 1 else 1.0, 1 / m**2)
        if n < 2:
            return cls(n, m, float("nan"), of_pictures, 0.0)
        rest = table - rows[:, None] - columns + table.mean()
        of_both = float((rest**2).sum()) / max(1, (n - 1) * (m - 1)) / (n * m)
        return cls(n, m, float(rows.var(ddof=1) / n), float(of_pictures), of_both)

    @classmethod
    def unpaired(cls, values: np.ndarray, pictures: int, of_pictures: float) -> "Spread":
        """Of the means (n,) of seeds alone, and a bound on what the pictures add."""
        n = len(values)
        of_seeds = float(np.var(values, ddof=1) / n) if n > 1 else float("nan")
        return cls(n, pictures, of_seeds, max(of_pictures, 1 / pictures**2), 0.0)

    @property
    def variance(self) -> float:
        """Of the mean, for other seeds and other pictures. What is in both parts counts once; and
        the whole is no less than either part.
        """
        both = self.of_seeds + self.of_pictures - self.of_both
        return float(np.maximum(both, np.maximum(self.of_seeds, self.of_pictures)))

    @property
    def freedom(self) -> float:
        """How many normal numbers would tell the variance as well, by Satterthwaite."""
        n, m = max(2, self.seeds), max(2, self.pictures)
        parts = self.of_seeds**2 / (n - 1) + self.of_pictures**2 / (m - 1)
        return float(self.variance**2 / parts)

    def critical(self, level: float) -> float:
        """How many standard errors the mean must be from 0, by Cochran: the t of n - 1 degrees of
        freedom for the part of the seeds, that of m - 1 for the rest. With Satterthwaite's one t
        for both, a p of 0.001 comes up to three times as often as it should.
        """
        of_seeds = self.of_seeds / self.variance
        few, many = quantile(self.seeds - 1, level), quantile(max(1, self.pictures - 1), level)
        return of_seeds * few + (1 - of_seeds) * many

    def p(self, mean: float) -> float:
        """Two-sided, of a mean of 0: the level of which it is critical. 1 for one seed."""
        if self.seeds < 2:
            return 1.0
        distance = abs(mean) / np.sqrt(self.variance)
        low, high = np.log(LEAST_P), 0.0
        for _ in range(50):
            middle = (low + high) / 2
            if self.critical(np.exp(middle)) > distance:
                low = middle
            else:
                high = middle
        return float(np.exp(high))

    def interval(self, mean: float, level: float = 0.05) -> tuple[float, float]:
        """Of the mean; NaN for one seed."""
        if self.seeds < 2:
            return (float("nan"), float("nan"))
        half = self.critical(level) * np.sqrt(self.variance)
        return (float(mean - half), float(mean + half))

    def share_interval(self, share: float, level: float = 0.05) -> tuple[float, float]:
        """Of a share from 0 to 1, which it does not leave: Wilson's, on as many independent answers
        as would vary as much.
        """
        if self.seeds < 2:
            return (float("nan"), float("nan"))
        alone = share * (1 - share)
        answers = alone / self.variance if alone else self.pictures
        answers = min(max(1, answers), self.pictures * self.seeds)
        t = self.critical(level)
        middle = share + t**2 / (2 * answers)
        half = t * np.sqrt(alone / answers + (t / (2 * answers)) ** 2)
        whole = 1 + t**2 / answers
        return (float(max(0.0, (middle - half) / whole)), float(min(1.0, (middle + half) / whole)))
