"""Pieces of HTML in which names that others chose stand."""

from collections.abc import Iterable, Sequence
from html import escape

from convatlas.printable import printable


def text(given: object) -> str:
    """What may be in it, it is text."""
    return escape(printable(str(given)), quote=True)


def name(given: str) -> str:
    """A network's, which may be broken after its underscores."""
    return text(given).replace("_", "_<wbr>")


def table(kind: str, label: str, head: Sequence[str], rows: Iterable[str]) -> str:
    """`head` and `rows` are HTML; where it is wider than the window it scrolls, by keys too."""
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{text(label)}">'
        f'<table class="{kind}"><thead><tr>{"".join(head)}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>\n"
    )


def heading(title: str = "", kind: str = "") -> str:
    """Of a column."""
    return f'<th scope="col"{_class(kind)}>{title}</th>'


def cell(inside: str, kind: str = "") -> str:
    return f"<td{_class(kind)}>{inside}</td>"


def row(title: str, *cells: str) -> str:
    """`title` is the HTML of its heading."""
    return f'<tr><th scope="row">{title}</th>{"".join(cells)}</tr>'


def small(inside: str) -> str:
    return f"<small>{inside}</small>" if inside else ""


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """What and how many, HTML; those without a value are left out."""
    cells = "".join(f"<div><dt>{what}</dt><dd>{value}</dd></div>" for what, value in pairs if value)
    return f'<dl class="facts">{cells}</dl>\n'


def figure(title: str, inside: str, caption: str = "") -> str:
    told = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f"<figure><h3>{title}</h3>{inside}{told}</figure>\n"


def details(summary: str, inside: str) -> str:
    return f"<details><summary>{summary}</summary>{inside}</details>\n"


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
