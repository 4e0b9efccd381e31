"""report: which network is better, from the folders of runs."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from convatlas.cli import output as streams
from convatlas.cli.importing import quick_imports
from convatlas.cli.printing import say
from convatlas.errors import RunError


def report(
    *runs: Path,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    format: Annotated[list[str] | None, Parameter(name="--format", consume_multiple=True)] = None,
    against: str | None = None,
    latency: bool = False,
    without_times: bool = False,
    without_pictures: bool = False,
) -> int:
    """Say which network is better and whether the difference is real: a page, tables, LaTeX.

    Nothing is trained or tested: runs are read as they are, also those of a study that is half
    done. Several seeds of a network and recipe count as one network.

    Parameters
    ----------
    runs: Path
        Folders of runs, of a study, or folders that hold runs.
    output: Path
        The folder of the files [the study's own where one is given alone, else report].
    format: list[str]
        html, csv, json, latex, markdown [all].
    against: str
        Compare the others with this network only, a baseline; of fewer pairs more can be told.
    latency: bool
        Measure first how long each network takes for one picture here, in one thread, and keep it
        with the runs.
    without_times: bool
        Leave out how long anything took, and when.
    without_pictures: bool
        Put no test pictures into the page, only their names.
    """
    if not runs:
        raise RunError("which runs? `convatlas report RUN…`, with folders of runs or of a study")
    with quick_imports():
        from convatlas.reporting import FORMATS
        from convatlas.reporting.writing import prepared, written

    formats = [name for word in format or FORMATS for name in word.split(",")]
    shown = (not without_times, not without_pictures)
    found = prepared(runs, output, formats, against, *shown, latency)
    for note in found.notes:
        say(f"note: {note}")
    for sentence in found.sentences:
        say(sentence)
    for path in written(found):
        say(f"written: {path}")
    streams.settle()
    return 0
