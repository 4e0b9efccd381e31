"""The layer table of a network, printed: folded or every layer, as a table or, where that is too
narrow, as lines.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from convatlas.anatomy import Layer, fold
from convatlas.anatomy.table import by, window_text
from convatlas.cli.printing import Phrase, is_narrow, plain_table
from convatlas.magnitude import short

FIELD = "receptive\nfield"
FIGURES = ("output", "params", "MACs", FIELD)


class Line(NamedTuple):
    indent: int
    name: str
    repeats: str
    what: str  # what it is made of; "" for a heading
    figures: tuple[str, ...]  # the cells under FIGURES; () for a heading


def print_layers(console, layers: dict, every_layer: bool) -> None:
    """`layers`: rows and ends, as the index holds them."""
    lines = list(_every(layers) if every_layer else _folded(layers))
    if is_narrow(console):
        for line in lines:
            _print_stacked(console, line)
    else:
        console.print(_table(lines, every_layer))
    console.print(
        "\nreceptive field: the side, in pixels, of what one output sees, borders not clipped",
        style="dim",
    )


def _folded(layers: dict) -> Iterator[Line]:
    for line in fold(map(Layer.from_row, layers["rows"]), layers["ends"]):
        repeats = f"x{line.repeats}" if line.repeats > 1 else ""
        yield Line(line.indent, line.name, repeats, line.made_of, _figures(line))


def _every(layers: dict) -> Iterator[Line]:
    for stage, group in groupby(
        map(Layer.from_row, layers["rows"]), key=lambda row: row.name.partition(".")[0]
    ):
        rows = list(group)
        if rows[0].name != stage:
            yield Line(0, stage, "", "", ())
        for row in rows:
            inside = row.name.partition(".")[2]
            kind = f"{row.kind} {window_text(row)}".strip()
            yield Line(bool(inside), inside or stage, "", kind, _figures(row))


def _figures(line) -> tuple[str, ...]:
    """The cells under FIGURES, of a layer or a folded line; what is nothing stays empty."""
    return (
        by(line.output),
        f"{line.params:,}" if line.params else "",
        short(line.macs) if line.macs else "",
        str(line.receptive_field or ""),
    )


def _table(lines: list[Line], every_layer: bool):
    if every_layer:
        table = plain_table("layer", "kind", *FIGURES, right=FIGURES)
    else:
        table = plain_table("layer", "", "made of", *FIGURES, right=("", *FIGURES))
    for line in lines:
        what = () if not line.figures else (line.what,) if every_layer else (Phrase(line.what),)
        repeats = () if every_layer else (line.repeats,)
        style = "" if line.indent else "bold"
        table.add_row("  " * line.indent + line.name, *repeats, *what, *line.figures, style=style)
    return table


def _print_stacked(console, line: Line) -> None:
    """A layer on a line of its own, what it is made of and its figures below."""
    from rich.padding import Padding

    style = "" if line.indent else "bold"
    console.print(
        Padding(f"{line.name} {line.repeats}".strip(), (0, 0, 0, 2 * line.indent)), style=style
    )
    if not line.figures:
        return
    output, params, macs, field = line.figures
    facts = [
        output,
        params and f"{params} params",
        macs and f"{macs} MACs",
        field and f"sees {field}",
    ]
    for text in filter(None, (line.what, ", ".join(filter(None, facts)))):
        console.print(Padding(Phrase(text), (0, 0, 0, 2 * line.indent + 4)))
