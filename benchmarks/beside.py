"""Whether what a user waits for became slower: the commands of this checkout and of another one,
in turn, in one run.

    git worktree add ../before COMMIT
    python -m benchmarks.beside ../before                # about 25 minutes
    python -m benchmarks.beside ../before --only start eval --rounds 15

Each call is a process of its own, in the environment of this one, with a cache of its own for each
checkout. Wall seconds: medians with quartiles, and the other's over ours, of the median and of the
lower quartile: 1 is level, more is faster. The exit code is 1 where both say that a command became
slower by more than 3 %.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

from benchmarks.images import photographs
from convatlas.timing import Timing, alternated

HERE = Path(__file__).parents[1]
LEVEL = 0.97
DIGITS, LARGE = 4000, 240  # images: small in memory, and photographs that are read each epoch
SMALL = ("lenet5", "--seed", "0", "--epochs")
WIDE = (
    *("mobilenet_v1", "--seed", "0", "--epochs", "2", "--batch-size", "16", "--size", "96"),
    *("--crop", "random-resized", "--workers", "1"),
)


@dataclass
class Checkout:
    """One version of the program, with its own cache and its own runs, beside the images of all."""

    source: Path
    place: Path

    def __post_init__(self):
        self.place.mkdir()
        self.numbers = count()
        self.digits = self.place.parent / "digits"
        self.photographs = self.place.parent / "photographs"
        self.trained = self.place / "trained"

    def call(self, *words: object, cache: str = "cache") -> None:
        settings = os.environ | {"XDG_CACHE_HOME": str(self.place / cache)}
        for name in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE"):
            settings.pop(name, None)
        command = [sys.executable, "-m", "convatlas", *map(str, words)]
        done = subprocess.run(
            command, cwd=self.source, env=settings, capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"{self.source}: {' '.join(command[2:])}: {done.stderr[-500:]}")

    def train(self, *words: object, cache: str = "cache") -> None:
        self.call("train", *words, "--output", self.new("run"), cache=cache)

    def train_first(self) -> None:
        """With nothing kept of an earlier opening."""
        cache = self.new("cache")
        self.train(*SMALL, "1", "--data", self.digits, cache=cache)
        shutil.rmtree(self.place / cache, ignore_errors=True)

    def new(self, name: str) -> Path:
        return self.place / f"{name}{next(self.numbers)}"


JOBS: dict[str, Callable[[Checkout], None]] = {
    "start": lambda one: one.call("list"),
    "show": lambda one: one.call("show", "resnet50"),
    "predict": lambda one: one.call("predict", one.trained, one.digits / "class0" / "0.jpg"),
    "eval": lambda one: one.call("eval", one.trained),
    "resume": lambda one: one.call("train", "--resume", one.trained),
    "check-data": lambda one: one.call("check-data", one.digits),
    "train-first": Checkout.train_first,
    "train-memory": lambda one: one.train(*SMALL, "3", "--data", one.digits),
    "train-files": lambda one: one.train(*WIDE, "--data", one.photographs),
}


def measured(job: str, ours: Checkout, theirs: Checkout, rounds: int) -> dict[str, Timing]:
    calls = {"theirs": partial(JOBS[job], theirs), "ours": partial(JOBS[job], ours)}
    return alternated(calls, 0, least=rounds)


def is_slower(found: dict[str, Timing]) -> bool:
    """By more than the limit in the median, and in the lower quartile, too: what else the machine
    does makes single calls slow.
    """
    ours, theirs = found["ours"], found["theirs"]
    return theirs.median / ours.median < LEVEL and theirs.low / ours.low < LEVEL


def line(job: str, found: dict[str, Timing]) -> str:
    ours, theirs = found["ours"], found["theirs"]
    return (
        f"{job:13} {_seconds(theirs)}  {_seconds(ours)}  {theirs.median / ours.median:5.2f}"
        f"  {theirs.low / ours.low:5.2f}  {'SLOWER' if is_slower(found) else ''}".rstrip()
    )


def _seconds(timing: Timing) -> str:
    return f"{timing.median:6.2f} ({timing.low:.2f}-{timing.high:.2f})"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("other", type=Path, help="a checkout of another commit")
    parser.add_argument("--only", nargs="+", choices=JOBS, default=[*JOBS])
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    if not (given.other / "convatlas" / "__main__.py").is_file():
        parser.error(f"{given.other} is no checkout; git worktree add {given.other} COMMIT")
    slower = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        photographs(place / "digits", DIGITS, 32, 32)
        photographs(place / "photographs", LARGE)
        ours = Checkout(HERE, place / "ours")
        theirs = Checkout(given.other.resolve(), place / "theirs")
        for one in (ours, theirs):
            one.call("train", *SMALL, "3", "--data", one.digits, "--output", one.trained)
        print(f"{'':13} {'theirs: s':19}  {'ours: s':19}  ratio  quarter", flush=True)
        for job in given.only:
            found = measured(job, ours, theirs, given.rounds)
            print(line(job, found), flush=True)
            slower += [job] if is_slower(found) else []
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
