"""What a person sees of a run: a bar on a terminal or in a notebook, else plain lines."""

import shlex
import sys
import time
from collections.abc import Callable
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from convatlas.data.telling import Preparation
from convatlas.magnitude import duration
from convatlas.printable import printable
from convatlas.training.autotune import Config, Trials
from convatlas.training.callbacks import Callback, warn_on_stderr
from convatlas.training.trainer import Progress as Done


def default_callback() -> "Lines":
    """A bar on a terminal and in a notebook, lines in a pipe or a log file."""
    return Bar() if _is_terminal(sys.stdout) or Console().is_jupyter else Lines()


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # there is none, or it is closed
        return False


def say(text: str) -> None:
    """Prints a line, with escapes for what is no visible letter, or none that the output knows."""
    print(_known(printable(text)), flush=True)


def _known(text: str) -> str:
    letters = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(letters, "backslashreplace").decode(letters)


def class_counts(classes, counts: list[int], shown: int = 10) -> str:
    """Each class with its number of training images: the first ten, and how many more there are."""
    listed = ", ".join(
        f"{name} {count:,}" for name, count in list(zip(classes, counts, strict=True))[:shown]
    )
    more = f", and {len(classes) - shown:,} more ({min(counts):,} to {max(counts):,} images each)"
    return listed + (more if len(classes) > shown else "")


def _left_out(facts: dict) -> str:
    parts = [f"{facts['skipped']:,} files skipped"] if facts["skipped"] else []
    if facts["ignored"]:
        parts.append(f"{facts['ignored']:,} files ignored: {facts['ignored_kinds']}")
    return f" ({', '.join(parts)})" if parts else ""


def _many(number: int, one: str) -> str:
    return f"{number} {one}{'' if number == 1 else 's'}"


def percent(share: float) -> str:
    return f"{100 * share:6.2f} %"


class Lines(Callback):
    """A line an epoch, at most one a second until the last. Training does not need it: where
    standard output is full, closed or left by its reader, that is a warning, once.
    """

    def __init__(self):
        self.is_lost = False
        self.printed_at = time.monotonic() - 1
        self.epochs = 0
        self.preparation = Preparation()
        self.folder: str | None = None  # of the run, once it is known

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_) -> None:
        pass

    def print(self, text: str) -> None:
        self.attempt(lambda: say(text))

    def attempt(self, show: Callable[[], None]) -> None:
        try:
            show()
        except (OSError, ValueError) as fault:
            if not self.is_lost:
                self.is_lost = True
                why = getattr(fault, "strerror", None) or fault
                self.warn(f"standard output cannot be written ({why}); the run goes on")

    def begin(self, facts: dict) -> None:
        images, self.epochs = facts["images"], facts["epochs"]
        self.folder = facts["folder"]
        self.print(
            f"{facts['network']}, {facts['params']:,} parameters, on {facts['data']}: "
            f"{len(facts['classes'])} classes, {facts['channels']}x{facts['side']}x{facts['side']} "
            f"pixels (the smallest legal side is {facts['smallest']})"
        )
        self.print(f"classes: {class_counts(facts['classes'], facts['counts'])}")
        self.print(
            f"images: {images['train']:,} to train, {images['val']:,} to validate, "
            f"{images['test']:,} to test once at the end{_left_out(facts)}; fingerprint "
            f"{facts['fingerprint'][:12]}"
        )
        if facts.get("test_from", "auto") != "auto":
            of = facts["splits"]
            self.print(f"test images are those of {of['test']}; validation: {of['val']}")
        for note in facts["notes"]:
            self.print(f"note: {note}")
        if facts["certificate"]:
            for line in str(facts["certificate"]).splitlines():
                self.print(f"weights: {line}")
        if facts["standardised"]:
            self.print(f"images are {facts['standardised']}")
        start = f"resumed at step {facts['step']}" if facts["resumed"] else "new run"
        on = (
            f"{facts['processes']} processes, {facts['device']}"
            if facts["processes"] > 1
            else facts["device"]
        )
        self.print(
            f"{_many(facts['epochs'], 'epoch')} of {_many(facts['steps_per_epoch'], 'step')} "
            f"on {on}; {start} in {facts['folder']}"
        )
        if facts.get("reading"):
            self.print(f"images are {facts['reading']}")
        if facts.get("remote_sync"):
            self.print(f"each save is put into {facts['remote_sync']} as well")
        if coming := facts["forecast"]:
            each = " in each process" if facts["processes"] > 1 else ""
            memory = (
                f"about {coming.memory / 1e6:,.0f} MB of memory{each}"
                if coming.memory is not None
                else "memory cannot be told on this system"
            )
            self.print(
                f"forecast: {memory}, {duration(coming.epoch)} an epoch, "
                f"{duration(coming.rest)} in all (measured on a few images)"
            )

    def preparing(self, phase: str, done: int, total: int | None) -> None:
        if line := self.preparation.line(phase, done, total):
            self.print(line)

    def tried(self, trials: Trials) -> None:
        times = "; ".join(
            f"{config} {1e3 * seconds:,.1f} ms" for config, seconds in trials.seconds.items()
        )
        kept = trials.winner
        why = (
            "as what else was faster lies within the noise of three tries"
            if trials.is_within_noise
            else ("the fastest" if kept != Config() else "as nothing was 5 % faster")
        )
        self.print(f"autotune: {kept}, {why} (a step of {trials.images} images: {times})")

    def epoch(self, record: dict) -> None:
        last = record["epoch"] == self.epochs
        if last or time.monotonic() - self.printed_at >= 1:
            self.printed_at = time.monotonic()
            self.print(self.line(record))

    def line(self, record: dict) -> str:
        return (
            f"epoch {record['epoch']:>{len(str(self.epochs))}}/{self.epochs}  loss "
            f"{record['train_loss']:.4f}  train {percent(record['train_accuracy'])}  val "
            f"{percent(record['val_accuracy'])}  lr {record['lr']:.2g}  {record['seconds']:.1f} s"
        )

    def warn(self, text: str) -> None:
        warn_on_stderr(text)

    def trained(self, found: dict) -> None:
        self._ended(found)
        validation = found["validation"]
        self.print(
            f"trained in {found['seconds']:.1f} s; validation accuracy "
            f"{percent(validation['accuracy']).strip()} with the weights of epoch "
            f"{validation['epoch']}; the test images were not looked at: convatlas train --resume "
            f"{shlex.quote(str(self.folder))} does"
        )

    def _ended(self, found: dict) -> None:
        epochs, best = found["epochs"], found["validation"]["epoch"]
        if found.get("stopped_early"):
            self.print(
                f"stopped early after {_many(epochs, 'epoch')}, the last {epochs - best} of them "
                "without a better validation accuracy"
            )

    def end(self, metrics: dict) -> None:
        test, validation = metrics["test"], metrics["validation"]
        self._ended(metrics)
        self.print(
            f"test accuracy {percent(test['accuracy']).strip()} ({test['correct']:,} of "
            f"{test['count']:,} images), weights of epoch {validation['epoch']} (validation "
            f"{percent(validation['accuracy']).strip()}), trained in {metrics['seconds']:.1f} s"
        )
        if metrics.get("at_chance"):
            self.print(f"{metrics['at_chance']}")


