"""check-data: what is wrong with a folder of images, as text and as a table."""

import sys
from pathlib import Path
from typing import Literal

from convatlas.cli.printing import say

SHOWN = 50  # notes printed; problems are printed all


def check_data(
    folder: Path,
    *,
    csv: Path | None = None,
    missing_classes: Literal["error", "allow"] = "error",
    test_from: Literal["auto", "val"] = "auto",
    workers: int = 0,
    max_megapixels: float = 64,
    again: bool = False,
) -> int:
    """Decode every image of a folder and list all that is wrong with it. Changes no file; exit code
    1 if anything is.

    Parameters
    ----------
    folder: Path
        A folder of class folders, perhaps inside train, val and test; or a packed set, also in an
        object store (s3://BUCKET/PATH).
    csv: Path
        A file to write the problems to: file, problem, remedy.
    missing_classes: error | allow
        Whether val and test may be without some of train's classes.
    test_from: auto | val
        The test set, as in the recipe: what the folder has, or its val.
    workers: int
        Processes that decode; 0 is one for each core.
    max_megapixels: float
        The largest image that is read, as in the recipe.
    again: bool
        Decode every image anew, those too that were fine the last time and have not changed since.
    """
    from convatlas.data.checking import check_data as check
    from convatlas.data.survey import write_csv
    from convatlas.data.telling import told_to
    from convatlas.errors import DataError
    from convatlas.machine import cores

    if workers < 0:
        raise DataError(f"--workers {workers} makes no sense; give 0 or more")
    with told_to(progress()):
        report = check(
            folder,
            workers or cores(),
            missing_classes=missing_classes,
            max_megapixels=max_megapixels,
            anew=again,
            test_from=test_from,
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
        f"{report.images:,} images looked at{_earlier(report.remembered)}"
        f"{_ignored(report.ignored)}: "
        f"{_count(len(report.problems), 'problem')}, {_count(len(report.notes), 'note')}"
    )
    if csv:
        write_csv(csv, report.problems)
    return 1 if report.problems else 0


def _earlier(count: int) -> str:
    return f" ({count:,} of them earlier, and unchanged; --again decodes all)" if count else ""


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


def progress():
    """How far the work is: one line on a terminal, renewed, and elsewhere a line now and then."""
    from convatlas.data.telling import Preparation

    shown = Preparation(pause=0.1 if sys.stderr.isatty() else 10.0)

    def show(phase: str, done: int, total: int | None) -> None:
        if line := shown.line(phase, done, total):
            end = "\r" if sys.stderr.isatty() else "\n"
            print(f"{line:<78}" if end == "\r" else line, end=end, file=sys.stderr, flush=True)

    return show


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
