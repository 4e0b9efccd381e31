"""Which memory layout, precision and number of threads make a step fastest here, and whether
compiling pays: tried, not guessed.
"""

import copy
import itertools
import math
import statistics
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import nn

from convatlas.data import Loader
from convatlas.errors import RunError
from convatlas.training.forecast import step_seconds
from convatlas.training.prepare import Prepared, macs
from convatlas.training.recipe import Recipe
from convatlas.training.trainer import Trainer

WORK = 2e10  # multiply-adds of a processor's trial step, forward: about a second on two cores
TRIES = 3  # that have to agree
LEAST, MOST = 0.2, 20  # seconds, and steps, that a try times of a configuration; one at least
# of the time without it: what does not get below is not worth another rounding, or compiling
WORTH = 0.95


@dataclass(frozen=True)
class Config:
    """How a step is computed; as it stands, torch's own way."""

    amp: bool = False
    channels_last: bool = False
    compile: bool = False
    threads: int = 0  # of the processor; 0 is as many as the run has anyway

    def __str__(self) -> str:
        threads = f"{self.threads} thread{'s' * (self.threads > 1)}"
        return ", ".join(
            [
                "bf16" if self.amp else "single precision",
                *["channels last"] * self.channels_last,
                *[threads] * bool(self.threads),
                *["compiled"] * self.compile,
            ]
        )


Try = dict[Config, float]  # seconds of a step in each configuration, one after the other
Stage = tuple[Try, ...]  # several tries of the same configurations


@dataclass(frozen=True)
class Trials:
    """What was tried with a step of `images`: each stage goes on from what the one before kept."""

    stages: tuple[Stage, ...]
    images: int

    @property
    def seconds(self) -> Try:
        """Of a step in each configuration: the median over all tries."""
        found: dict[Config, list[float]] = {}
        for config, seconds in itertools.chain.from_iterable(
            attempt.items() for stage in self.stages for attempt in stage
        ):
            found.setdefault(config, []).append(seconds)
        return {config: statistics.median(times) for config, times in found.items()}

    @property
    def winner(self) -> Config:
        return self._kept[-1]

    @property
    def is_within_noise(self) -> bool:
        """Whether, in any stage, the tries named different configurations."""
        return any(
            len(_picks(stage, before)) > 1
            for stage, before in zip(self.stages, self._kept[:-1], strict=True)
        )

    @property
    def _kept(self) -> list[Config]:
        """At first, and after each stage: another configuration where it wins clearly in every
        try.
        """
        return list(itertools.accumulate(self.stages, _settled, initial=Config()))


def _settled(kept: Config, stage: Stage) -> Config:
    picks = _picks(stage, kept)
    return picks.pop() if len(picks) == 1 else kept


def _picks(stage: Stage, kept: Config) -> set[Config]:
    return {_better(seconds, kept) for seconds in stage}


def _better(seconds: Try, kept: Config) -> Config:
    best = min(seconds, key=seconds.get, default=kept)
    return best if seconds.get(best, math.inf) <= WORTH * seconds.get(kept, math.inf) else kept


def tuned(
    recipe: Recipe, ready: Prepared, device: torch.device, other_threads: int = 0
) -> tuple[Recipe, Trials | None]:
    """The recipe with the fastest configuration, where that is asked for: found now."""
    if not recipe.autotune:
        return recipe, None
    work = macs(recipe, ready.prep.side)
    other_threads = other_threads if device.type == "cpu" else 0
    trials = autotune(recipe, ready.net, ready.train, work, device, other_threads)
    return with_config(recipe, trials.winner), trials


def autotune(
    recipe: Recipe,
    net: nn.Module,
    loader: Loader,
    macs: float,
    device: torch.device,
    other_threads: int = 0,
) -> Trials:
    """Time steps of copies of the network: layouts and precisions; the best one with another number
    of threads, if one is given; and, where the recipe compiles, compiled. Each stage is tried three
    times, in turn.

    `macs` for one image. The network is left as it is. A configuration that cannot be computed is
    left out.
    """
    x, y, _ = loader.sample(trial_images(min(loader.batch_size, len(loader.split)), macs, device))

    @lru_cache(maxsize=2)  # those of a stage of two are built once; of four, memory holds few
    def built(config: Config) -> Trainer:
        # few images may be fewer than the parts of a batch
        slow = with_config(recipe, config).change(lr=1e-6, warmup_lr=0.0, accumulate=1)
        return Trainer(slow, copy.deepcopy(net), 1, device)

    def seconds(config: Config) -> float:
        with with_threads(config):
            return _least_seconds(lambda: step_seconds(built(config), x, y))

    forms = [Config(amp, last) for amp, last in itertools.product((False, True), repeat=2)]
    found = Trials((_stage(forms, seconds),), len(y))
    for change in ({"threads": other_threads}, {"compile": recipe.compile}):
        if any(change.values()):
            kept = found.winner
            stage = _stage([kept, replace(kept, **change)], seconds)
            found = replace(found, stages=(*found.stages, stage))
    return found


def _stage(configs: Iterable[Config], seconds: Callable[[Config], float]) -> Stage:
    tries: list[Try] = [{} for _ in range(TRIES)]
    for found, config in itertools.product(tries, configs):
        # a loss that is not finite; a kernel that this device has not
        with suppress(RunError, RuntimeError):
            found[config] = seconds(config)
    return tuple(tries)


def _least_seconds(step: Callable[[], float]) -> float:
    """Of a step, after one that is not counted: of as many as noise asks for."""
    first = step()
    number = min(MOST, math.ceil(LEAST / first)) if first > 0 else 1
    return min(step() for _ in range(max(1, number)))


@contextmanager
def with_threads(config: Config) -> Iterator[None]:
    """torch computes with the threads of a configuration within it."""
    before = torch.get_num_threads()
    torch.set_num_threads(config.threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


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
        threads=config.threads or recipe.threads,
    )


def config_of(recipe: Recipe) -> Config:
    return Config(recipe.amp, recipe.channels_last, recipe.compile, recipe.threads)
