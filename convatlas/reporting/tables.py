"""A report as CSV files: a line a network, and a line a run. A spreadsheet runs no cell of them."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from convatlas.printable import cell
from convatlas.reporting.sections import Entry, Report, Section, value

NETWORKS = (
    *("data", "network", "setting", "runs", "test_pictures", "error", "sd", "low", "high"),
    *("top5_error", "calibration_error", "validation_error", "params", "macs"),
)
RUNS = (
    *("data", "network", "setting", "run", "seed", "test_pictures", "wrong", "error"),
    *("top5_error", "loss", "calibration_error", "validation_error", "best_epoch", "epochs"),
)
SOURCE = ("device", "cores", "threads", "processes", "system")
VERSIONS = ("convatlas", "torch", "torchvision", "python", "commit")


def networks(report: Report, times: bool = True) -> str:
    """Errors are shares, 0 to 1; empty where there is no figure."""
    timed = ("seconds", "milliseconds") if times else ()
    rows = ((*_network(s, e), *(e.mean(name) for name in timed)) for s, e in _entries(report))
    return _written((*NETWORKS, *timed), rows)


def runs(report: Report, times: bool = True) -> str:
    """The same of each run, with its machine and versions."""
    timed = ("seconds", "milliseconds", "date") if times else ()
    rows = (
        (
            *(section.data, entry.network, entry.setting, run.name, run.seed, run.pictures),
            *(run.pictures - run.correct, run.error, 1 - run.top5, run.loss),
            *(run.calibration_error, run.validation_error, run.best_epoch, run.epochs),
            *(getattr(run, name) for name in timed),
            *(run.provenance.get(name, "") for name in (*SOURCE, *VERSIONS)),
        )
        for section, entry in _entries(report)
        for run in entry.runs
    )
    return _written((*RUNS, *timed, *SOURCE, *VERSIONS), rows)


def _entries(report: Report) -> Iterator[tuple[Section, Entry]]:
    for section in report.sections:
        for entry in section.entries:
            yield section, entry


def _network(section: Section, entry: Entry) -> tuple:
    found, top5 = entry.summary, entry.mean("top5")
    return (
        *(section.data, entry.network, entry.setting, len(entry.runs), section.pictures),
        *(found.mean, found.sd, found.low, found.high, None if top5 is None else 1 - top5),
        *(entry.mean("calibration_error"), entry.mean("validation_error")),
        *(entry.costs.params, entry.costs.macs),
    )


def _written(head: Sequence[str], rows: Iterable[Sequence]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_cell(each) for each in row] for row in rows)
    return file.getvalue()


def _cell(given: object) -> str:
    """Numbers with the digits that count; "" for none."""
    if given is None or given != given:
        return ""
    if isinstance(given, float):
        return f"{given:.8g}"
    return str(given) if isinstance(given, int) else cell(value(given))
