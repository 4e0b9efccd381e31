"""What a run tells whoever looks on. The command line prints it; the default listens to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a callback of one's own need not load torch
    from convatlas.training.autotune import Trials
    from convatlas.training.trainer import Progress


class Callback:
    """Override what you want to hear of; each method does nothing by itself.

    Give one to train(recipe, callback=...); with several processes only the first one calls it.
    """

    def begin(self, facts: dict) -> None:
        """Once: folder, network, params, device, processes, batch_size (of a step, over all
        processes), classes and their counts, images in each split, fingerprint, the forecast (or
        None), the smallest legal side, how many files were ignored and skipped, ignored_kinds,
        notes (sentences about the data), steps_per_epoch, epochs, step, resumed.
        """

    def checking(self, done: int) -> None:
        """Now and then, while all files of a folder are decoded for the first time: how many are
        done.
        """

    def tried(self, trials: Trials) -> None:
        """Before begin, where the recipe asks for autotune: how long each configuration took, and
        which was kept.
        """

    def step(self, progress: Progress, loss: float, rate: float) -> None:
        """After each step: how far, this batch's loss, the learning rate."""

    def epoch(self, record: dict) -> None:
        """After each validation: the line that was written to log.jsonl."""

    def warn(self, text: str) -> None:
        """Something went wrong that the run survives."""

    def end(self, metrics: dict) -> None:
        """Once, with what metrics.json holds."""
