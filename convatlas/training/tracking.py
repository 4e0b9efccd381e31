"""What trackers are told of a run, and why none can end or change it: a tracker that fails is
warned of once, and told nothing more.
"""

import importlib
import math
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convatlas.errors import RunError, first_line
from convatlas.training.callbacks import Both, Callback
from convatlas.training.recipe import Recipe, deciding
from convatlas.training.trackers import About

if TYPE_CHECKING:
    from convatlas.training.trainer import Progress

POINTS = 100  # of an epoch's steps, at most: each the mean of the steps since the one before
FACTS = ("network", "data", "fingerprint", "params", "device", "processes")
EPOCH = {  # a field of log.jsonl -> what trackers call it
    "train_loss": "train/loss",
    "train_accuracy": "train/accuracy",
    "val_loss": "val/loss",
    "val_accuracy": "val/accuracy",
    "seconds": "seconds",
}
TEST = ("accuracy", "error", "top5", "loss", "calibration_error")


Maker = Callable[[About], Any]


def makers(names: Sequence[str]) -> dict[str, Maker]:
    """The trackers of these names, none of them begun. RunError for one whose library cannot be
    imported, with what to type.
    """
    return {name: _maker(name) for name in dict.fromkeys(names)}


def _maker(name: str) -> Maker:
    try:
        return importlib.import_module(f"convatlas.training.trackers.{name}").Tracker
    except Exception as error:  # a library that is there and broken raises anything
        why = "is not installed" if isinstance(error, ModuleNotFoundError) else "cannot be used"
        extra = shlex.quote(f"convatlas[{name}]")
        raise RunError(
            f"--log-to {name} needs {name}, which {why} ({first_line(error)}): pip install "
            f"{extra}, or leave it out"
        ) from None


@contextmanager
def tracked(callback: Callback, made_by: Mapping[str, Maker], recipe: Recipe) -> Iterator[Callback]:
    """The callback, and beside it the trackers, which are closed however the run ends."""
    if not made_by:
        yield callback
        return
    tracking = Tracking(made_by, recipe, callback.warn)
    try:
        yield Both(callback, tracking)
    finally:
        tracking.close()


class Tracking(Callback):
    """Tells trackers, which begin with the run. `warn` hears, once, of each that fails."""

    def __init__(
        self,
        made_by: Mapping[str, Maker],
        recipe: Recipe,
        warn: Callable[[str], None],
    ):
        self._makers, self._recipe, self._warn_of = made_by, recipe, warn
        self._trackers: dict[str, Any] = {}
        self._losses: list[float] = []
        self._steps, self._is_done = 1, False

    def begin(self, facts: dict) -> None:
        self._steps = facts["steps_per_epoch"]
        settings = deciding(self._recipe) | {name: facts[name] for name in FACTS}
        about = About(Path(facts["folder"]).absolute(), facts["run"], facts["step"], settings)
        for name, make in self._makers.items():
            self._try(name, lambda name=name, make=make: self._trackers.update({name: make(about)}))

    def step(self, progress: "Progress", loss: float, rate: float) -> None:
        self._losses.append(loss)
        done, steps = progress.batch, self._steps
        if done * POINTS // steps > (done - 1) * POINTS // steps:
            mean = math.fsum(self._losses) / len(self._losses)
            self._losses = []
            self._log(progress.step, {"step/loss": mean, "step/lr": rate})

    def epoch(self, record: dict) -> None:
        values = {EPOCH[name]: record[name] for name in EPOCH}
        self._log(record["step"], {"epoch": record["epoch"], **values})

    def trained(self, found: dict) -> None:
        self._end(found, {})

    def end(self, metrics: dict) -> None:
        self._end(metrics, {f"test/{name}": metrics["test"].get(name) for name in TEST})

    def close(self) -> None:
        """The run is over, or stopped."""
        for name, tracker in list(self._trackers.items()):
            self._try(name, lambda tracker=tracker: tracker.close(self._is_done))
        self._trackers = {}

    def _end(self, found: dict, test: dict) -> None:
        best = {f"best/{name}": found["validation"][name] for name in ("accuracy", "epoch")}
        values = finite(best | test)
        self._each(lambda tracker: tracker.result(values))
        self._is_done = True

    def _log(self, step: int, values: dict) -> None:
        self._each(lambda tracker: tracker.log(step, finite(values)))

    def _each(self, tell: Callable[[Any], None]) -> None:
        for name, tracker in list(self._trackers.items()):
            self._try(name, lambda tracker=tracker: tell(tracker))

    def _try(self, name: str, work: Callable[[], object]) -> None:
        try:
            work()
        except (Exception, SystemExit) as fault:
            self._trackers.pop(name, None)
            self._warn_of(
                f"{name} failed ({type(fault).__name__}: {first_line(fault)}); training goes on "
                "without it"
            )


def finite(values: Mapping[str, float | None]) -> dict[str, float]:
    """Those that are finite numbers: nothing else makes a point of a curve."""
    return {
        name: float(value)
        for name, value in values.items()
        if value is not None and math.isfinite(value)
    }
