"""Which pictures networks get wrong: all of them, or one and not the other; and as what."""

from collections.abc import Sequence

import numpy as np


def always_wrong(wrong: Sequence[np.ndarray]) -> np.ndarray:
    """wrong: for each network (seeds, m) bool -> (k,) numbers of the pictures that every seed of
    every network gets wrong, in test order.
    """
    raise NotImplementedError


def disagreements(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a, b: (seeds, m) bool, wrong answers of two networks, whose seeds may differ in number ->
    (m,) share of a's seeds that are wrong less that of b's: 1 where only a is ever wrong, -1 where
    only b is. np.argsort(-abs(it), kind="stable") lists the strongest first.
    """
    raise NotImplementedError


def confusion(truth: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    """truth (m,) and answers (seeds, m) int -> (classes, classes) mean counts per seed, row the
    true class, column the answer.
    """
    raise NotImplementedError


def confusion_differences(
    a: np.ndarray, b: np.ndarray, most: int = 10
) -> list[tuple[int, int, float]]:
    """Two confusions -> (true class, answer, pictures per seed by which a gives this wrong answer
    more often than b), largest absolute difference first, at most `most`, none that are 0.
    """
    raise NotImplementedError
