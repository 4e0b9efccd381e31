"""Which memory layout and precision make a step fastest here, and whether compiling pays: tried,
not guessed.
"""

import copy
import itertools
import math
from contextlib import suppress
from dataclasses import dataclass, replace

import torch
from torch import nn

from convatlas.data import Loader
from convatlas.errors import RunError
from convatlas.training.forecast import step_seconds
from convatlas.training.recipe import Recipe
from convatlas.training.trainer import Trainer

WORK = 2e10  # multiply-adds of a trial step, forward: about a second on two cores
STEPS = 3  # timed of each form, after one that is not
# of the time without it: what does not get below is not worth another rounding, or compiling
WORTH = 0.95


@dataclass(frozen=True)
class Config:
    """How a step is computed; the plain form is torch's own way."""

    amp: bool = False
    channels_last: bool = False
    compile: bool = False

    def __str__(self) -> str:
        precision = "bf16" if self.amp else "single precision"
        return ", ".join(
            [precision, *["channels last"] * self.channels_last, *["compiled"] * self.compile]
        )


@dataclass(frozen=True)
class Trials:
    """Seconds of a step of `images` in each form that was tried."""

    seconds: dict[Config, float]
    images: int

    @property
    def winner(self) -> Config:
        """The fastest form where it wins clearly, else the plain one; compiled where that wins
        clearly once more.
        """
        eager = {form: seconds for form, seconds in self.seconds.items() if not form.compile}
        return _better(self.seconds, _better(eager, Config()))


def _better(seconds: dict[Config, float], kept: Config) -> Config:
    best = min(seconds, key=seconds.get, default=kept)
    return best if seconds.get(best, math.inf) <= WORTH * seconds.get(kept, math.inf) else kept


def autotune(
    recipe: Recipe, net: nn.Module, loader: Loader, macs: float, device: torch.device
) -> Trials:
    """Time steps of copies of the network, one form after the other; where the recipe compiles, the
    best one compiled.

    `macs` for one image. The network is left as it is. A form that cannot be computed is left out.
    """
    few = int(max(2, min(loader.batch_size, len(loader.split), WORK // max(macs, 1))))
    x, y, _ = loader.sample(few)
    seconds: dict[Config, float] = {}

    def attempt(form: Config) -> None:
        trial = Trainer(
            with_config(recipe, form).change(lr=1e-6, warmup_lr=0.0), copy.deepcopy(net), 1, device
        )
        with suppress(
            RunError, RuntimeError
        ):  # a loss that is not finite; a kernel that this device has not
            step_seconds(trial, x, y)
            seconds[form] = min(step_seconds(trial, x, y) for _ in range(STEPS))

    for amp, last in itertools.product((False, True), (False, True)):
        attempt(Config(amp, last))
    if recipe.compile:
        attempt(replace(Trials(seconds, len(y)).winner, compile=True))
    return Trials(seconds, len(y))


def with_config(recipe: Recipe, form: Config) -> Recipe:
    """The recipe that says outright what was picked, and so gives the same bits again."""
    return recipe.change(
        autotune=False, amp=form.amp, channels_last=form.channels_last, compile=form.compile
    )


def config_of(recipe: Recipe) -> Config:
    return Config(recipe.amp, recipe.channels_last, recipe.compile)
