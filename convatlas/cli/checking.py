"""check-data: what is wrong with a folder of images, as text and as a table."""

import os
import sys
import time
from pathlib import Path
from typing import Literal

from convatlas.cli.printing import say

SHOWN = 50  # notes printed; problems are printed all


def check_data(
    folder: Path,
    *,
    csv: Path | None = None,
    missing_classes: Literal["error", "allow"] = "error",
    workers: int = 0,
) -> int:
    """Decode every image of a folder and list all that is wrong with it. Changes no file; exit code
    1 if anything is.

    Parameters
    ----------
    folder: Path
        A folder of class folders, perhaps inside train, val and test.
    csv: Path
        A file to write the problems to: file, problem, remedy.
    missing_classes: error | allow
        Whether val and test may be without some of train's classes.
    workers: int
        Processes that decode; 0 is one for each core.
    """
    from convatlas.data.checking import check_data as check
    from convatlas.data.survey import write_csv
    from convatlas.errors import DataError

    if workers < 0:
        raise DataError(f"--workers {workers} makes no sense; give 0 or more")
    report = check(
        folder,
        workers or os.cpu_count() or 1,
        progress=_progress(),
        missing_classes=missing_classes,
    )
    for found in report.problems:
        say(found.sentence)
    for found in report.notes[:SHOWN]:
        say(f"note: {found.sentence}")
    if len(report.notes) > SHOWN:
        print(f"and {len(report.notes) - SHOWN:,} more notes")
    if report.data:
        _print_set(report.data)
    say(
        f"{report.images:,} images looked at{_ignored(report.ignored)}: "
        f"{_count(len(report.problems), 'problem')}, {_count(len(report.notes), 'note')}"
    )
    if csv:
        write_csv(csv, report.problems)
    return 1 if report.problems else 0


def _ignored(files: tuple[str, ...]) -> str:
    from convatlas.data.walk import kinds

    return f", {len(files):,} other files ignored ({kinds(files)})" if files else ""


def _print_set(data) -> None:
    from convatlas.training.progress import class_counts

    print(
        f"{len(data.train):,} images to train, {len(data.val):,} to validate, "
        f"{len(data.test):,} to test"
    )
    say(f"{len(data.classes)} classes: {class_counts(data.classes, data.counts())}")
    print(f"fingerprint {data.fingerprint}")


def _progress():
    """A line on a terminal, renewed at most ten times a second; silence elsewhere."""
    shown_at = 0.0

    def show(done: int) -> None:
        nonlocal shown_at
        if sys.stderr.isatty() and time.monotonic() - shown_at > 0.1:
            shown_at = time.monotonic()
            print(f"\r{done:,} images", end="\r", file=sys.stderr, flush=True)

    return show


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