class Bar(Lines):
    """The same with a bar under it: epoch, loss, accuracy, images a second, learning rate, time
    left.
    """

    def __init__(self):
        super().__init__()
        self.console = _Console(markup=False, emoji=False, highlight=False)
        self.bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.fields[now]}", markup=False),
            TimeRemainingColumn(),
            console=self.console,
            auto_refresh=False,  # by a thread, whose failures nobody could catch
            redirect_stderr=_is_terminal(sys.stderr),  # to standard output: a file is left alone
            transient=True,
        )
        self.shown_at, self.score = 0.0, ""

    def print(self, text: str) -> None:
        self.attempt(lambda: self.console.print(_known(printable(text))))

    def begin(self, facts: dict) -> None:
        super().begin(facts)
        self.first_step, self.since = facts["step"], time.monotonic()
        self.task = self.bar.add_task(
            "", total=facts["steps_per_epoch"] * facts["epochs"], completed=facts["step"], now=""
        )
        self.attempt(self.bar.start)

    def step(self, progress: Done, loss: float, rate: float) -> None:
        now = time.monotonic()
        if now - self.shown_at < 0.1 or self.is_lost:
            return
        self.shown_at = now
        images = (progress.step - self.first_step) * progress.seen / progress.batch
        self.bar.update(
            self.task,
            completed=progress.step,
            description=f"epoch {progress.epoch + 1}/{self.epochs}",
            now=f"loss {loss:.3f}{self.score}  {images / (now - self.since):,.0f} images/s  "
            f"lr {rate:.2g}",
        )
        self.attempt(self.bar.refresh)

    def epoch(self, record: dict) -> None:
        self.score = f"  val {percent(record['val_accuracy']).strip()}"
        super().epoch(record)

    def __exit__(self, *_) -> None:
        self.attempt(self.bar.stop)  # however the run ends, the terminal is given back

    def trained(self, found: dict) -> None:
        self.attempt(self.bar.stop)
        super().trained(found)

    def end(self, metrics: dict) -> None:
        self.attempt(self.bar.stop)
        super().end(metrics)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """rich would leave the program."""
        raise
