"""Curves, costs, calibration, classes and confusions of a section."""

from collections.abc import Callable

import numpy as np

from convatlas.reporting.mistakes import confused
from convatlas.reporting.page import charts
from convatlas.reporting.page.charts import Curve, Point
from convatlas.reporting.page.markup import cell, figure, heading, name, row, small, table, text
from convatlas.reporting.page.matrix import matrix
from convatlas.reporting.page.results import key
from convatlas.reporting.page.scales import errors, linear, logarithmic, tight
from convatlas.reporting.sections import Entry, Section
from convatlas.reporting.spelling import points

CLASSES = 30  # rows of the table of classes
CONFUSED = (
    "Wrong answers, in pictures of a run (the mean): a row for the true class, a column for the "
    "answer. Colour tells which of the two networks gives it more often, the number by how many "
    "pictures."
)
SAID = "The line is the mean of the runs, the band reaches from the lowest to the highest."


def curves(section: Section) -> str:
    """Validation error and training loss by epoch."""
    parts = []
    for title, field, turn, up in (
        ("Validation error", "val_accuracy", lambda share: 100 * (1 - share), "error, %"),
        ("Training error", "train_accuracy", lambda share: 100 * (1 - share), "error, %"),
        ("Training loss", "train_loss", float, "loss"),
    ):
        found = [
            curve
            for i, entry in enumerate(section.entries)
            if (curve := _curve(entry, i, field, turn))
        ]
        if not found:
            continue
        x = tight([x for curve in found for x in curve.xs])
        ends = [y for curve in found for y in (*curve.low, *curve.high) if y is not None]
        low = min((end for end in ends if end > 0), default=1.0)
        y = errors(ends, max(low, max(ends) / 1000))
        parts.append(figure(title, charts.curves(title, found, x, y, "epoch", up)))
    return f'<div class="figures">{"".join(parts)}</div><p class="quiet">{SAID}</p>\n'


def _curve(entry: Entry, number: int, field: str, turn: Callable[[float], float]) -> Curve | None:
    by_epoch: dict[float, list[float]] = {}
    for run in entry.runs:
        for line in run.log:
            if line[field] is not None:
                by_epoch.setdefault(line["epoch"], []).append(turn(line[field]))
    xs = sorted(by_epoch)
    if not xs:
        return None
    values = [by_epoch[x] for x in xs]
    means = [float(np.mean(each)) for each in values]
    return Curve(entry.name, number, xs, means, [*map(min, values)], [*map(max, values)])


def costs(section: Section, times: bool) -> str:
    """The error against each cost that is known of two networks or more."""
    asked = [
        ("Multiply-adds", "multiply-adds of an image", lambda entry: entry.costs.macs),
        ("Parameters", "parameters", lambda entry: entry.costs.params),
    ]
    if times:
        asked += [
            ("Training time", "seconds a run", lambda entry: entry.mean("seconds")),
            ("Latency", "milliseconds a picture", lambda entry: entry.mean("milliseconds")),
        ]
    figures = [drawn for each in asked if (drawn := _cost(section, *each))]
    kind = "figures pairs" if len(figures) % 2 == 0 else "figures"
    return f'<div class="{kind}">{"".join(figures)}</div>\n' if figures else ""


def _cost(section: Section, title: str, across: str, of: Callable[[Entry], float | None]) -> str:
    found = [
        Point(
            *(entry.name, i, of(entry), 100 * entry.summary.mean),
            *(_percent(end) for end in (entry.summary.low, entry.summary.high)),
        )
        for i, entry in enumerate(section.entries)
        if of(entry)
    ]
    if len(found) < min(2, len(section.entries)):
        return ""
    ends = [end for point in found for end in (point.low, point.high, point.y) if end is not None]
    y = errors(ends, 100 / section.pictures)
    x = logarithmic([point.x for point in found])
    return figure(title, charts.points(title, found, x, y, across, "error, %"))


def _percent(share: float) -> float | None:
    return 100 * share if share == share else None


