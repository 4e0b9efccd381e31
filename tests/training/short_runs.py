"""A short run on real digits, and somebody who stops it."""

import os
import signal

from convatlas.training import Recipe
from convatlas.training.callbacks import Callback

SMALL = Recipe(
    network="lenet1989",
    data="digits",
    epochs=2,
    batch_size=256,
    opt="adamw",
    lr=0.005,
    warmup_epochs=0,
    shift=2,
    rotate=10,
    save_every=0,
)


class StopAt(Callback):
    """Asks the process to stop, as a person or a scheduler would, after the given step."""

    def __init__(self, step: int, number: int = signal.SIGTERM):
        self.at, self.number, self.warnings = step, number, []

    def step(self, progress, loss, rate):
        if progress.step == self.at:
            os.kill(os.getpid(), self.number)

    def warn(self, text):
        self.warnings.append(text)
