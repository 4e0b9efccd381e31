"""What is minimised: the mean over a batch of a function of logits (N, classes) and labels.

Labels are classes, int64 (N,), or probabilities, floats (N, classes), which mixed images have.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

RUBBISH = 1.0  # j of LeNet-5's Eq. (9), a positive constant that the paper does not print


def map_criterion(logits: Tensor, labels: Tensor, reduction: str = "mean") -> Tensor:
    """LeNet-5's Eq. (9), mean of y_D + log(e^-j + sum_i e^-y_i), where the logits are minus the
    penalties y.

    Cross-entropy with one more class, of constant penalty j: classes already further off than j are
    left in peace.
    """
    rubbish = logits.new_full((len(logits), 1), -RUBBISH)
    labels = F.pad(labels, (0, 1)) if labels.is_floating_point() else labels
    return _cross_entropy(torch.cat([logits, rubbish], dim=1), labels, reduction)


def squared_error(outputs: Tensor, labels: Tensor, reduction: str = "mean") -> Tensor:
    """The 1989 papers: half the squared distance to +1 for the class and -1 for the others, summed
    over outputs.
    """
    shares = (
        labels.to(outputs.dtype)
        if labels.is_floating_point()
        else F.one_hot(labels, outputs.shape[1])
    )
    targets = 2.0 * shares - 1.0
    of_each = 0.5 * (outputs - targets).square().sum(1)
    return of_each if reduction == "none" else of_each.mean()


def hits(logits: Tensor, labels: Tensor) -> int:
    """How many images have their largest logit at their class, or at the likelier
    of their classes.
    """
    classes = labels.argmax(1) if labels.is_floating_point() else labels
    return int((logits.detach().argmax(1) == classes).sum())


def loss_function(name: str, label_smoothing: float) -> Callable[..., Tensor]:
    """The function (logits, labels) -> scalar that a recipe names; with reduction="none" it gives
    the loss of each image, (N,).
    """
    if name == "cross-entropy":
        return lambda logits, labels, reduction="mean": _cross_entropy(
            logits, labels, reduction, label_smoothing
        )
    return {"map": map_criterion, "squared-error": squared_error}[name]


def balanced(counts: Sequence[int]) -> Tensor:
    """A weight for each class, from its number of training images: the mean number over its own, so
    that the weights of all images add up to their number. float32 (classes,).
    """
    sizes = torch.tensor(counts, dtype=torch.float32)
    return sizes.mean() / sizes.clamp(min=1)


def weighted(loss: Callable[..., Tensor], weights: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """The same loss with each image's times the weight of its class, or of its mixture of them.

    The mean is over the number of images, not over their weights, so that parts of a batch add up
    to the whole.
    """

    def of_batch(logits: Tensor, labels: Tensor) -> Tensor:
        own = weights.to(logits.device)
        share = labels.to(own.dtype) @ own if labels.is_floating_point() else own[labels]
        return (share * loss(logits, labels, reduction="none")).mean()

    return of_batch


def _cross_entropy(
    logits: Tensor, labels: Tensor, reduction: str = "mean", label_smoothing: float = 0.0
) -> Tensor:
    labels = labels.to(logits.dtype) if labels.is_floating_point() else labels
    return F.cross_entropy(logits, labels, reduction=reduction, label_smoothing=label_smoothing)