def calibration(section: Section) -> str:
    """How often answers of each confidence are right, and the mean gap."""
    found = [(i, entry) for i, entry in enumerate(section.entries) if entry.reliability]
    rows = (
        row(
            f"{key(i)}{name(entry.network)}{small(text(entry.setting))}",
            cell(f"{100 * entry.mean('calibration_error'):.2f}", "number"),
            cell(_loss(entry), "number"),
        )
        for i, entry in enumerate(section.entries)
    )
    head = [
        heading("network"),
        heading("calibration error, %", "number"),
        heading("mean log loss", "number"),
    ]
    drawn = ""
    if found:
        scale = linear([0.0, 100.0])
        lines = [_reliable(entry, i) for i, entry in found]
        title = "Confidence and truth"
        chart = charts.curves(title, lines, scale, scale, "confidence, %", "right, %", True)
        drawn = figure(title, chart, "On the dashed line confidence and truth are equal.")
    return f'<div class="figures">{drawn}<div>{table("", "calibration", head, rows)}</div></div>\n'


def _loss(entry: Entry) -> str:
    loss = entry.reliability.log_loss if entry.reliability else None
    return "" if loss is None else f"{loss:.4f}"


def _reliable(entry: Entry, number: int) -> Curve:
    found = entry.reliability
    full = [i for i, count in enumerate(found.counts) if count]
    xs = [100 * float(found.confidence[i]) for i in full]
    ys = [100 * float(found.accuracy[i]) for i in full]
    return Curve(entry.name, number, xs, ys, [None] * len(xs), [None] * len(xs))


def classes(section: Section) -> str:
    """Error of each class, by network."""
    table_of = np.array([1 - entry.recalls for entry in section.entries]).T  # (classes, networks)
    counts = section.entries[0].runs[0].confusion.sum(1)
    chosen = [i for i, count in enumerate(counts) if count]
    note = ""
    if len(chosen) > CLASSES:
        worst = sorted(chosen, key=lambda i: (-table_of[i].mean(), i))[:CLASSES]
        said = f"The {CLASSES} of {len(chosen)} classes with the highest error."
        note = f'<p class="quiet">{said}</p>'
        chosen = worst
    top = max((table_of[i].max() for i in chosen), default=0) or 1
    head = [
        heading("class"),
        heading("pictures"),
        *(
            heading(f"{key(i)}{name(entry.network)}{small(text(entry.setting))}")
            for i, entry in enumerate(section.entries)
        ),
    ]
    rows = (
        row(
            text(section.classes[i]),
            cell(f"{counts[i]:,}"),
            *(
                f'<td style="--h:{share / top:.3f}">{points(float(share), int(counts[i]))}</td>'
                for share in table_of[i]
            ),
        )
        for i in chosen
    )
    return table("heat", "errors by class, in percent", head, rows) + note


def confusion(section: Section) -> str:
    """What one network takes for something else more often than another: the best beside each."""
    first, *others = section.entries
    shown = [
        part
        for number, other in enumerate(others[:3], 1)
        if (part := _beside(section, first, 0, other, number))
    ]
    return f'<p class="quiet">{CONFUSED}</p>{"".join(shown)}' if shown else ""


def _beside(section: Section, a: Entry, i: int, b: Entry, j: int) -> str:
    found = confused(a.confusion, b.confusion)
    if not found:
        return ""
    top = max(abs(each.more) for each in found)
    head = [
        heading("class, and answer"),
        heading(f"{key(i)}{name(a.name)}", "number"),
        heading(f"{key(j)}{name(b.name)}", "number"),
        heading("more often"),
    ]
    rows = (
        row(
            f"{text(section.classes[each.truth])} → {text(section.classes[each.answer])}",
            cell(f"{each.a:.1f}", "number"),
            cell(f"{each.b:.1f}", "number"),
            cell(_bar(each.more / top, i, j)),
        )
        for each in found
    )
    listed = table("bars", "confusions that differ most, in pictures of a run", head, rows)
    drawn = matrix(a, b, section.classes, (i, j))
    title = f"{key(i)}{name(a.name)} and {key(j)}{name(b.name)}"
    return f'<h3>{title}</h3><div class="figures">{drawn}<div>{listed}</div></div>'


def _bar(share: float, i: int, j: int) -> str:
    """To the left what the first does more often, to the right what the second does."""
    width = f"{100 * abs(share):.0f}%"
    filled = f'<b class="{charts.look(i if share > 0 else j)}" style="--w:{width}"></b>'
    left, right = (filled, "") if share > 0 else ("", filled)
    return f'<div class="bar"><i>{left}</i><i>{right}</i></div>'
