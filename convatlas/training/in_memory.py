"""A run that leaves nothing on disk: the same steps on images that lie in memory, for one who keeps
the network oneself. What it learns is what a run with a folder learns, to the last bit.
"""

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch

import convatlas
from convatlas.data import Data, Preprocess
from convatlas.errors import RunError
from convatlas.evaluation import evaluate
from convatlas.training.autotune import config_of, tuned, with_threads
from convatlas.training.callbacks import Callback
from convatlas.training.determinism import deterministic
from convatlas.training.distributed import ProcessGroup
from convatlas.training.epochs import end_of_epoch, steps_of_epoch
from convatlas.training.fine_tune import start_from
from convatlas.training.memory import explained
from convatlas.training.prepare import (
    Gathered,
    Prepared,
    device_type,
    gather_with,
    prepare,
    threads,
)
from convatlas.training.provenance import provenance
from convatlas.training.recipe import PLACES, Recipe, deciding
from convatlas.training.trainer import Trainer
from convatlas.training.unused import require_use, warnings


@dataclass(frozen=True)
class Learnt:
    """What a run in memory leaves."""

    net: "convatlas.Network"  # in evaluation mode, with the weights that validation chose
    preprocess: Preprocess
    log: list[dict]  # an epoch each, as in log.jsonl
    provenance: dict  # versions, hardware, seed, recipe


def learn(recipe: Recipe, data: Data, callback: Callback) -> Learnt:
    """Train the recipe's network on data that is open already, and choose its weights by the
    validation images; the test images, where there are any, are not looked at.

    torch's random numbers go on afterwards as if nothing had been drawn. Raises RecipeError,
    RunError, DataError or WeightsError, and whatever the callback raises.
    """
    kind = device_type(recipe)
    with ExitStack() as stack:
        stack.enter_context(deterministic(recipe.deterministic, kind))
        other_threads = stack.enter_context(threads(recipe))
        stack.enter_context(_own_random_numbers(kind))
        ready, start = begun(recipe, gather_with(recipe, data))
        device = torch.device(kind)
        recipe, _ = tuned(recipe, ready, device, other_threads)
        stack.enter_context(with_threads(config_of(recipe)))
        trainer = Trainer(
            recipe, ready.net, len(ready.train), device, start=start, counts=data.counts()
        )
        for text in warnings(recipe, ready, trainer.group):
            callback.warn(text)
        with explained(recipe, ready.train.part):
            log = list(_epochs(trainer, ready, callback))
        _require_finite(trainer, log)
        trainer.result.load_state_dict(trainer.best)
        return Learnt(trainer.result.eval(), ready.prep, log, _origin(recipe, trainer, data))


def begun(recipe: Recipe, gathered: Gathered) -> tuple[Prepared, dict]:
    """What steps without a folder need; and what is known of the weights they start from, {} where
    these are fresh. Raises RunError, DataError or WeightsError.
    """
    require_use(recipe, gathered)
    start = {}
    if recipe.weights:
        start = start_from(gathered.net, recipe.weights, recipe.source, recipe.weights_ema)
    return prepare(recipe, ProcessGroup(), gathered, start.get("pictures")), start


def _epochs(trainer: Trainer, ready: Prepared, callback: Callback) -> Iterator[dict]:
    classes = len(ready.data.classes)
    while not trainer.is_over:
        for loss, rate in steps_of_epoch(trainer, ready):
            callback.step(trainer.progress, loss, rate)
        found = evaluate(trainer.result, ready.val, classes, trainer.loss)
        record = end_of_epoch(trainer, found, callback.warn)
        callback.epoch(record)
        yield record


def _require_finite(trainer: Trainer, log: list[dict]) -> None:
    if math.isnan(log[trainer.progress.best_epoch]["val_loss"]):
        raise RunError(
            f"the outputs of the best {trainer.recipe.network} on the validation images are not "
            "finite numbers, so there is no result; fit again with a lower lr"
        )


def _origin(recipe: Recipe, trainer: Trainer, data: Data) -> dict:
    """What is kept of where the weights come from, as of a run with a folder."""
    origin = provenance(trainer.device) | {
        "data": data.name,
        "fingerprint": data.fingerprint,
        "epoch": trainer.progress.best_epoch + 1,
        "seed": recipe.seed,
        "recipe": {name: value for name, value in deciding(recipe).items() if name not in PLACES},
    }
    return origin | ({"started_from": trainer.start} if trainer.start else {})


@contextmanager
def _own_random_numbers(kind: str) -> Iterator[None]:
    """A run seeds torch's generators; whoever fits a network in the midst of work of his own finds
    them as they were.
    """
    devices = [torch.cuda.current_device()] if kind == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        yield
