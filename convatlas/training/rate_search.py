"""lr-find: the loss of a network while the learning rate rises from step to step, on training
images only, and the rate to begin with that follows from it.

The test is Smith's (arXiv:1506.01186, Sec. 3.3), with rates in geometric steps, as Gugger (2018,
"How do you find a good learning rate") and fastai have it. Two things are ours: all losses are
there when the curve is smoothed, so that each point is the mean of those around it, and lags behind
none; and where the loss does not fall, nothing is suggested.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from convatlas.data import Loader
from convatlas.errors import RecipeError
from convatlas.training import builtin
from convatlas.training.determinism import deterministic
from convatlas.training.distributed import ProcessGroup
from convatlas.training.in_memory import begun
from convatlas.training.memory import explained
from convatlas.training.prepare import device_of, device_type, gather, threads
from convatlas.training.recipe import Recipe
from convatlas.training.trainer import Diverged, Trainer

MOST_STEPS = 100_000
AROUND = 3  # steps before a step and after it, over whose losses the smoothed one is the mean
TOO_HIGH = 4.0  # times the lowest mean loss so far: nothing is learned from there on
SAFETY = 10.0  # how far below the rate of the lowest loss one begins
LEAST_FALL = 0.05  # of the first smoothed loss; less is noise


@dataclass(frozen=True)
class RateSearch:
    """What was found, step by step; it may have ended before the highest rate."""

    network: str
    data: str
    batch_size: int
    rates: tuple[float, ...]
    losses: tuple[float, ...]  # of each step's own batch, before it
    smoothed: tuple[float, ...]
    suggestion: float | None
    reason: str  # the rule, or why nothing is suggested, in a sentence

    def to_csv(self) -> str:
        """rate,loss,smoothed: a line a step."""
        rows = zip(self.rates, self.losses, self.smoothed, strict=True)
        return "rate,loss,smoothed\n" + "".join(
            f"{rate:.6g},{loss:.6g},{mean:.6g}\n" for rate, loss, mean in rows
        )

    def to_png(self) -> bytes:
        """The curve, with the suggestion."""
        from convatlas.training import plots

        title = f"{self.network} on {self.data}, {self.batch_size} images a step"
        return plots.rates(self.rates, self.losses, self.smoothed, self.suggestion, title)


def lr_find(
    recipe: Recipe | str | Path = "modern",
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
    each: Callable[[int, int], None] = lambda done, of: None,
    **changes: Any,
) -> RateSearch:
    """Train for `steps` steps at rates from `low` to `high`, each the same multiple of the one
    before, and suggest one to begin with. Nothing is kept of the network, and validation and test
    images are not shown to it.

    `recipe` and `changes` are those of train; `each` hears how many steps are done, of how many.
    Raises RecipeError for rates or steps that make no search, and what train raises.
    """
    rates = rates_between(low, high, steps)
    if isinstance(recipe, Recipe):
        chosen = recipe.change(**changes)
    else:
        chosen = builtin.read(str(recipe), changes)
    level = chosen.change(sched="constant", warmup_epochs=0.0, ema=0.0, early_stopping=0)
    about, losses = _searched(level, rates, each)
    tried = rates[: len(losses)]
    means = smoothed(losses)
    return RateSearch(*about, tried, tuple(losses), tuple(means), *suggested(tried, means, high))


def rates_between(low: float, high: float, steps: int) -> tuple[float, ...]:
    """`steps` rates from low to high, in geometric steps. RecipeError for what is no such range."""
    if not (0 < low < high < math.inf and high / low < math.inf):
        raise RecipeError(
            f"rates cannot rise from {low:g} to {high:g}; give a lower one above 0, and a higher "
            "one, such as --from 1e-6 --to 10"
        )
    if not 2 * AROUND < steps <= MOST_STEPS:
        raise RecipeError(
            f"{steps} steps make no curve; give --steps {2 * AROUND + 1} to {MOST_STEPS}, such as "
            "100"
        )
    return tuple(low * (high / low) ** (step / (steps - 1)) for step in range(steps))


def smoothed(losses: Sequence[float]) -> list[float]:
    """Of each step the mean over itself and AROUND steps on either side, as far as there are."""
    parts = [losses[max(0, i - AROUND) : i + AROUND + 1] for i in range(len(losses))]
    return [math.fsum(part) / len(part) for part in parts]


def until_risen(losses: Iterable[float]) -> Iterator[float]:
    """The losses, to where the last few, in the mean, are far above the lowest such mean so far."""
    last, lowest = deque(maxlen=2 * AROUND + 1), math.inf
    for loss in losses:
        yield loss
        last.append(loss)
        if len(last) == last.maxlen:
            mean = math.fsum(last) / len(last)
            lowest = min(lowest, mean)
            if mean > max(0.0, TOO_HIGH * lowest):
                return


def suggested(
    rates: Sequence[float], means: Sequence[float], high: float
) -> tuple[float | None, str]:
    """A rate to begin with, or None, and why. `means` are the smoothed losses at these rates."""
    if not means:
        return None, "the first step's loss was no finite number: begin with a lower --from"
    best = min(range(len(means)), key=means.__getitem__)
    if means[0] - means[best] < LEAST_FALL * abs(means[0]):
        return None, (
            f"the loss fell by less than {LEAST_FALL:.0%} at every rate, so none is suggested: try "
            "more --steps, or a larger --batch-size"
        )
    rate = float(f"{rates[best] / SAFETY:.2g}")
    rule = (
        f"a tenth of {rates[best]:.2g}, the rate at which the smoothed loss was least: there the "
        "steps begin to be too long"
    )
    if rates[-1] >= high and best >= len(means) - 1 - AROUND:
        rule += (
            f"; it still fell at {rates[-1]:.2g}, the highest one, so a higher --to may say more"
        )
    return rate, rule


def _searched(
    recipe: Recipe, rates: Sequence[float], each: Callable[[int, int], None]
) -> tuple[tuple[str, str, int], list[float]]:
    """Network, data and images of a step; and the losses, until they have risen far."""
    kind, group, losses = device_type(recipe), ProcessGroup(), []
    with ExitStack() as stack:
        stack.enter_context(deterministic(recipe.deterministic, kind))
        ready, start = begun(recipe, gather(recipe, group))
        stack.enter_context(threads(recipe))
        stack.enter_context(explained(recipe, ready.train.part))
        stack.enter_context(suppress(Diverged))  # the search has seen enough
        counts = ready.data.counts()
        trainer = _Rising(recipe, ready.net, rates, device_of(kind, group), group, start, counts)
        batches = _batches(ready.train, len(rates))
        for loss in until_risen(trainer.step(x, y, ready.per_step) for x, y in batches):
            losses.append(loss)
            each(len(losses), len(rates))
    return (recipe.network, ready.data.name, ready.per_step), losses


class _Rising(Trainer):
    """A trainer whose step n is at the n-th rate."""

    def __init__(self, recipe: Recipe, net, rates: Sequence[float], *rest):
        super().__init__(recipe, net, len(rates), *rest)
        self.rates = rates

    @property
    def learning_rate(self) -> float:
        return self.rates[self.progress.step]


def _batches(loader: Loader, count: int) -> Iterator[tuple]:
    """The first so many training batches, over as many epochs as that takes."""
    epochs = math.ceil(count / len(loader))
    batches = ((x, y) for epoch in range(epochs) for x, y, _ in loader.epoch(epoch))
    return islice(batches, count)
