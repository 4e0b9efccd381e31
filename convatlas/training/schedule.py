"""The learning rate as a pure function of the recipe, the step and the validation scores so far:
nothing to save.
"""

import math
from collections.abc import Sequence

from convatlas.training.recipe import Recipe


def learning_rate(
    recipe: Recipe, step: int, steps_per_epoch: int, scores: Sequence[float] = ()
) -> float:
    """The rate of optimiser step `step` (from 0); `scores` are the validation accuracies of the
    finished epochs.
    """
    epoch = step / steps_per_epoch
    if epoch < recipe.warmup_epochs:
        rise = (
            (recipe.lr - recipe.warmup_lr) * (step + 1) / (recipe.warmup_epochs * steps_per_epoch)
        )
        return recipe.warmup_lr + rise
    return recipe.lr * FACTORS[recipe.sched](recipe, epoch, scores)


def constant(recipe: Recipe, epoch: float, scores: Sequence[float]) -> float:
    return 1.0


def cosine(recipe: Recipe, epoch: float, scores: Sequence[float]) -> float:
    """From 1 after the warm-up to 0 at the end (Loshchilov and Hutter, arXiv:1608.03983, Eq. (5),
    one cycle).
    """
    return 0.5 * (1 + math.cos(math.pi * _done(recipe, epoch)))


def polynomial(recipe: Recipe, epoch: float, scores: Sequence[float]) -> float:
    """From 1 after the warm-up to 0 at the end, as (1 - t)^power; power 1 is linear."""
    return (1 - _done(recipe, epoch)) ** recipe.power


def exponential(recipe: Recipe, epoch: float, scores: Sequence[float]) -> float:
    """Multiplied by gamma every `decay_epochs` epochs, counted from step 0, at once: TensorFlow's
    staircase.
    """
    return recipe.gamma ** math.floor(epoch / recipe.decay_epochs)


def step(recipe: Recipe, epoch: float, scores: Sequence[float]) -> float:
    return recipe.gamma ** sum(epoch >= milestone for milestone in recipe.milestones)


def plateau(recipe: Recipe, epoch: float, scores: Sequence[float]) -> float:
    """gamma for every stretch of more than `patience` epochs without a better score."""
    best, waited, drops = -math.inf, 0, 0
    for score in scores:
        if score > best:
            best, waited = score, 0
        else:
            waited += 1
        if waited > recipe.patience:
            waited, drops = 0, drops + 1
    return recipe.gamma**drops


def ends_early(recipe: Recipe, scores: Sequence[float]) -> bool:
    """Whether the last `early_stopping` epochs brought no better score than those before them."""
    epochs = recipe.early_stopping
    if not epochs or len(scores) <= epochs:
        return False
    return max(scores[-epochs:]) <= max(scores[:-epochs])


def _done(recipe: Recipe, epoch: float) -> float:
    """The share of the epochs after the warm-up that is over, 0 to 1."""
    length = recipe.epochs - recipe.warmup_epochs
    return min((epoch - recipe.warmup_epochs) / length, 1.0) if length > 0 else 1.0


FACTORS = {
    "constant": constant,
    "cosine": cosine,
    "step": step,
    "plateau": plateau,
    "polynomial": polynomial,
    "exponential": exponential,
}
