"""The whole page: the answer first, then the tables, then the figures, then what was run."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import resources

from convatlas.reporting.hard_pictures import HardPictures
from convatlas.reporting.page import figures, pictures, results
from convatlas.reporting.page import runs as listed
from convatlas.reporting.page.markup import cell, facts, heading, row, table, text
from convatlas.reporting.page.pictures import Thumbnails
from convatlas.reporting.sections import Report, Section
from convatlas.reporting.spelling import points, seconds

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
TOLD = {
    "Error": "The share of test pictures that are answered wrongly, in percent: the mean over the "
    "runs ± their standard deviation, and below it the interval in which the mean would lie, with "
    "95 % confidence, had other seeds and other test pictures been drawn.",
    "Lead": "How many points of error less the first network of a pair makes, over the seeds that "
    "both have; the interval is of the same kind.",
    "Better": "Said only where neither the seeds nor the choice of test pictures explain the lead, "
    "after Holm's correction over all pairs. With n seeds the smallest possible p is 2/2ⁿ: fewer "
    "than six seeds describe, and never decide.",
    "Cannot tell below": "The smallest lead that as many seeds and pictures would have shown four "
    "times out of five.",
    "Calibration error": "The mean gap between confidence and the share that is right, over 15 "
    "bins of confidence.",
    "Validation": "The epoch of a run is chosen on its validation pictures; the test pictures are "
    "looked at once, at the end.",
}


def page(
    report: Report,
    hard: Mapping[str, HardPictures | None],
    thumbnails: Mapping[str, Thumbnails],
    times: bool = True,
) -> str:
    """The file. `hard` and `thumbnails` by data set; without `times` nothing in it depends on how
    long anything took, or when.
    """
    title = title_of(report)
    parts = [f'<p class="from"><b>convatlas</b> report</p><h1>{text(title)}</h1>']
    is_one = len(report.sections) == 1
    parts.append(_answer(report))
    parts.append(_facts(report, times))
    if is_one:
        parts.append(_contents(report.sections[0], hard))
    else:
        parts.append(_overview(report))
    for number, section in enumerate(report.sections):
        name = section.data
        inside = _section(section, hard[name], thumbnails.get(name, {}), times, number, is_one)
        parts.append("".join(inside) if is_one else _named(section, "".join(inside)))
    parts.append(listed.unfinished(report.missing))
    parts.append(_told())
    return _whole(title, "".join(parts))


def title_of(report: Report) -> str:
    """ "Which network is better on digits?" """
    names = {entry.name for section in report.sections for entry in section.entries}
    if not report.sections:
        return "No run is finished yet"
    if len(report.sections) == 1:
        data = report.sections[0].data
        return (
            f"Which network is better on {data}?" if len(names) > 1 else f"{min(names)} on {data}"
        )
    return f"Which network is better on {len(report.sections)} data sets?"


def _answer(report: Report) -> str:
    said = [section.comparison.sentence for section in report.sections]
    if len(said) > 1:
        said = [f"{s.data}: {s.comparison.sentence}" for s in report.sections]
    if report.ranking:
        said.insert(0, report.ranking.sentence)
    if not said:
        return "<p>None of these runs has been tested.</p>"
    return f'<div class="answer">{"".join(f"<p>{text(each)}</p>" for each in said)}</div>\n'


def _facts(report: Report, times: bool) -> str:
    runs = [run for section in report.sections for run in section.runs]
    if not runs:
        return ""
    names = {entry.name for section in report.sections for entry in section.entries}
    counts = {len(entry.runs) for section in report.sections for entry in section.entries}
    pictures = ", ".join(map(_pictures, report.sections))
    whole = f"{min(counts)} to {max(counts)}" if len(counts) > 1 else f"{max(counts)}"
    return facts(
        (
            ("networks", str(len(names))),
            ("runs each", whole),
            ("runs in all", str(len(runs))),
            ("not finished", str(len(report.missing) or "")),
            ("test pictures", pictures),
            ("training", seconds(sum(run.seconds for run in runs)) if times else ""),
        )
    )


def _pictures(section: Section) -> str:
    return f"{section.pictures:,}{f' ({text(section.tested_on)})' if section.tested_on else ''}"


def _contents(section: Section, hard: Mapping[str, HardPictures | None]) -> str:
    names = [name for name, _ in _parts(section, hard[section.data], {}, True)]
    links = (f'<a href="#{_slug(name)}">{name}</a>' for name in names)
    return f'<nav aria-label="contents">{"".join(links)}</nav>\n'


def _overview(report: Report) -> str:
    """Mean errors, a row a network and a column a data set."""
    names = list(dict.fromkeys(e.name for s in report.sections for e in s.entries))
    found = report.ranking
    ranking = dict(zip(found.names, found.ranks, strict=True)) if found else {}
    names.sort(key=lambda name: ranking.get(name, 0))
    head = [
        heading("error, %"),
        *(heading(text(section.data), "number") for section in report.sections),
        *([heading("average rank", "number")] if ranking else []),
    ]
    rows = []
    for name in names:
        found = [next((e for e in s.entries if e.name == name), None) for s in report.sections]
        cells = [
            cell(points(entry.summary.mean, section.pictures) if entry else "", "number")
            for entry, section in zip(found, report.sections, strict=True)
        ]
        cells += [cell(f"{ranking[name]:.2f}", "number")] if ranking else []
        rows.append(row(text(name), *cells))
    return table("", "mean errors by data set", head, rows)


def _named(section: Section, inside: str) -> str:
    said = f"<p>{text(section.comparison.sentence)}</p>"
    return f"<h2>On {text(section.data)}</h2>{said}{inside}"


def _section(
    section: Section,
    hard: HardPictures | None,
    thumbnails: Thumbnails,
    times: bool,
    number: int,
    is_one: bool,
) -> Iterator[str]:
    level = "h2" if is_one else "h3"
    for name, make in _parts(section, hard, thumbnails, times):
        if inside := make():
            title = f"<{level}>{name}</{level}>"
            yield f'<section id="{_slug(name, number)}">{title}{inside}</section>\n'


def _parts(
    section: Section, hard: HardPictures | None, thumbnails: Thumbnails, times: bool
) -> list[tuple[str, Callable[[], str]]]:
    """The headings of a section that has something below each, and what makes that."""
    several = len(section.entries) > 1
    keys = results.keys(section) if several else ""
    parts: list[tuple[str, Callable[[], str]]] = [
        ("Error", lambda: results.networks(section, times)),
    ]
    if several:
        parts.append(("Differences", lambda: results.pairs(section)))
    if any(run.log for run in section.runs):
        parts.append(("Curves", lambda: keys + figures.curves(section)))
    parts += [
        ("Cost", lambda: _below(keys, figures.costs(section, times))),
        ("Classes", lambda: figures.classes(section)),
    ]
    if several:
        parts.append(("Confusions", lambda: figures.confusion(section)))
    if hard:
        parts.append(("Hard pictures", lambda: pictures.always(section, hard, thumbnails)))
    if hard and hard.disputed:
        parts.append(("Disputed pictures", lambda: pictures.disputed(section, hard, thumbnails)))
    parts += [
        ("Calibration", lambda: keys + figures.calibration(section)),
        ("Recipe", lambda: listed.recipe(section)),
        ("Runs", lambda: listed.runs(section, times)),
    ]
    return parts


def _below(keys: str, inside: str) -> str:
    return keys + inside if inside else ""


def _slug(name: str, number: int = 0) -> str:
    return name.lower().replace(" ", "-") + (f"-{number + 1}" if number else "")


def _told() -> str:
    words = "".join(f"<dt>{name}</dt><dd>{said}</dd>" for name, said in TOLD.items())
    return f'<section><h2>What the words mean</h2><dl class="told">{words}</dl></section>'


@cache
def _style() -> str:
    return (resources.files(__package__) / "report.css").read_text(encoding="utf-8")


def _whole(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>\n{_style()}</style></head>\n<body><main>\n{body}\n"
        "</main></body></html>\n"
    )
