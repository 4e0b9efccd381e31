"""How far a study is, read from its folders: what is done, running, failed and left, and how long
the rest will take. Imports no torch.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from convatlas.registry import stored_facts
from convatlas.study import choosing, jobs
from convatlas.study.log import records
from convatlas.study.plan import Line, read

LONGEST = 1e9  # seconds of a run that are believed, thirty years
ORDER = (jobs.DONE, jobs.TRAINED, jobs.RUNNING, jobs.STOPPED, jobs.LEFT, jobs.FAILED_TWICE)


@dataclass(frozen=True)
class Progress:
    """One run: its state, its epochs, and the seconds that it took so far."""

    line: Line
    state: str
    epoch: int
    epochs: int
    seconds: float
    score: float | None  # the latest validation accuracy, 0 to 1
    failure: str = ""  # the last sentence, of one that has failed

    def to_json(self) -> dict:
        return {
            "run": self.line.run,
            "state": self.state,
            "epoch": self.epoch,
            "epochs": self.epochs,
            "seconds": self.seconds,
            "validation": self.score,
            "failure": self.failure,
        }


@dataclass(frozen=True)
class Status:
    """A study: its runs in the order of the plan, and those that the test images are not for,
    because another setting was chosen.
    """

    runs: list[Progress]
    unchosen: frozenset[str]
    seconds_left: float | None  # of one run after the other; None where nothing tells yet

    @property
    def counts(self) -> dict[str, int]:
        found = Counter(run.state for run in self.runs)
        return {state: found[state] for state in ORDER if found[state]}

    def of(self, state: str) -> list[Progress]:
        return [run for run in self.runs if run.state == state]

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do, but for runs that have failed."""
        return all(
            run.state in (jobs.DONE, jobs.FAILED_TWICE) or run.line.run in self.unchosen
            for run in self.runs
        )

    @property
    def failed(self) -> list[Progress]:
        """Those that have failed; a setting that has, and was not chosen, is no failure."""
        return [run for run in self.of(jobs.FAILED_TWICE) if run.line.run not in self.unchosen]

    @property
    def time_to_go(self) -> float | None:
        """Seconds, with as many runs at a time as there are now; None where nothing tells."""
        at_once = max(1, len(self.of(jobs.RUNNING)))
        return None if self.seconds_left is None else self.seconds_left / at_once

    def to_json(self) -> dict:
        return {
            "counts": self.counts,
            "is_over": self.is_over,
            "seconds_to_go": self.time_to_go,
            "runs": [run.to_json() for run in self.runs],
        }


def status(study: Path) -> Status:
    """Of a study in its folder. RunError where there is none."""
    lines = read(study)
    runs = [progress(study, line) for line in lines]
    return Status(runs, choosing.unchosen(study, lines), seconds_left(runs))


def progress(study: Path, line: Line) -> Progress:
    recipe = jobs.recipe_of(study, line)
    rows, state = records(study, line), jobs.state(study, line)
    last = rows[-1] if rows else {"epoch": 0, "seconds": 0.0, "val_accuracy": None}
    seconds = last.get("seconds")
    known = type(seconds) in (int, float) and 0 <= seconds < LONGEST
    said = jobs.failures(study, line)
    return Progress(
        line,
        state,
        last["epoch"],
        recipe.epochs if recipe else 0,
        float(seconds) if known else 0.0,
        last["val_accuracy"],
        said[-1] if said and state == jobs.FAILED_TWICE else "",
    )


def seconds_left(runs: Sequence[Progress]) -> float | None:
    """Of all epochs that are not done, at the pace of those that are: of the same setting, else of
    the same network and data, else of the same data in the ratio of multiply-adds.
    """
    left = [run for run in runs if run.state in (jobs.RUNNING, jobs.STOPPED, jobs.LEFT)]
    paces = [_Pace(runs, key) for key in (_setting, _network, _data)]
    found = [next((pace for each in paces if (pace := each.of(run))), 0.0) for run in left]
    if not all(found):
        return None
    return sum(pace * (run.epochs - run.epoch) for run, pace in zip(left, found, strict=True))


def _setting(line: Line) -> tuple[object, float]:
    """What runs of one pace share, and what the pace is in proportion to."""
    return line.setting, 1.0


def _network(line: Line) -> tuple[object, float]:
    return (line.network, line.data), 1.0


def _data(line: Line) -> tuple[object, float]:
    return line.data, float(stored_facts().get(line.network, {}).get("macs", 1.0))


class _Pace:
    """Seconds for an epoch, by what runs share."""

    def __init__(self, runs: Iterable[Progress], key):
        self.key = key
        self.seconds: dict[object, float] = defaultdict(float)
        self.epochs: dict[object, float] = defaultdict(float)
        for run in runs:
            group, weight = key(run.line)
            self.seconds[group] += run.seconds
            self.epochs[group] += run.epoch * weight

    def of(self, run: Progress) -> float:
        """Of this run; 0 where nothing is known."""
        group, weight = self.key(run.line)
        done = self.epochs[group]
        return weight * self.seconds[group] / done if done else 0.0
