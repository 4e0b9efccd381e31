"""The tables at the top: each network's error, and every pair of them."""

from collections.abc import Sequence

from convatlas.reporting.page import strips
from convatlas.reporting.page.charts import look
from convatlas.reporting.page.markup import (
    cell,
    details,
    heading,
    name,
    row,
    small,
    table,
    text,
)
from convatlas.reporting.page.scales import Scale, errors, linear
from convatlas.reporting.sections import Entry, Section
from convatlas.reporting.spelling import interval, magnitude, plural, points, probability, seconds
from convatlas.reporting.verdicts import Pair

SHOWN = 12  # pairs beside their drawing; more are folded away


def key(number: int) -> str:
    """The dot by which a network is known in every figure of its section."""
    return f'<span class="key {look(number)}"></span>'


def keys(section: Section) -> str:
    names = (f"<li>{key(i)}{name(entry.name)}</li>" for i, entry in enumerate(section.entries))
    return f'<ul class="keys">{"".join(names)}</ul>\n'


def networks(section: Section, times: bool) -> str:
    """A row a network: error, spread, interval, every seed a dot; and what it costs, where there is
    room.
    """
    scale = _scale(section)
    head = [
        heading("network"),
        heading("error, %", "number"),
        heading(strips.ruler(scale), "plot"),
        heading("runs", "number wide"),
        heading("parameters", "number wide"),
        heading("multiply-adds", "number wide"),
        *([heading("training", "number wide")] if times else []),
    ]
    rows = (
        _network(entry, i, section.pictures, scale, times)
        for i, entry in enumerate(section.entries)
    )
    return table("results", "errors of the networks", head, rows)


def _scale(section: Section) -> Scale:
    values = [100 * run.error for run in section.runs]
    for entry in section.entries:
        values += [100 * end for end in (entry.summary.low, entry.summary.high) if end == end]
    return errors(values, 100 / section.pictures)


def _network(entry: Entry, number: int, pictures: int, scale: Scale, times: bool) -> str:
    found = entry.summary
    spread = f" ± {points(found.sd, pictures)}" if found.sd == found.sd else ""
    within = interval(found.low, found.high, pictures)
    told = (
        f"{entry.name}: errors of {plural(len(entry.runs), 'run')} in percent, "
        f"{', '.join(points(run.error, pictures) for run in entry.runs)}"
    )
    drawn = strips.strip(
        [100 * run.error for run in entry.runs],
        *(100 * found.mean, (100 * found.low, 100 * found.high), scale, number, told),
    )
    return row(
        f"{key(number)}{name(entry.network)}{small(text(entry.setting))}",
        cell(f"<b>{points(found.mean, pictures)}</b>{spread}{small(within)}", "number"),
        cell(drawn, "plot"),
        cell(str(len(entry.runs)), "number wide"),
        cell(magnitude(entry.costs.params), "number wide"),
        cell(magnitude(entry.costs.macs), "number wide"),
        *([cell(seconds(entry.mean("seconds")), "number wide")] if times else []),
    )


def pairs(section: Section) -> str:
    """Each pair with its lead, and whether it is real."""
    found = section.comparison.pairs
    if not found:
        return ""
    ends = [100 * end for pair in found for end in (pair.low, pair.high, pair.lead) if end == end]
    scale = linear([0.0, *ends])
    head = [
        heading("pair"),
        heading("lead, points", "number"),
        heading(strips.ruler(scale), "plot"),
        heading("verdict"),
    ]
    rows = [_pair(pair, scale) for pair in found]
    shown = table("results pairs", "differences of the networks", head, rows[:SHOWN])
    if len(rows) > SHOWN:
        rest = table("results pairs", "further differences", head, rows[SHOWN:])
        shown += details(f"{len(rows) - SHOWN} more pairs", rest)
    return shown + details("Every test of every pair", _tests(found))


def _pair(pair: Pair, scale: Scale) -> str:
    lead = points(pair.lead, pair.pictures)
    within = interval(pair.low, pair.high, pair.pictures)
    drawn = strips.lead(
        *(100 * pair.lead, (100 * pair.low, 100 * pair.high), scale, pair.better),
        f"lead of {lead} points{f', {within}' if within else ''}",
    )
    return row(
        f"{name(pair.ahead)}{small(f'before {name(pair.behind)}')}",
        cell(f"<b>{lead}</b>{small(within)}", "number"),
        cell(drawn, "plot"),
        cell(_verdict(pair)),
    )


def _verdict(pair: Pair) -> str:
    if pair.better:
        return f'<span class="badge real">better</span>{small(f"p {probability(pair.p)}")}'
    if pair.tells is None:
        needs = f"{plural(pair.seeds, 'seed')} never can" if pair.seeds else "no seed in common"
    else:
        needs = f"below {points(pair.tells, pair.pictures)} points, p {probability(pair.p)}"
    would = f"{plural(pair.seeds_needed, 'seed')} would tell" if pair.seeds_needed else ""
    return f'<span class="badge">cannot tell</span>{small(needs)}{small(would)}'


def _tests(found: Sequence[Pair]) -> str:
    head = [
        heading("pair"),
        *(
            heading(title, "number")
            for title in ("seeds", "over seeds", "over pictures", "over both", "after Holm")
        ),
        heading("McNemar, seed by seed", "number"),
    ]
    rows = (
        row(
            f"{name(pair.ahead)}{small(f'before {name(pair.behind)}')}",
            cell(str(pair.seeds), "number"),
            *(
                cell(probability(p), "number")
                for p in (pair.p_seeds, pair.p_pictures, pair.p_both, pair.p)
            ),
            cell(", ".join(map(probability, pair.p_mcnemar or ())), "number"),
        )
        for pair in found
    )
    verdicts = "".join(f"<p>{text(pair.sentence)}</p>" for pair in found)
    return table("", "every test of every pair", head, rows) + verdicts
