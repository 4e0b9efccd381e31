"""Whether confidences keep their promise, from the answers of a run."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Reliability:
    """Of `bins` equally wide bins of confidence, (low, high]; those without pictures are NaN."""

    edges: np.ndarray  # (bins + 1,)
    counts: np.ndarray  # (bins,) int
    accuracy: np.ndarray  # (bins,) share right
    confidence: np.ndarray  # (bins,) mean confidence
    error: float  # expected calibration error, 0 to 1
    log_loss: float | None  # mean -log of the true class's probability; None without them


def reliability(
    confidence: np.ndarray,
    right: np.ndarray,
    probability: np.ndarray | None = None,
    bins: int = 15,
) -> Reliability:
    """confidence (m,) 0 to 1, right (m,) bool, probability (m,) of the true class. NaN counts as 0.
    Several runs at once: concatenate them. Raises ValueError for shapes that differ.
    """
    raise NotImplementedError
