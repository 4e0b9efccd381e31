"""Which pictures networks get wrong: all of them, or one and not the other; and as what."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse


@dataclass(frozen=True)
class Confused:
    """One wrong answer; `a` and `b` are pictures of a run to which two networks gave it."""

    truth: int  # class
    answer: int
    a: float
    b: float

    @property
    def more(self) -> float:
        """By how many pictures `a` gives it more often than `b`."""
        return self.a - self.b


def always_wrong(wrong: Sequence[np.ndarray]) -> np.ndarray:
    """wrong: for each network (seeds, m) bool -> (k,) numbers of the pictures that every seed of
    every network gets wrong, in test order.
    """
    return np.flatnonzero(np.concatenate([np.asarray(table, bool) for table in wrong]).all(axis=0))


def disagreements(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a, b: (seeds, m) bool, wrong answers of two networks, whose seeds may differ in number ->
    (m,) share of a's seeds that are wrong less that of b's: 1 where only a is ever wrong, -1 where
    only b is. np.argsort(-abs(it), kind="stable") lists the strongest first.
    """
    return np.asarray(a, float).mean(axis=0) - np.asarray(b, float).mean(axis=0)


def confused(a: sparse.csr_array, b: sparse.csr_array, most: int = 8) -> list[Confused]:
    """a, b: (classes, classes), pictures of a run by true class and answer -> the wrong answers in
    which they differ, largest difference first, at most `most`.
    """
    difference = (a.astype(float) - b.astype(float)).tocoo()
    truths, answers = difference.coords
    wrong = np.flatnonzero((truths != answers) & (difference.data != 0))
    wrong = wrong[np.lexsort((answers[wrong], truths[wrong]))]
    order = wrong[np.argsort(-np.abs(difference.data[wrong]), kind="stable")[:most]]
    return [
        Confused(truth, answer, float(a[truth, answer]), float(b[truth, answer]))
        for truth, answer in zip(truths[order].tolist(), answers[order].tolist(), strict=True)
    ]
