"""An epoch, for a run that keeps a folder and for one that keeps none: its steps, and its score."""

import math
from collections.abc import Callable, Iterator

from convatlas.evaluation import Evaluation
from convatlas.training.prepare import Prepared
from convatlas.training.trainer import Trainer


def steps_of_epoch(trainer: Trainer, ready: Prepared) -> Iterator[tuple[float, float]]:
    """The steps that are left of the epoch under way, each done as it is asked for: its loss, and
    the learning rate. RunError where a loss is not finite.
    """
    for x, y, _ in ready.train.epoch(trainer.progress.epoch, start=trainer.progress.batch):
        rate = trainer.learning_rate
        yield trainer.step(x, y, ready.per_step), rate


def end_of_epoch(trainer: Trainer, found: Evaluation, warn: Callable[[str], None]) -> dict:
    """The epoch's line of the log, from what was found on the validation images; the weights are
    kept where none were better.
    """
    score = found.accuracy
    if math.isnan(found.loss):  # an argmax of NaN is no answer
        score = 0.0
        warn(
            f"epoch {trainer.progress.epoch + 1}: outputs on the validation images are not finite "
            "numbers; the epoch counts as 0 % right"
        )
    return trainer.end_epoch(score) | {"val_loss": found.loss}
