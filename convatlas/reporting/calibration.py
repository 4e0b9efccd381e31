"""Whether confidences keep their promise, from the answers of a run."""

from dataclasses import dataclass

import numpy as np

LEAST = 1e-6  # what a probability of 0 counts as in the log loss: answers are kept to six digits


@dataclass(frozen=True, eq=False)
class Reliability:
    """Of equally wide bins of confidence, (low, high]; NaN where a bin has no pictures."""

    edges: np.ndarray  # (bins + 1,)
    counts: np.ndarray  # (bins,) int
    accuracy: np.ndarray  # (bins,) share right
    confidence: np.ndarray  # (bins,) mean confidence
    log_loss: float | None  # mean -log of the true class's probability; None without them


def reliability(
    confidence: np.ndarray,
    right: np.ndarray,
    probability: np.ndarray | None = None,
    bins: int = 15,
) -> Reliability:
    """confidence (m,) 0 to 1, right (m,) bool, probability (m,) of the true class. NaN counts as 0.
    Several runs at once: concatenate them. Raises ValueError for shapes that differ or no picture.
    """
    sure = np.nan_to_num(np.asarray(confidence, dtype=float))
    hits = np.asarray(right, dtype=bool)
    if sure.ndim != 1 or sure.shape != hits.shape or not len(sure):
        raise ValueError(f"confidences {sure.shape} and answers {hits.shape}: one each a picture")
    bin_of = np.clip(np.ceil(sure * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(bin_of, minlength=bins)
    right_sum = np.bincount(bin_of, weights=hits, minlength=bins)
    sure_sum = np.bincount(bin_of, weights=sure, minlength=bins)
    with np.errstate(invalid="ignore"):
        accuracy = right_sum / counts
        mean_sure = sure_sum / counts
    edges = np.arange(bins + 1) / bins
    return Reliability(edges, counts, accuracy, mean_sure, _log_loss(probability, sure))


def _log_loss(probability: np.ndarray | None, like: np.ndarray) -> float | None:
    if probability is None:
        return None
    true = np.nan_to_num(np.asarray(probability, dtype=float))
    if true.shape != like.shape:
        raise ValueError(f"probabilities {true.shape} of {like.shape[0]} pictures")
    return float(-np.log(np.maximum(true, LEAST)).mean())
