"""Counts of answers that can be added: the same figures for any batch size, order and number of
processes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

BINS = 15  # of confidence, equally wide: those of Guo et al. 2017 (arXiv:1706.04599), Sec. 4
UNIT = (
    2**32
)  # real numbers are summed as whole multiples of 1 / UNIT: no order of adding gives another sum


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The counts of a set of images; those of two sets add up to those of both, exactly."""

    confusion: Tensor  # (classes, classes) int64: row is the true class, column the predicted one
    top5: int  # images whose true class is among the five largest logits
    loss_sum: int  # in units of 1 / UNIT, of the losses that are finite
    lost: int  # batches whose loss was not
    bins: Tensor  # (BINS, 3) int64: images, right ones, and sum of confidences in units of 1 / UNIT

    @classmethod
    def none(cls, num_classes: int) -> "Evaluation":
        """The counts of no image: what a sum begins with."""
        zeros = torch.zeros(num_classes, num_classes, dtype=torch.int64)
        return cls(zeros, 0, 0, 0, torch.zeros(BINS, 3, dtype=torch.int64))

    @classmethod
    def of(cls, logits: Tensor, labels: Tensor, mean_loss: float) -> "Evaluation":
        """The counts of a batch: logits (N, classes), labels (N,) and the mean of its losses."""
        num_classes = logits.shape[1]
        top5 = int((logits.topk(min(5, num_classes)).indices == labels[:, None]).sum())
        finite = math.isfinite(mean_loss)
        loss_sum = round(mean_loss * len(labels) * UNIT) if finite else 0
        return cls(
            confusion_of(logits, labels, num_classes),
            top5,
            loss_sum,
            int(not finite),
            _in_bins(logits, labels),
        )

    def __add__(self, other: "Evaluation") -> "Evaluation":
        return Evaluation(
            self.confusion + other.confusion,
            self.top5 + other.top5,
            self.loss_sum + other.loss_sum,
            self.lost + other.lost,
            self.bins + other.bins,
        )

    def summed(self, over: Callable[[Tensor], Tensor]) -> "Evaluation":
        """These counts and those of other processes, where over(int64 tensor) adds a tensor up over
        all of them.
        """
        numbers = torch.tensor([self.top5, self.loss_sum // UNIT, self.loss_sum % UNIT, self.lost])
        top5, wholes, units, lost = over(
            numbers
        ).tolist()  # a sum of losses may need more than 64 bits
        return Evaluation(
            over(self.confusion.clone()), top5, wholes * UNIT + units, lost, over(self.bins.clone())
        )

    @property
    def count(self) -> int:
        return int(self.confusion.sum())

    @property
    def correct(self) -> int:
        return int(self.confusion.diagonal().sum())

    @property
    def accuracy(self) -> float:
        """Share of images whose largest logit is the true class, 0 to 1."""
        return self.correct / self.count

    @property
    def loss(self) -> float:
        """Mean over the images; NaN if that of a batch was not finite."""
        return math.nan if self.lost else self.loss_sum / UNIT / max(1, self.count)

    @property
    def per_class(self) -> list[dict]:
        """For each class its images, how many were right and how often it was answered; shares None
        where undefined.

        recall is the share of its images that were right, precision the share of its answers that
        were.
        """
        asked, answered = self.confusion.sum(1).tolist(), self.confusion.sum(0).tolist()
        return [
            {
                "count": n,
                "correct": right,
                "answered": said,
                "recall": right / n if n else None,
                "precision": right / said if said else None,
            }
            for n, said, right in zip(
                asked, answered, self.confusion.diagonal().tolist(), strict=True
            )
        ]

    @property
    def calibration(self) -> list[dict]:
        """For each of the BINS equally wide bins of confidence, (low, high], that has images: what
        it promised.
        """
        return [
            {
                "low": i / BINS,
                "high": (i + 1) / BINS,
                "count": n,
                "accuracy": right / n,
                "confidence": sure / UNIT / n,
            }
            for i, (n, right, sure) in enumerate(self.bins.tolist())
            if n
        ]

    @property
    def calibration_error(self) -> float:
        """Expected calibration error, Guo et al. 2017 Eq. (3): mean over images of |accuracy -
        confidence| by bin.
        """
        return sum(abs(right - sure / UNIT) for _, right, sure in self.bins.tolist()) / max(
            1, self.count
        )

    def to_dict(self) -> dict:
        return {
            "count": self.count,
            "correct": self.correct,
            "accuracy": self.accuracy,
            "error": 1 - self.accuracy,
            "top5": self.top5 / self.count,
            "loss": self.loss,
            "calibration_error": self.calibration_error,
        }


def confusion_of(logits: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """(N, classes) logits and (N,) labels -> (classes, classes) counts, true class by predicted
    class.
    """
    cells = labels * num_classes + logits.argmax(1)
    return cells.bincount(minlength=num_classes**2).reshape(num_classes, num_classes)


def _in_bins(logits: Tensor, labels: Tensor) -> Tensor:
    """(BINS, 3): see Evaluation.bins. A confidence is the largest softmax probability; one that is
    NaN counts as 0.
    """
    sure = logits.double().softmax(1).amax(1).nan_to_num(0.0)
    rows = torch.stack(
        [
            torch.ones_like(labels),
            (logits.argmax(1) == labels).long(),
            (sure * UNIT).round().long(),
        ],
        1,
    )
    bins = ((sure * BINS).ceil().long() - 1).clamp(0, BINS - 1)
    return torch.zeros(BINS, 3, dtype=torch.int64).index_add_(0, bins, rows)
