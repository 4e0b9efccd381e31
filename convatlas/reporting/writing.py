"""A report in its files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from convatlas.errors import ReportError
from convatlas.reporting import as_json, latex, markdown, tables
from convatlas.reporting.gathering import gather
from convatlas.reporting.hard_pictures import HardPictures, hard_pictures
from convatlas.reporting.page.frame import page
from convatlas.reporting.sections import Report, report_of
from convatlas.reporting.spelling import plural
from convatlas.reporting.thumbnails import Thumbnail, thumbnails
from convatlas.training.plain_files import make_durably, replace_durably

FORMATS = ("html", "csv", "json", "latex", "markdown")
FOLDER = "report"


@dataclass(frozen=True, eq=False)
class Prepared:
    """A report that is about to be written."""

    report: Report
    folder: Path
    formats: tuple[str, ...]
    times: bool
    hard: Mapping[str, HardPictures | None]  # by data set
    thumbnails: Mapping[str, Mapping[str, Thumbnail]]  # by data set and picture
    notes: tuple[str, ...]  # what is left out, and why

    @property
    def sentences(self) -> list[str]:
        """The answer, a data set each, and what has no result yet."""
        report = self.report
        found = [f"{s.data}: {s.comparison.sentence}" for s in report.sections]
        found += [report.ranking.sentence] if report.ranking else []
        missing = len(report.missing)
        return found + ([f"{plural(missing, 'run')} without a result yet"] if missing else [])


def report(
    runs: str | Path | Sequence[str | Path],
    output: str | Path | None = None,
    *,
    formats: Sequence[str] = FORMATS,
    against: str | None = None,
    times: bool = True,
    pictures: bool = True,
    latency: bool = False,
) -> list[Path]:
    """Which network is better, from the folders of runs, of a study, or of a folder of runs: the
    files that were written.

    `output` is a folder, by default the study's own where one is given alone, else "report". Each
    run is read and nothing is trained or tested: the same folders give the same bytes. `against`
    names a baseline with which alone the others are compared. `times` shows how long training took
    and when; without it the files of two studies that differ in nothing else are equal. `pictures`
    puts small test pictures into the page where the run's images are at hand. `latency` measures
    first how long each network takes for a picture here, and keeps it in the runs' latency.json.

    Raises RunError and RecipeError for runs that cannot be read or not stand in one report,
    ReportError for an unknown format or baseline, and where nothing can be written.
    """
    places = [runs] if isinstance(runs, str | Path) else list(runs)
    return written(prepared(places, output, formats, against, times, pictures, latency))


def prepared(
    runs: Sequence[str | Path],
    output: str | Path | None,
    formats: Sequence[str],
    against: str | None,
    times: bool,
    pictures: bool,
    latency: bool,
) -> Prepared:
    """All of it but the writing."""
    if unknown := [name for name in formats if name not in FORMATS]:
        raise ReportError(
            f"there is no format {unknown[0]!r}; the formats are {', '.join(FORMATS)}"
        )
    gathered = gather(runs)
    folder = Path(output).expanduser() if output else gathered.home or Path(FOLDER)
    found = report_of(gathered, against)
    if latency:
        found = _with_latency(found, runs, against)
    hard = {section.data: hard_pictures(section) for section in found.sections}
    is_shown = pictures and "html" in formats
    small, notes = _thumbnails(found, hard) if is_shown else ({}, ())
    return Prepared(found, folder, tuple(formats), times, hard, small, notes)


def _with_latency(found: Report, runs: Sequence[str | Path], against: str | None) -> Report:
    """The same, with what is measured now."""
    from convatlas.reporting.latency import measure

    for section in found.sections:
        measure({entry.name: entry.runs[0] for entry in section.entries})
    return report_of(gather(runs), against)


def written(found: Prepared) -> list[Path]:
    """The files."""
    return [_write(found.folder / name, make()) for name, make in _files(found)]


def _files(found: Prepared) -> Iterator[tuple[str, Callable[[], str]]]:
    report, hard, times = found.report, found.hard, found.times
    forms: dict[str, dict[str, Callable[[], str]]] = {
        "html": {"report.html": lambda: page(report, hard, found.thumbnails, times)},
        "csv": {
            "report.csv": lambda: tables.networks(report, times),
            "report-runs.csv": lambda: tables.runs(report, times),
        },
        "json": {"report.json": lambda: as_json.text(report, hard, times)},
        "latex": {"report.tex": lambda: latex.text(report)},
        "markdown": {"report.md": lambda: markdown.text(report, times)},
    }
    for form in dict.fromkeys(found.formats):
        yield from forms[form].items()


def _thumbnails(
    found: Report, hard: Mapping[str, HardPictures | None]
) -> tuple[dict[str, dict[str, Thumbnail]], tuple[str, ...]]:
    """By data set; and of each whose images are not at hand the reason."""
    shown, notes = {}, []
    for section in found.sections:
        wanted = hard[section.data]
        if wanted is None:
            continue
        shown[section.data], reason = thumbnails(section.runs[0], wanted.images)
        if reason:
            notes.append(f"test pictures are named, not shown: {reason}")
    return shown, tuple(notes)


def _write(path: Path, content: str) -> Path:
    try:
        make_durably(path.parent)
        replace_durably(path, content.encode())
    except OSError as error:
        raise ReportError(
            f"cannot write {path}: {error.strerror}; choose another folder with --output"
        ) from None
    return path
