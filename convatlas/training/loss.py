"""What is minimised: the mean over a batch of a function of logits (N, classes) and labels.

Labels are classes, int64 (N,), or probabilities, floats (N, classes), which mixed images have.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

RUBBISH = 1.0  # j of LeNet-5's Eq. (9), a positive constant that the paper does not print


def map_criterion(logits: Tensor, labels: Tensor) -> Tensor:
    """LeNet-5's Eq. (9), mean of y_D + log(e^-j + sum_i e^-y_i), where the logits are minus the
    penalties y.

    Cross-entropy with one more class, of constant penalty j: classes already further off than j are
    left in peace.
    """
    rubbish = logits.new_full((len(logits), 1), -RUBBISH)
    labels = F.pad(labels, (0, 1)) if labels.is_floating_point() else labels
    return _cross_entropy(torch.cat([logits, rubbish], dim=1), labels)


def squared_error(outputs: Tensor, labels: Tensor) -> Tensor:
    """The 1989 papers: half the squared distance to +1 for the class and -1 for the others, summed
    over outputs.
    """
    shares = (
        labels.to(outputs.dtype)
        if labels.is_floating_point()
        else F.one_hot(labels, outputs.shape[1])
    )
    targets = 2.0 * shares - 1.0
    return 0.5 * (outputs - targets).square().sum(1).mean()


def hits(logits: Tensor, labels: Tensor) -> int:
    """How many images have their largest logit at their class, or at the likelier
    of their classes.
    """
    classes = labels.argmax(1) if labels.is_floating_point() else labels
    return int((logits.detach().argmax(1) == classes).sum())


def loss_function(name: str, label_smoothing: float):
    """The function (logits, labels) -> scalar that a recipe names."""
    if name == "cross-entropy":
        return lambda logits, labels: _cross_entropy(logits, labels, label_smoothing)
    return {"map": map_criterion, "squared-error": squared_error}[name]


def _cross_entropy(logits: Tensor, labels: Tensor, label_smoothing: float = 0.0) -> Tensor:
    labels = labels.to(logits.dtype) if labels.is_floating_point() else labels
    return F.cross_entropy(logits, labels, label_smoothing=label_smoothing)
