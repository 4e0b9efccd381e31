"""A short run on real digits, somebody who stops it, and whether two such runs are the same."""

import os
import signal
from pathlib import Path

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


def same_bits(one: Path, other: Path) -> None:
    """Asserts that two runs of eight steps left the same network, answers and last step."""
    last = Path("checkpoints", "step-00000008")
    parts = ("model.safetensors", "train_state.safetensors")
    for name in ("model.safetensors", "answers.csv", *(last / part for part in parts)):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
