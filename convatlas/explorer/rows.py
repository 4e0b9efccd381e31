"""The table of a network: a row a stage and a row a unit, with what the paper prints of each."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from convatlas.anatomy import Layer, fold
from convatlas.anatomy.folding import Line
from convatlas.anatomy.table import by
from convatlas.explorer.frame import word

HEADS = (  # key of the word, the word
    ("row.unit", "unit"),
    ("row.made", "made of"),
    ("row.output", "output"),
    ("facts.params", "parameters"),
    ("facts.macs", "multiply-adds"),
    ("row.field", "receptive field"),
    ("row.printed", "printed"),
)


@dataclass(frozen=True)
class Row:
    """A line of the folded table, and where it stands."""

    path: str  # of the first unit that the line stands for
    last: str  # the last one's own name, where it stands for several: "3" of "1-3"
    line: Line


def rows(layers: dict) -> list[Row]:
    """The folded table of a stored layer table."""
    found, stage = [], ""
    for line in fold(map(Layer.from_row, layers["rows"]), layers["ends"]):
        first, last = _span(line)
        stage = stage if line.indent else first
        found.append(Row(f"{stage}.{first}" if line.indent else first, last, line))
    return found


def _span(line: Line) -> tuple[str, str]:
    if line.repeats == 1 or "-" not in line.name:
        return line.name, ""
    first, _, last = line.name.rpartition("-")
    return first, last


def table(facts: dict) -> str:
    """The rows as HTML, each with the claims that name exactly its unit."""
    whole, seen = facts["macs"] or 1, set()
    said = _claims_of(facts["claims"])
    lines = []
    for row in rows(facts["layers"]):
        lines.append(_row(row, said.get(row.path, ()), whole, row.path not in seen))
        seen.add(row.path)
    heads = "".join(f"<th scope=col>{word(key, text)}" for key, text in HEADS)
    return f"<table><thead><tr>{heads}<tbody>{''.join(lines)}</table>"


def _claims_of(claims: list[dict]) -> dict[str, list[tuple[int, dict]]]:
    """Unit -> (number, claim), of the paper's own as the network stands."""
    found: dict[str, list[tuple[int, dict]]] = {}
    for number, claim in enumerate(claims, 1):
        if claim["part"] and not claim["by"] and not claim["at"]:
            found.setdefault(claim["part"], []).append((number, claim))
    return found


def _row(row: Row, said: Iterable[tuple[int, dict]], whole: int, first: bool) -> str:
    line = row.line
    marks = (
        (f" id={row.path}" if first else "")
        + (f" data-to={row.last}" if row.last else "")
        + ("" if line.indent else " class=stage")
    )
    share = round(100 * line.macs / whole, 1)
    times = f" <b>&times;{line.repeats}</b>" if line.repeats > 1 else ""
    return (
        f"<tr{marks}><th scope=row><a href=#{row.path}>{line.name}</a>{times}"
        f"<td>{escape(line.made_of, quote=False)}<td>{by(line.output)}"
        f"<td>{_count(line.params)}<td style=--s:{share:g}%>{_count(line.macs)}"
        f"<td>{line.receptive_field or ''}<td>{' '.join(_mark(*each) for each in said)}"
    )


def _count(number: int) -> str:
    return f"{number:,}" if number else ""


def _mark(number: int, claim: dict) -> str:
    good = claim["status"] == "holds"
    return (
        f"<a href=#claim-{number}{'' if good else ' class=odd'}>"
        f"{escape(claim['printed'], quote=False)}{'✓' if good else '✗'}</a>"
    )
