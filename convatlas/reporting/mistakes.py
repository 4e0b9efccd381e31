"""Which pictures networks get wrong: all of them, or one and not the other; and as what."""

from collections.abc import Sequence

import numpy as np


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


def confusion(truth: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    """truth (m,) and answers (seeds, m) int -> (classes, classes) mean counts per seed, row the
    true class, column the answer.
    """
    answers = np.asarray(answers, dtype=np.int64)
    cells = np.asarray(truth, dtype=np.int64) * classes + answers
    counts = np.bincount(cells.ravel(), minlength=classes**2)
    return counts.reshape(classes, classes) / len(answers)


def confusion_differences(
    a: np.ndarray, b: np.ndarray, most: int = 10
) -> list[tuple[int, int, float]]:
    """Two confusions -> (true class, answer, pictures per seed by which a gives this wrong answer
    more often than b), largest absolute difference first, at most `most`, none that are 0.
    """
    difference = np.asarray(a, float) - np.asarray(b, float)
    np.fill_diagonal(difference, 0)
    flat = difference.ravel()
    order = np.argsort(-np.abs(flat), kind="stable")[:most]
    classes = len(difference)
    return [(int(i // classes), int(i % classes), float(flat[i])) for i in order if flat[i]]
