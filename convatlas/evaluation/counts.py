"""Answers that are counted, and can be put together: the same figures for any batch size, order
and number of processes, and a number of classes that costs nothing.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

BINS = 15  # of confidence, equally wide: those of Guo et al. 2017 (arXiv:1706.04599), Sec. 4
UNIT = (
    2**32
)  # real numbers are summed as whole multiples of 1 / UNIT: no order of adding gives another sum


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The answers to a set of images; those of two sets add up to those of both, exactly.

    An answer is kept for each image, and what is asked of the classes is counted from these: a
    matrix of classes by classes is made only where somebody asks for it.
    """

    num_classes: int
    answers: Tensor  # (N, 3) int64: an image's class, the answer, 1 if its class is in the top 5
    loss_sum: int  # in units of 1 / UNIT, of the losses that are finite
    lost: int  # batches whose loss was not
    bins: Tensor  # (BINS, 3) int64: images, right ones, and sum of confidences in units of 1 / UNIT

    @classmethod
    def none(cls, num_classes: int) -> "Evaluation":
        """The answers to no image: what a sum begins with."""
        nothing = torch.zeros(0, 3, dtype=torch.int64)
        return cls(num_classes, nothing, 0, 0, torch.zeros(BINS, 3, dtype=torch.int64))

    @classmethod
    def of(cls, logits: Tensor, labels: Tensor, mean_loss: float) -> "Evaluation":
        """The answers of a batch: logits (N, classes), labels (N,) and the mean of its losses."""
        num_classes = logits.shape[1]
        answered = logits.argmax(1)
        top5 = (logits.topk(min(5, num_classes)).indices == labels[:, None]).any(1)
        finite = math.isfinite(mean_loss)
        loss_sum = round(mean_loss * len(labels) * UNIT) if finite else 0
        return cls(
            num_classes,
            torch.stack([labels, answered, top5.long()], 1),
            loss_sum,
            int(not finite),
            _in_bins(logits, answered == labels),
        )

    @classmethod
    def sum(cls, num_classes: int, parts: Iterable["Evaluation"]) -> "Evaluation":
        """All the parts together. Raises RuntimeError where one is of other classes."""
        parts = [cls.none(num_classes), *parts]
        if odd := {part.num_classes for part in parts} - {num_classes}:
            raise RuntimeError(f"answers of {max(odd):,} classes among those of {num_classes:,}")
        return cls(
            num_classes,
            torch.cat([part.answers for part in parts]),
            sum(part.loss_sum for part in parts),
            sum(part.lost for part in parts),
            torch.stack([part.bins for part in parts]).sum(0),
        )

    def __add__(self, other: "Evaluation") -> "Evaluation":
        return Evaluation.sum(self.num_classes, [self, other])

    def summed(
        self, over: Callable[[Tensor], Tensor], joined: Callable[[Tensor], Tensor]
    ) -> "Evaluation":
        """These answers and those of other processes: over(int64 tensor) adds a tensor up over all
        of them, joined(int64 tensor) puts all their rows one after the other.
        """
        numbers = torch.tensor([self.loss_sum // UNIT, self.loss_sum % UNIT, self.lost])
        wholes, units, lost = over(numbers).tolist()  # a sum of losses may need more than 64 bits
        return Evaluation(
            self.num_classes,
            joined(self.answers),
            wholes * UNIT + units,
            lost,
            over(self.bins.clone()),
        )

    @property
    def count(self) -> int:
        return len(self.answers)

    @property
    def correct(self) -> int:
        return int(self._is_right.sum())

    @property
    def top5(self) -> int:
        """Images whose class is among the five largest logits."""
        return int(self.answers[:, 2].sum())

    @property
    def seen(self) -> Tensor:
        """(classes,) int64: the images of each class."""
        return self._of_each(self.answers[:, 0])

    @property
    def _is_right(self) -> Tensor:
        return self.answers[:, 0] == self.answers[:, 1]

    def _of_each(self, classes: Tensor) -> Tensor:
        return classes.bincount(minlength=self.num_classes)

    @property
    def confusion(self) -> Tensor:
        """(classes, classes) int64: row is the true class, column the predicted one. Of 10,000
        classes it has 800 MB; see `cells`.
        """
        return self.pooled(self.num_classes)[0]

    def cells(self) -> Tensor:
        """The confusion matrix without its zeros: (k, 3) int64, true class, predicted class and
        the number of images, in the order of the rows; k is never more than the images.
        """
        places, counts = _places(self.answers, self.num_classes).unique(return_counts=True)
        return torch.stack([places // self.num_classes, places % self.num_classes, counts], 1)

    def pooled(self, most: int) -> tuple[Tensor, int]:
        """The confusion matrix of neighbouring classes taken together, so that it has at most
        `most` rows: (rows, rows) int64, and how many classes make a row.
        """
        together = -(-self.num_classes // most)
        rows = -(-self.num_classes // together)
        places = _places(self.answers // together, rows)
        return places.bincount(minlength=rows**2).reshape(rows, rows), together

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
        """For each class its images, how many were right, had it in the top 5, and how often it was
        answered; shares None where undefined.

        recall is the share of its images that were right, precision the share of its answers that
        were.
        """
        truths, answers, top5 = self.answers.unbind(1)
        columns = (truths, truths[self._is_right], truths[top5 > 0], answers)
        return [
            {
                "count": n,
                "correct": right,
                "top5": near,
                "answered": said,
                "recall": right / n if n else None,
                "precision": right / said if said else None,
            }
            for n, right, near, said in zip(
                *(self._of_each(column).tolist() for column in columns), strict=True
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


def _places(answers: Tensor, classes: int) -> Tensor:
    """(N,) int64: the cell of each answer in the matrix of so many classes, row by row."""
    return answers[:, 0] * classes + answers[:, 1]


def _in_bins(logits: Tensor, is_right: Tensor) -> Tensor:
    """(BINS, 3): see Evaluation.bins. A confidence is the largest softmax probability; one that is
    NaN counts as 0.
    """
    sure = logits.double().softmax(1).amax(1).nan_to_num(0.0)
    units = (sure * UNIT).round().long()
    rows = torch.stack([torch.ones_like(units), is_right.long(), units], 1)
    bins = ((sure * BINS).ceil().long() - 1).clamp(0, BINS - 1)
    return torch.zeros(BINS, 3, dtype=torch.int64).index_add_(0, bins, rows)
