"""What a study tells whoever looks on; an Observer listens to nothing, Lines prints."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from convatlas.printable import printable
from convatlas.study.plan import Line


class Observer:
    """Override what you want to hear of; each method does nothing by itself."""

    def begin(self, lines: Sequence[Line], reached: int) -> None:
        """Before the lines are carried out: all of them, and of how many nothing is left to do."""

    def started(self, line: Line) -> None:
        """A run begins, or goes on."""

    def moved(self, line: Line, epoch: int, epochs: int, score: float) -> None:
        """A run has done `epoch` of its `epochs`; `score` is its validation accuracy, 0 to 1."""

    def ended(self, line: Line, word: str, sentence: str = "") -> None:
        """A run is "trained", "done" or "failed" for good; or "again": it will be carried out once
        more, and the sentence says why.
        """

    def note(self, text: str) -> None:
        """Something that a person wants to know."""

    def tick(self) -> None:
        """A few times a second, while runs are at work."""

    def end(self) -> None:
        """All lines are carried out, or the study stops."""


class Lines(Observer):
    """A line for each run that ends, for a pipe or a log file."""

    def __init__(self) -> None:
        self.count = self.reached = 0

    def begin(self, lines: Sequence[Line], reached: int) -> None:
        self.count, self.reached = len(lines), reached

    def ended(self, line: Line, word: str, sentence: str = "") -> None:
        self.reached += word != "again"
        width = len(str(self.count))
        why = f": {sentence}" if sentence else ""
        self.note(f"{self.reached:>{width}}/{self.count}  {line.run} {word}{why}")

    def note(self, text: str) -> None:
        try:
            print(f"{time.strftime('%H:%M:%S')}  {printable(text)}", flush=True)
        except (OSError, ValueError):  # nobody reads it; the study goes on
            return


def observer(study: Path) -> Lines:
    """Bars on a terminal, lines elsewhere."""
    try:
        is_terminal = sys.stdout.isatty()
    except (AttributeError, ValueError):  # there is none, or it is closed
        is_terminal = False
    if not is_terminal:
        return Lines()
    from convatlas.study.bars import Bars

    return Bars(study)
