"""What the verbs print with: consoles, tables, numbers. Everything that costs time is imported when
it is used.
"""

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from convatlas.cli.output import say_error
from convatlas.magnitude import short
from convatlas.printable import printable

NARROW = 70  # columns; below, tables of layers and claims become lines
WIDEST = 100  # columns of running text
SECONDS = 20.0  # between two lines of progress where there is no terminal


def open_console(stderr: bool = False):
    """Colours and the real width on a terminal; plain text, 120 wide, anywhere else."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else 120
    return Console(width=width, markup=False, highlight=False, emoji=False, stderr=stderr)


def is_narrow(console) -> bool:
    return console.width < NARROW


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """Gives a function of (done, of all): a bar on standard error where that is a terminal, else a
    line now and then.
    """
    if not sys.stderr.isatty():
        yield _lines(what)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn())
    console = open_console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _lines(what: str) -> Callable[[int, int], None]:
    printed_at = time.monotonic()

    def show(done: int, of: int) -> None:
        nonlocal printed_at
        if time.monotonic() - printed_at >= SECONDS:
            printed_at = time.monotonic()
            say_error(f"{what}: {done} of {of}")

    return show


def say(text: str) -> None:
    """A line with names in it that somebody else chose."""
    print(printable(text))


def paragraph(console, text: str) -> None:
    """Running text, in lines that can be read on a wide terminal, too."""
    console.print(text, width=min(console.width, WIDEST))


def print_json(value) -> int:
    print(json.dumps(value, indent=1, ensure_ascii=False))
    return 0


class Phrase:
    """A cell that breaks after its commas only, so that "1x1 512 /2" stays together; or wherever
    `ends` says.
    """

    def __init__(self, text: str, ends: str = "(?<=, )"):
        self.words = re.split(ends, text)

    def __rich_measure__(self, console, options):
        from rich.measure import Measurement

        return Measurement(
            max(len(word.rstrip()) for word in self.words), sum(map(len, self.words))
        )

    def __rich_console__(self, console, options):
        lines = [""]
        for word in self.words:
            if lines[-1] and len(lines[-1]) + len(word.rstrip()) > options.max_width:
                lines.append("")
            lines[-1] += word
        yield "\n".join(line.rstrip() for line in lines)


def plain_table(*columns: str, right: tuple[str, ...] = ()):
    """A table without lines; figures to the right, unbroken."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in right else "left",
            no_wrap=column in right,
            overflow="fold",
        )
    return table


def signed(number: int) -> str:
    """How much more: +25.6 M; nothing for 0."""
    return f"{'-' if number < 0 else '+'}{short(abs(number))}" if number else ""


def plural(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
