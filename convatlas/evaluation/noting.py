"""What was answered for each image, noted while a set is measured."""

from collections.abc import Callable

import torch
from torch import Tensor

MILLION = 10**6


class Noting:
    """A row an image of a split: `table`, int64 (count, 3), holds the answer, and in millionths its
    probability and that of the true class.

    Whole numbers, so that the tables of several processes, each with rows of zeros for the others'
    images, add up exactly. Probabilities are the softmax of the logits, as in Evaluation.bins; one
    that is NaN counts as 0.
    """

    def __init__(self, count: int):
        self.table = torch.zeros(count, 3, dtype=torch.int64)

    def __call__(self, indices: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Notes a batch: places in the split (N,), logits (N, classes) and labels (N,)."""
        shares = logits.double().softmax(1).nan_to_num(0.0)
        sure, true = shares.amax(1), shares.gather(1, labels[:, None])[:, 0]
        self.table[indices, 0] = logits.argmax(1)
        self.table[indices, 1:] = (torch.stack([sure, true], 1) * MILLION).round().long()

    def gather(self, over: Callable[[Tensor], Tensor]) -> None:
        """Takes up the rows of other processes, where over(int64 tensor) adds a tensor up over all
        of them.
        """
        self.table = over(self.table)
