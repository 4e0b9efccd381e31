"""What a run tells whoever looks on. The command line prints it; the default listens to nothing."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from convatlas.errors import Error
from convatlas.printable import printable_lines

if TYPE_CHECKING:  # a callback of one's own need not load torch
    from convatlas.training.autotune import Trials
    from convatlas.training.trainer import Progress


class Callback:
    """Override what you want to hear of; each method does nothing by itself.

    Give one to train(recipe, callback=...); with several processes only the first one calls it. An
    exception out of one is a warning, once for each method, and training goes on; raise a
    convatlas.Error or KeyboardInterrupt to end it.
    """

    def begin(self, facts: dict) -> None:
        """Once: folder, network, params, device, processes, batch_size (of a step, over all
        processes), classes and their counts, images in each split and where they come from (splits,
        test_from), fingerprint, the forecast (or None), the smallest legal side, how many files
        were ignored and skipped, ignored_kinds, notes (sentences about the data), how the images of
        a folder are read (or ""), where saves are put as well (remote_sync, or ""),
        steps_per_epoch, epochs, step, resumed; the certificate of weights that were read now (or
        None), how images are standardised for them (or ""), and run, the run's own identifier.
        """

    def preparing(self, phase: str, done: int, total: int | None) -> None:
        """Now and then before the first step: what is being done with the images, how many are
        done, and of how many, where that is known.
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

    def trained(self, found: dict) -> None:
        """Instead of end, where the recipe leaves the test images for later: what train returns."""

    def end(self, metrics: dict) -> None:
        """Once, with what metrics.json holds."""


class Relay(Callback):
    """Hands all on: tell(method, its arguments) for each."""

    def tell(self, method: str, *facts: object) -> None:
        raise NotImplementedError

    def begin(self, facts: dict) -> None:
        self.tell("begin", facts)

    def preparing(self, phase: str, done: int, total: int | None) -> None:
        self.tell("preparing", phase, done, total)

    def tried(self, trials: Trials) -> None:
        self.tell("tried", trials)

    def step(self, progress: Progress, loss: float, rate: float) -> None:
        self.tell("step", progress, loss, rate)

    def epoch(self, record: dict) -> None:
        self.tell("epoch", record)

    def warn(self, text: str) -> None:
        self.tell("warn", text)

    def trained(self, found: dict) -> None:
        self.tell("trained", found)

    def end(self, metrics: dict) -> None:
        self.tell("end", metrics)


class Both(Relay):
    """Tells one, then the other."""

    def __init__(self, first: Callback, second: Callback):
        self._listeners = (first, second)

    def tell(self, method: str, *facts: object) -> None:
        for each in self._listeners:
            getattr(each, method)(*facts)


class Guarded(Relay):
    """Hands all on to a callback that may fail: a terminal or a pipe is not the run."""

    def __init__(self, callback: Callback):
        self._callback = callback
        self._failed: set[str] = set()

    def tell(self, method: str, *facts: object) -> None:
        try:
            getattr(self._callback, method)(*facts)
        except Error:
            raise
        except Exception as fault:
            if method not in self._failed:
                self._failed.add(method)
                self._report(method, fault)

    def _report(self, method: str, fault: Exception) -> None:
        name = f"{type(self._callback).__name__}.{method}"
        text = f"{name} failed ({type(fault).__name__}: {fault}); training goes on without it"
        if method == "warn":
            warn_on_stderr(text)
        else:
            self.warn(text)


def warn_on_stderr(text: str) -> None:
    """One line, or nothing where nobody can hear it."""
    with suppress(OSError, ValueError):
        if sys.stderr:  # else print would take standard output
            print(f"convatlas: warning: {printable_lines(text)}", file=sys.stderr, flush=True)
