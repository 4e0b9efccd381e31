"""What was run: every run with its seed and machine, every recipe, and what is not finished."""

from collections.abc import Iterable, Sequence

from convatlas.reporting.page.markup import cell, details, heading, name, row, small, table, text
from convatlas.reporting.runs import Run, Unfinished
from convatlas.reporting.sections import Section, recipes, value
from convatlas.reporting.spelling import plural, points, seconds

OPEN = 24  # rows; more are folded away


def runs(section: Section, times: bool) -> str:
    """A row a run, and below them the machines."""
    numbers = machines(section.runs)
    head = [
        heading("run"),
        heading("network"),
        heading("seed", "number"),
        heading("error, %", "number"),
        heading("validation, %", "number"),
        heading("epoch", "number"),
        *([heading("training", "number"), heading("date")] if times else []),
        heading("machine", "number"),
    ]
    rows = [
        row(
            text(run.name),
            cell(f"{name(entry.network)}{small(text(entry.setting))}"),
            cell(str(run.seed), "number"),
            cell(points(run.error, run.pictures), "number"),
            cell(f"{100 * run.validation_error:.2f}", "number"),
            cell(f"{run.best_epoch} of {run.epochs}", "number"),
            *([cell(seconds(run.seconds), "number"), cell(text(run.date))] if times else []),
            cell(str(numbers[machine(run)]), "number"),
        )
        for entry in section.entries
        for run in entry.runs
    ]
    told = table("", "all runs", head, rows)
    listed = "".join(f"<li>{text(words)}</li>" for words in numbers)
    return (details(f"{len(rows)} runs", told) if len(rows) > OPEN else told) + (
        f"<h3>Machines and versions</h3><ol>{listed}</ol>\n"
    )


def machines(runs: Iterable[Run]) -> dict[str, int]:
    """Each machine, with its versions, and its number."""
    return {words: i for i, words in enumerate(dict.fromkeys(map(machine, runs)), 1)}


def machine(run: Run) -> str:
    """ "AMD EPYC, 2 cores, 1 thread, 1 process, Linux x86_64; convatlas 0.1.0, ...; commit ..." """
    has = run.provenance
    counts = ", ".join(
        f"{has[many]} {many if has[many] != 1 else one}"
        for many, one in (("cores", "core"), ("threads", "thread"), ("processes", "process"))
        if many in has
    )
    versions = ", ".join(
        f"{part} {has[part]}"
        for part in ("convatlas", "torch", "torchvision", "python")
        if part in has
    )
    where = filter(None, [str(has.get("device", "")), counts, str(has.get("system", ""))])
    return f"{', '.join(where)}; {versions}; commit {has.get('commit') or 'unknown'}"


def recipe(section: Section) -> str:
    """What all recipes share, and where they differ."""
    shared, own = recipes(section)
    said = _fields(shared) or "the defaults"
    differ = "".join(
        f"<dt>{name(title)}</dt><dd>{_fields(fields)}</dd>"
        for title, fields in own.items()
        if fields
    )
    return (
        f"<p>Alike in all runs, beside the defaults: {said}.</p>"
        + (f'<dl class="told">{differ}</dl>' if differ else "")
        + "\n"
    )


def _fields(fields: dict[str, object]) -> str:
    return ", ".join(
        f"<code>{text(field)} = {text(value(given))}</code>" for field, given in fields.items()
    )


def unfinished(found: Sequence[Unfinished]) -> str:
    """Runs without a result, and how far they are."""
    if not found:
        return ""
    head = [
        heading("run"),
        heading("network"),
        heading("seed", "number"),
        heading("epochs", "number"),
        heading("validation error so far, %", "number"),
        heading("state"),
    ]
    rows = (
        row(
            text(run.name),
            cell(name(run.network)),
            cell(str(run.seed), "number"),
            cell(f"{run.epochs} of {run.of}", "number"),
            cell(_percent(run.validation_error), "number"),
            cell("trained, not tested" if run.is_trained else "not finished"),
        )
        for run in found
    )
    return (
        "<h2>Not in the figures</h2>"
        f"<p>{plural(len(found), 'run')} without a result yet.</p>"
        + table("", "runs without a result", head, rows)
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.2f}"
