"""bench: how fast a network answers here, in every form."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from convatlas.cli.importing import quick_imports
from convatlas.cli.printing import open_console, plain_table, print_json, say
from convatlas.errors import ExportError

if TYPE_CHECKING:
    from convatlas.speed.benching import Row
    from convatlas.speed.comparing import Reference

Numbers = Annotated[list[int] | None, Parameter(consume_multiple=True)]


def bench(
    *subjects: Path,
    weights: str | None = None,
    source: str | None = None,
    threads: Numbers = None,
    batches: Numbers = None,
    seconds: float = 3.0,
    inductor: bool = False,
    against: str | None = None,
    plot: Path | None = None,
    json: bool = False,
) -> int:
    """Measure latency and throughput in every form that is installed, in turn.

    Each form is compared with eager torch in float32 first, on 64 built-in pictures; one that
    misses the limit of an export's proof is refused and not timed. Times are medians, with the
    quartiles; the share is of the fastest convolution that any form reaches on this machine.

    Parameters
    ----------
    subjects: Path
        Names of networks, folders of finished runs, and exported files, which are measured whole,
        with their preprocessing.
    weights: str
        Published weights, or a file of them, for the networks that are named: torchvision,
        hub:owner/name or FILE [drawn ones, whose norms have seen pictures].
    source: str
        Where such a file comes from, such as timm, where its names fit several networks.
    threads: list[int]
        Numbers of threads [1, and all that torch would use].
    batches: list[int]
        Numbers of pictures at a time [1 16].
    seconds: float
        To measure for, at each number of threads and pictures.
    inductor: bool
        Compile with torch.compile, frozen, too, which takes minutes.
    against: str
        Another library's network, with the same weights: torchvision or timm.
    plot: Path
        Draw the latencies into this PNG file.
    json: bool
        Print JSON.
    """
    if not subjects:
        raise ExportError("name what is to be measured: convatlas bench resnet18")
    if not 0 < seconds <= 3600:
        raise ExportError("--seconds must be above 0, and 3600 at most")
    for flag, given in (("--threads", threads), ("--batches", batches)):
        if any(not 1 <= number <= 1024 for number in given or ()):
            raise ExportError(f"{flag} takes whole numbers from 1 to 1024")
    with quick_imports():
        import torch

        from convatlas.deploy.engines import KINDS
        from convatlas.speed import benching, peak

    threads = threads or sorted({1, torch.get_num_threads()})
    batches = batches or [*benching.BATCHES]
    suffixes = {kind.suffix for kind in KINDS.values()}
    files = [subject for subject in subjects if subject.suffix in suffixes]
    found: dict[str, list[Row]] = {}
    for subject in subjects:
        if subject in files:
            _, found[str(subject)] = benching.bench_file(subject, threads, batches, seconds)
    peaks = {}
    if len(files) < len(subjects):
        peaks = {count: peak.peaks(count, time.perf_counter) for count in threads}
    for subject in subjects:
        if subject not in files:
            reference = _reference(subject, weights, source)
            measured = [*benching.ways(reference.saved, inductor, against)]
            rows = benching.bench(reference, measured, threads, peaks, batches, seconds)
            found[str(subject)] = [*rows]
    if plot:
        _draw(plot, found, batches[0])
    if json:
        return print_json(_as_json(found, peaks))
    _print(found, peaks, batches)
    return 0


def _reference(subject: Path, weights: str | None, source: str | None) -> "Reference":
    from convatlas.cli.opening import opened
    from convatlas.registry import require, stored_facts
    from convatlas.speed.benching import fresh
    from convatlas.speed.comparing import Reference

    if weights is None and source is None and str(subject) in stored_facts():
        return Reference(fresh(str(subject)), is_drawn=True)
    if weights is None and not subject.exists():
        require(str(subject), stored_facts())
    return Reference(opened(subject, weights, source, "cpu"))


def _about() -> dict:
    import torch

    from convatlas.deploy.record import installed
    from convatlas.training.provenance import provenance

    said = provenance(torch.device("cpu"))
    versions = installed(
        "convatlas", "torch", "onnxruntime", "openvino", "ncnn", "torchvision", "timm"
    )
    return {"processor": said["device"], "cores": said["cores"], "versions": versions}


def _as_json(found: dict[str, list["Row"]], peaks: dict[int, dict[str, float]]) -> dict:
    rows = [{"subject": subject} | row.to_dict() for subject, rows in found.items() for row in rows]
    return _about() | {"peaks": peaks, "rows": rows}


def _print(
    found: dict[str, list["Row"]], peaks: dict[int, dict[str, float]], batches: list[int]
) -> None:
    about = _about()
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    say(f"{about['processor']}, {about['cores']} cores; {versions}")
    for count, best in peaks.items():
        told = ", ".join(f"{value / 1e9:,.0f} in {name}" for name, value in best.items())
        say(f"convolution peak, {_threads(count)}: {told} (10^9 operations a second)")
    say("ms: median (quartiles); /s: pictures a second; x: times as fast as eager")
    console = open_console()
    for subject, rows in found.items():
        for count in dict.fromkeys(row.threads for row in rows):
            print()
            say(f"{subject}, {_threads(count)}")
            console.print(_table([row for row in rows if row.threads == count], batches))
            for row in rows:
                if row.threads == count and row.refused:
                    say(f"  {row.form} refused: {row.refused}")


def _threads(count: int) -> str:
    return "one thread" if count == 1 else f"{count} threads"


def _table(rows: Iterable["Row"], batches: list[int]):
    """80 columns for two batch sizes."""
    named = [f"ms at {n}" if n == 1 else f"/s at {n}" for n in batches]
    columns = [part for name in named for part in (name, "x", "% peak")]
    table = plain_table("form", "error", *columns, right=("form", "error", *columns))
    table.columns[0].justify = "left"
    rows = list(rows)
    eager = {n: rows[0].times[n].median for n in rows[0].times}
    for row in rows:
        if row.refused:
            continue
        cells = [cell for n in batches for cell in _cells(row, n, eager)]
        error = f"{row.compared.error:.0e}" if row.compared else "proved"
        table.add_row(row.form, error, *cells)
    return table


def _cells(row: "Row", n: int, eager: dict[int, float]) -> tuple[str, str, str]:
    timing = row.times[n]
    if n == 1:
        low, high = (_figure(1e3 * value) for value in (timing.low, timing.high))
        shown = f"{_figure(1e3 * timing.median)} ({low}-{high})"
    else:
        shown = f"{_figure(n / timing.median)}"
    share = f"{100 * row.shares[n]:.0f}" if n in row.shares else ""
    return shown, f"{eager[n] / timing.median:.2f}", share


def _figure(value: float) -> str:
    return f"{value:.0f}" if value >= 99.5 else f"{value:.1f}" if value >= 9.95 else f"{value:.2f}"


def _draw(plot: Path, found: dict[str, list["Row"]], batch: int) -> None:
    from convatlas.training.plots import bars

    groups = {
        f"{subject}, {_threads(count)}": {
            row.form: 1e3 * row.times[batch].median
            for row in rows
            if row.threads == count and batch in row.times
        }
        for subject, rows in found.items()
        for count in dict.fromkeys(row.threads for row in rows)
    }
    title = "Latency" if batch == 1 else f"Time for {batch} pictures"
    try:
        plot.expanduser().write_bytes(bars(groups, "ms", title))
    except OSError as error:
        raise ExportError(
            f"cannot write {plot} ({error.strerror}); name another file with --plot"
        ) from None
