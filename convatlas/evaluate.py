"""How good a network is: integer counts, so that the figure is the same for any batch size and number of processes."""
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convatlas.data import Feed


@dataclass(frozen=True)
class Evaluation:
    confusion: Tensor       # (classes, classes) int64: row is the true class, column the predicted one
    top5: int               # pictures whose true class is among the five largest logits
    loss: float             # mean over the pictures

    @property
    def count(self) -> int:
        return int(self.confusion.sum())

    @property
    def correct(self) -> int:
        return int(self.confusion.diagonal().sum())

    @property
    def accuracy(self) -> float:
        """Share of pictures whose largest logit is the true class, 0 to 1."""
        return self.correct / self.count

    def to_dict(self) -> dict:
        return {"count": self.count, "correct": self.correct, "accuracy": self.accuracy,
                "error": 1 - self.accuracy, "top5": self.top5 / self.count, "loss": self.loss}


def evaluate(net: nn.Module, feed: Feed, num_classes: int,
             loss_of: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy) -> Evaluation:
    """Every picture of the feed once, in evaluation mode; the network's own mode and device are kept.

    `loss_of` takes logits (N, classes) and labels (N,) and returns the mean over the batch.
    """
    device = next(net.parameters()).device
    was_training = net.training
    net.eval()
    confusion = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    top5, loss = 0, 0.0
    try:
        with torch.inference_mode():
            for x, y, _ in feed.all():
                logits = net(x.to(device)).float().cpu()
                confusion += confusion_of(logits, y, num_classes)
                top5 += int((logits.topk(min(5, num_classes)).indices == y[:, None]).sum())
                loss += float(loss_of(logits.double(), y)) * len(y)
    finally:
        net.train(was_training)
    return Evaluation(confusion, top5, loss / max(1, int(confusion.sum())))


def confusion_of(logits: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """(N, classes) logits and (N,) labels -> (classes, classes) counts, true class by predicted class."""
    cells = labels * num_classes + logits.argmax(1)
    return cells.bincount(minlength=num_classes ** 2).reshape(num_classes, num_classes)
