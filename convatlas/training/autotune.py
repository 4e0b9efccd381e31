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

WORK = 2e10  # multiply-adds of a processor's trial step, forward: about a second on two cores
STEPS = 3  # timed of each configuration, after one that is not
# of the time without it: what does not get below is not worth another rounding, or compiling
WORTH = 0.95


@dataclass(frozen=True)
class Config:
    """How a step is computed; as it stands, torch's own way."""

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
    """Seconds of a step of `images` in each configuration that was tried."""

    seconds: dict[Config, float]
    images: int

    @property
    def winner(self) -> Config:
        """The fastest configuration where it wins clearly, else torch's own; compiled where that
        wins clearly once more.
        """
        eager = {config: seconds for config, seconds in self.seconds.items() if not config.compile}
        return _better(self.seconds, _better(eager, Config()))


def _better(seconds: dict[Config, float], kept: Config) -> Config:
    best = min(seconds, key=seconds.get, default=kept)
    return best if seconds.get(best, math.inf) <= WORTH * seconds.get(kept, math.inf) else kept


def autotune(
    recipe: Recipe, net: nn.Module, loader: Loader, macs: float, device: torch.device
) -> Trials:
    """Time steps of copies of the network, one configuration after the other; where the recipe
    compiles, the best one compiled.

    `macs` for one image. The network is left as it is. A configuration that cannot be computed is
    left out.
    """
    x, y, _ = loader.sample(trial_images(min(loader.batch_size, len(loader.split)), macs, device))
    seconds: dict[Config, float] = {}

    def attempt(config: Config) -> None:
        # few images may be fewer than the parts of a batch
        slow = with_config(recipe, config).change(lr=1e-6, warmup_lr=0.0, accumulate=1)
        trial = Trainer(slow, copy.deepcopy(net), 1, device)
        # a loss that is not finite; a kernel that this device has not
        with suppress(RunError, RuntimeError):
            step_seconds(trial, x, y)
            seconds[config] = min(step_seconds(trial, x, y) for _ in range(STEPS))

    for amp, last in itertools.product((False, True), (False, True)):
        attempt(Config(amp, last))
    if recipe.compile:
        attempt(replace(Trials(seconds, len(y)).winner, compile=True))
    return Trials(seconds, len(y))


def trial_images(batch: int, macs: float, device: torch.device) -> int:
    """Images of a trial step: a GPU takes the whole batch, for it spends a small one waiting for
    its next kernel, and all configurations look alike.
    """
    return batch if device.type != "cpu" else int(max(2, min(batch, WORK // max(macs, 1))))


def with_config(recipe: Recipe, config: Config) -> Recipe:
    """The recipe that says outright what was picked, and so gives the same bits again."""
    return recipe.change(
        autotune=False,
        amp=config.amp,
        channels_last=config.channels_last,
        compile=config.compile,
    )


def config_of(recipe: Recipe) -> Config:
    return Config(recipe.amp, recipe.channels_last, recipe.compile)
