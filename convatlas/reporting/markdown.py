"""A report as Markdown, for a README or a comment."""

import re
from collections.abc import Iterator

from convatlas.printable import printable
from convatlas.reporting.sections import Entry, Report, Section
from convatlas.reporting.spelling import interval, magnitude, plural, points, probability, seconds

MEANING = re.compile(r"[\\`*_{}\[\]<>()#+!|~&$@:-]")  # letters that may mean something


def text(report: Report, times: bool = True) -> str:
    """The answer, then a table of networks and one of pairs for each data set."""
    blocks = []
    if report.ranking:
        blocks.append(plain(report.ranking.sentence))
    for section in report.sections:
        blocks += _section(section, times)
    if report.missing:
        blocks.append(f"{plural(len(report.missing), 'run')} without a result yet.")
    return "\n\n".join(blocks) + "\n"


def plain(given: object) -> str:
    """Text without any meaning in Markdown or in HTML."""
    return MEANING.sub(lambda found: f"\\{found[0]}", printable(str(given)))


def _section(section: Section, times: bool) -> Iterator[str]:
    yield f"## {plain(section.data)}"
    yield plain(section.comparison.sentence)
    head = ["network", "error, %", "interval", "runs", "parameters", "multiply-adds"]
    rows = (_entry(entry, section.pictures, times) for entry in section.entries)
    yield _table([*head, *(["training"] if times else [])], 1, rows)
    if section.comparison.pairs:
        head = ["pair", "lead, points", "interval", "p", "verdict"]
        yield _table(head, 1, _pairs(section))
    tested = f" ({plain(section.tested_on)})" if section.tested_on else ""
    yield (
        f"Errors on {plural(section.pictures, 'test picture')}{tested}: mean of the runs ± "
        "standard deviation; the interval (95 %) is over other seeds and other pictures; p after "
        "Holm."
    )


def _entry(entry: Entry, pictures: int, times: bool) -> list[str]:
    found = entry.summary
    spread = f" ± {points(found.sd, pictures)}" if found.sd == found.sd else ""
    return [
        plain(entry.name),
        points(found.mean, pictures) + spread,
        interval(found.low, found.high, pictures),
        str(len(entry.runs)),
        magnitude(entry.costs.params),
        magnitude(entry.costs.macs),
        *([seconds(entry.mean("seconds"))] if times else []),
    ]


def _pairs(section: Section) -> Iterator[list[str]]:
    for pair in section.comparison.pairs:
        yield [
            f"{plain(pair.ahead)} before {plain(pair.behind)}",
            points(pair.lead, pair.pictures),
            interval(pair.low, pair.high, pair.pictures),
            probability(pair.p),
            "better" if pair.better else "cannot tell",
        ]


def _table(head: list[str], left: int, rows: Iterator[list[str]]) -> str:
    """The first `left` columns are words, the others figures."""
    marks = ["---"] * left + ["---:"] * (len(head) - left)
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, marks, *rows))
