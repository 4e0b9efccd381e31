"""mixup and CutMix: neighbours of a batch are mixed, and so are their labels."""

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from convatlas.data.rectangles import cutmix_box

DRAWS = 4  # which of the two, how much, and where


def mixed(
    x: Tensor, y: Tensor, classes: int, draws, mixup: float, cutmix: float
) -> tuple[Tensor, Tensor]:
    """float (B, C, S, S) and int64 (B,) -> the same, mixed, and float32 (B, classes), whose rows
    sum to 1.

    Two neighbours, places 2k and 2k + 1, are mixed with each other, so that processes which each
    take an even stretch of a batch mix the same images as one process would. `mixup` and `cutmix`
    are the alpha of Beta(alpha, alpha), from which one share is drawn for the batch; with both,
    either is as likely. Zhang et al. 2017, Yun et al. 2019.
    """
    which, amount, u_y, u_x = (float(u) for u in draws)
    cut = bool(cutmix) and (not mixup or which < 0.5)
    kept = _beta(amount, cutmix if cut else mixup)
    partner = _neighbours(len(x))
    if cut:
        top, left, height, width = cutmix_box(x.shape[-1], 1 - kept, u_y, u_x)
        kept = 1 - height * width / x.shape[-1] ** 2
        x, theirs = x.clone(), x[partner]
        x[..., top : top + height, left : left + width] = theirs[
            ..., top : top + height, left : left + width
        ]
    else:
        x = kept * x + (1 - kept) * x[partner]
    hot = one_hot(y, classes).float()
    return x, kept * hot + (1 - kept) * hot[partner]


def _neighbours(n: int) -> Tensor:
    """1 0 3 2 ...; the last of an odd number is its own."""
    return (torch.arange(n) ^ 1).clamp(max=n - 1)


def _beta(u: float, alpha: float) -> float:
    """The u-th quantile of Beta(alpha, alpha)."""
    from scipy.special import betaincinv

    return float(betaincinv(alpha, alpha, u))
