"""What notebooks show of our records: plain HTML tables, readable on light and dark pages. Imports
nothing, and needs no notebook.
"""

from collections.abc import Iterable, Sequence
from html import escape

NUMBER = "text-align:right;font-variant-numeric:tabular-nums"
TEXT = "text-align:left"
BAR = "display:inline-block;height:.6em;background:currentColor;opacity:.45"
WIDEST = 8  # em, of a bar


def heading(text: str, under: str = "") -> str:
    """A title, and a line below it."""
    line = f"<div style='opacity:.75'>{escape(under)}</div>" if under else ""
    return f"<div><b>{escape(text)}</b></div>{line}"


def paragraph(text: str) -> str:
    """Some sentences, at most as wide as they are read well."""
    return f"<p style='max-width:44em'>{escape(text)}</p>"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[str] = ()) -> str:
    """Rows of cells; the columns named in `right` hold figures. A cell that is a Bar is drawn."""
    styles = [NUMBER if name in right else TEXT for name in headings]
    head = "".join(
        f"<th style='{style}'>{escape(name)}</th>"
        for name, style in zip(headings, styles, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td style='{style}'>{cell.html if isinstance(cell, Bar) else escape(cell)}</td>"
            for cell, style in zip(row, styles, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


class Bar(str):
    """A share from 0 to 1 as a bar with its figure: "94.9 %"."""

    __slots__ = ("part",)

    def __new__(cls, part: float):
        bar = super().__new__(cls, f"{100 * part:.1f} %" if part else "")
        bar.part = part
        return bar

    @property
    def html(self) -> str:
        if not self.part:
            return ""
        return f"{self} <span style='{BAR};width:{WIDEST * self.part:.2f}em'></span>"


def folded(title: str, text: str) -> str:
    """Plain text behind a title that opens it."""
    return f"<details><summary>{escape(title)}</summary><pre>{escape(text)}</pre></details>"
