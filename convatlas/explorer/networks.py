"""The page of each network: its drawing, its table beside it, and every number printed of it.

The HTML is terse (no quotes and end tags that HTML does not ask for): there are hundreds of pages.
"""

from collections.abc import Callable
from functools import cache, partial
from html import escape

from convatlas import registry
from convatlas.anatomy import network_graph
from convatlas.anatomy.table import by
from convatlas.explorer import frame, sources
from convatlas.explorer.frame import word
from convatlas.explorer.live import stored
from convatlas.explorer.pictures import SHEET, drawn
from convatlas.explorer.printed import printed
from convatlas.explorer.rows import rows, table
from convatlas.pages.names import forms, stem
from convatlas.pages.works import all_works

MODULE = "network/page.js"


def files() -> dict[str, Callable[[], bytes]]:
    return {where(name): partial(page, name) for name in registry.stored_facts()}


def where(name: str) -> str:
    return f"networks/{name}.html"


def page(name: str) -> bytes:
    facts = registry.describe(name)
    paper = facts["paper"]
    units = {unit for row in rows(facts["layers"]) for unit in row.units}
    body = (
        f"<h1>{name}</h1>{_head(paper)}{_facts(facts)}{_others(name)}"
        f"<div class=pair><section class=drawing id=drawing tabindex=0 aria-label={name}>"
        f"{drawn(name)}"
        f"</section><section class=units>{table(facts, network_graph.stored(name))}</section></div>"
        f"{_source(facts['family'])}{printed(facts['claims'], units)}{_notes(name, paper)}"
    )
    return frame.page(
        where(name),
        name,
        body,
        description=_description(name, facts),
        module=MODULE,
        styles=(SHEET,),
    )


def _description(name: str, facts: dict) -> str:
    return (
        f"{facts['paper']['title']} ({facts['paper']['year']}): {facts['params']:,} parameters, "
        f"{facts['macs']:,} multiply-adds, {facts['depth']} layers."
    )


def _head(paper: dict) -> str:
    """The paper, who wrote it, and what is new in it."""
    venue = f"{paper['venue']} {paper['year']}".strip()
    idea = (
        f"<p class=idea>{escape(paper['introduced'], quote=False)}" if paper["introduced"] else ""
    )
    return (
        f'<p class=cite><a href="../papers/{paper["page"]}.html">'
        f"{escape(paper['title'], quote=False)}</a>. "
        f"{escape(paper['authors'], quote=False)}. {escape(venue, quote=False)}.{idea}"
    )


def _facts(facts: dict) -> str:
    pairs = (
        ("facts.params", "parameters", f"{facts['params']:,}"),
        ("facts.macs", "multiply-adds", f"{facts['macs']:,}"),
        ("facts.depth", "layers", f"{facts['depth']}"),
        ("facts.input", "input", by(facts["input_size"])),
        ("facts.classes", "classes", f"{facts['num_classes']:,}"),
    )
    idle = (
        f"<div><dt>{word('facts.idle', 'of them only in training')}<dd>{facts['idle']:,}</div>"
        if facts["idle"]
        else ""
    )
    cells = [f"<div><dt data-word={key}>{text}<dd>{value}</div>" for key, text, value in pairs]
    return f"<dl class=facts>{cells[0]}{idle}{''.join(cells[1:])}</dl>"


def _others(name: str) -> str:
    """The other forms of the network, and the way to compare it with another."""
    links = [
        f'<a href="{other}.html">{other}</a>'
        for _, names in forms(name, _alike()[stem(name)])
        for other in names
    ]
    listed = f"{word('other.forms', 'Other forms')}: {', '.join(links)}. " if links else ""
    compare = (
        f'<a href="../diff.html?a={name}">{word("other.diff", "Compare with another network")}</a>'
    )
    live = (
        f'<a class=live href="../live/{name}.html" data-word=other.live>'
        "Run it in your browser</a>. "
        if name in _live()
        else ""
    )
    return f"<p class=others>{live}{listed}{compare}"


def _source(family: str) -> str:
    """Where its code stands; static/network/source.js shows it beside the table."""
    return (
        f'<p class=source data-family={family}><a href="../{sources.where(family)}">'
        f"{word('source.title', 'Its code')}: convatlas/nets/{family}.py</a>"
    )


@cache
def _live() -> tuple[str, ...]:
    """The networks that run in a page, drawn digits and all."""
    return stored.names()


@cache
def _bare() -> set[str]:
    """The networks that stand for those of a file."""
    return {record.bare for work in all_works() for record in work.records}


@cache
def _alike() -> dict[str, list[str]]:
    """The names by what their forms share, for each is asked of all others."""
    found: dict[str, list[str]] = {}
    for name in registry.stored_facts():
        found.setdefault(stem(name), []).append(name)
    return found


def _notes(name: str, paper: dict) -> str:
    """What stands for the networks of one file is told where the first of them is; the rest, and of
    the others, on the paper's page.
    """
    told = "".join(
        f"<dt>{word(f'note.{key}', NOTES[key])}<dd>{escape(paper[key], quote=False)}"
        for key in ("silent", "departs")
        if paper[key] and name in _bare()
    )
    more = (
        f'<p><a href="../papers/{paper["page"]}.html#notes">'
        f"{word('note.more', 'Its recipe, its printed results, and who builds it otherwise')}</a>"
    )
    title = f"<h2 id=notes>{word('note.title', 'Notes')}</h2>"
    return f"<section>{title}{told and f'<dl class=notes>{told}</dl>'}{more}</section>"


NOTES = {
    "silent": "What the paper leaves open",
    "departs": "Departures",
    "elsewhere": "Who departs where",
    "recipe": "Its recipe",
    "results": "Its printed results",
}
