"""Summaries, differences and costs as notebooks show them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from convatlas.anatomy.folding import fold
from convatlas.anatomy.table import Summary, by
from convatlas.notebook import Bar, folded, heading, paragraph, table

if TYPE_CHECKING:
    from convatlas.anatomy.cost import Cost
    from convatlas.anatomy.difference import Difference
    from convatlas.anatomy.spending import Share

SPACE = "\u2003"  # before what is inside a stage


def summary_html(found: Summary) -> str:
    """The folded layer table with shares; every layer behind a title."""
    ends = {name: (part.output, part.receptive_field) for name, part in found.parts.items()}
    rows = [
        (
            f"{SPACE * line.indent}{line.name}",
            f"{line.repeats}\u00d7" if line.repeats > 1 else "",
            line.made_of,
            by(line.output),
            f"{line.params:,}" if line.params else "",
            f"{line.macs:,}" if line.macs else "",
            "" if line.indent else Bar(line.macs / max(found.macs, 1)),
            "" if line.receptive_field is None else str(line.receptive_field),
        )
        for line in fold(found.rows, ends)
    ]
    headings = ("layer", "", "made of", "output", "params", "MACs", "of all", "field")
    right = ("", "output", "params", "MACs", "field")
    under = (
        f"{found.called or f'input {by(found.input_size)}'}; {found.params:,} parameters, "
        f"{found.macs:,} MACs, {found.layers} layers deep"
    )
    return (
        heading(found.network, under)
        + table(headings, rows, right)
        + folded("every layer", str(found))
    )


def difference_html(found: "Difference") -> str:
    """What it comes to, and a row for each change."""
    rows = list(_changes(found))
    headings = ("where", "inside", "step", found.a.name, found.b.name, "params", "MACs")
    told = table(headings, rows, ("params", "MACs")) if rows else ""
    return heading(f"{found.a.name} \u2192 {found.b.name}") + paragraph(found.summary) + told


def _changes(found: "Difference") -> Iterator[tuple[str, ...]]:
    for block in found.blocks:
        a, b = block.where
        where = f"{a} | {b}" if a and b and a != b else a or b
        for i, change in enumerate(block.changes):
            yield (
                "" if i else where,
                change.inside,
                change.what,
                change.a,
                change.b,
                f"{change.params:+,}" if change.params else "",
                f"{change.macs:+,}" if change.macs else "",
            )


def cost_html(found: "Cost") -> str:
    """In words, then by kind of layer and by stage."""
    return (
        heading(found.network, f"input {by(found.input_size)}")
        + paragraph(found.words)
        + _shares("kind of layer", found.kinds, found.total)
        + _shares("stage", found.stages, found.total)
    )


def _shares(title: str, shares: "list[Share]", whole: "Share") -> str:
    def part(share: "Share", of: str) -> Bar:
        return Bar(getattr(share, of) / max(getattr(whole, of), 1))

    rows = [
        (share.name or "(between)", *(part(share, of) for of in ("macs", "params", "values")))
        for share in shares
    ]
    return table((title, "MACs", "params", "maps"), rows)
