"""A study on a terminal: a bar for all of it and one for each run that is at work."""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from convatlas.errors import Error
from convatlas.magnitude import duration
from convatlas.printable import printable
from convatlas.study.plan import Line
from convatlas.study.status import status
from convatlas.study.watching import Lines

EVERY = 5.0  # seconds after which the time to go is reckoned anew


class Bars(Lines):
    """The same lines as in a pipe, and under them what is going on now."""

    def __init__(self, study: Path):
        super().__init__()
        self.study = study
        self.console = Console(markup=False, emoji=False, highlight=False)
        self.bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[now]}", markup=False),
            console=self.console,
            auto_refresh=False,  # by a thread, whose failures nobody could catch
            transient=True,
        )
        self.tasks: dict[str, TaskID] = {}
        self.whole: TaskID | None = None
        self.reckoned_at = 0.0

    def begin(self, lines: Sequence[Line], reached: int) -> None:
        super().begin(lines, reached)
        self.whole = self.bars.add_task("all runs", total=len(lines), completed=reached, now="")
        self._attempt(self.bars.start)

    def started(self, line: Line) -> None:
        self.tasks[line.run] = self.bars.add_task(_short(line), total=None, now="")
        self.tick()

    def moved(self, line: Line, epoch: int, epochs: int, score: float) -> None:
        if line.run in self.tasks:
            now = f"epoch {epoch}/{epochs}  val {100 * score:.2f} %"
            self.bars.update(self.tasks[line.run], completed=epoch, total=epochs, now=now)

    def ended(self, line: Line, word: str, sentence: str = "") -> None:
        if line.run in self.tasks:
            self.bars.remove_task(self.tasks.pop(line.run))
        super().ended(line, word, sentence)
        if self.whole is not None:
            self.bars.update(self.whole, completed=self.reached)

    def note(self, text: str) -> None:
        self._attempt(lambda: self.console.print(f"{time.strftime('%H:%M:%S')}  {printable(text)}"))

    def tick(self) -> None:
        if self.whole is not None and time.monotonic() - self.reckoned_at >= EVERY:
            self.reckoned_at = time.monotonic()
            self.bars.update(self.whole, now=f"{self.reached}/{self.count}{self._left()}")
        self._attempt(self.bars.refresh)

    def _left(self) -> str:
        seconds = None
        with suppress(Error):  # a damaged file is for the run that needs it to refuse
            seconds = status(self.study).time_to_go
        return f"  about {duration(seconds)} to go" if seconds else ""

    def end(self) -> None:
        self._attempt(self.bars.stop)
        for task in [*self.tasks.values(), *([] if self.whole is None else [self.whole])]:
            self.bars.remove_task(task)
        self.tasks, self.whole = {}, None

    def _attempt(self, show) -> None:
        with suppress(OSError, ValueError):  # a terminal that is gone; the study goes on
            show()


def _short(line: Line) -> str:
    """A run in a few words: lenet5 digits seed 3 lr=0.001."""
    varied = [f"{name}={value}" for name, value in line.vary.items()]
    return printable(" ".join([line.network, line.data, f"seed {line.seed}", *varied]))
