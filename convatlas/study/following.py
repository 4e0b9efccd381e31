"""How far runs are that are at work elsewhere, as their logs say it."""

from collections.abc import Iterable
from pathlib import Path

from convatlas.study import jobs
from convatlas.study.log import records
from convatlas.study.plan import Line
from convatlas.study.watching import Observer
from convatlas.training.recipe import Recipe


class Follower:
    """Tells an Observer of every epoch that has come since the last look."""

    def __init__(self, study: Path, tell: Observer):
        self.study, self.tell = study, tell
        self.known: dict[str, int] = {}  # run -> epochs that were told
        self.epochs: dict[str, int] = {}

    def look(self, lines: Iterable[Line]) -> None:
        """At the logs of runs that are at work."""
        for line in lines:
            rows = records(self.study, line)
            if rows and rows[-1]["epoch"] != self.known.get(line.run):
                self.known[line.run] = rows[-1]["epoch"]
                self.tell.moved(
                    line, rows[-1]["epoch"], self._epochs(line), rows[-1]["val_accuracy"]
                )
        self.tell.tick()

    def _epochs(self, line: Line) -> int:
        if line.run not in self.epochs:
            self.epochs[line.run] = (jobs.recipe_of(self.study, line) or Recipe()).epochs
        return self.epochs[line.run]
