"""The page of each paper: what it brought, its networks, what it leaves open, its errata."""

from collections.abc import Callable
from functools import partial
from html import escape

from convatlas.anatomy.table import by
from convatlas.claim import MISPRINT
from convatlas.explorer import frame
from convatlas.explorer.frame import word
from convatlas.explorer.networks import NOTES
from convatlas.explorer.printed import WORDS
from convatlas.pages.names import explained
from convatlas.pages.works import Work, all_works


def files() -> dict[str, Callable[[], bytes]]:
    return {where(work.page): partial(page, work) for work in all_works()}


def where(page: str) -> str:
    return f"papers/{page}.html"


def page(work: Work) -> bytes:
    paper = work.paper
    body = (
        f"<h1>{escape(paper['title'], quote=False)}</h1>{_citation(work)}"
        f"<p class=idea>{escape(paper['introduced'], quote=False)}"
        f"<section><h2 id=networks>{word('paper.networks', 'Networks')}</h2>{_networks(work)}"
        f"{_suffixes(work)}</section>{_errata(work)}{_notes(work)}"
    )
    return frame.page(
        where(work.page),
        paper["title"],
        body,
        description=paper["introduced"] or f"{len(work.networks)} networks",
        module="papers.js",
    )


def _citation(work: Work) -> str:
    paper = work.paper
    papers = [record.paper for record in work.records]
    where_ = dict.fromkeys(f"{each['venue']} {each['year']}".strip() for each in papers)
    parts = [paper["authors"], "; ".join(where_)]
    arxiv = f"arXiv:{paper['arxiv']}" if paper["arxiv"] else ""
    link = f' <a href="https://arxiv.org/abs/{paper["arxiv"]}">{arxiv}</a>.' if arxiv else ""
    codes = dict.fromkeys(each["code"] for each in papers if each["code"])
    released = "".join(
        f' <a href="https://{escape(code.split(" ")[0])}">{escape(code, quote=False)}</a>.'
        for code in codes
    )
    return f"<p class=cite>{escape('. '.join(parts), quote=False)}.{link}{released}"


def _networks(work: Work) -> str:
    heads = (
        ("row.network", "network"),
        ("facts.params", "parameters"),
        ("facts.macs", "multiply-adds"),
        ("facts.depth", "layers"),
        ("facts.input", "input"),
        ("paper.hold", "printed numbers that hold"),
    )
    head = "".join(f"<th scope=col>{word(key, text)}" for key, text in heads)
    rows = "".join(_network(name, facts) for name, facts in work.networks.items())
    return (
        "<div class=scroll tabindex=0 role=group aria-label=networks>"
        f"<table class=list><thead><tr>{head}<tbody>{rows}</table></div>"
    )


def _network(name: str, facts: dict) -> str:
    claims = facts["claims"]
    hold = sum(claim["status"] == "holds" for claim in claims)
    return (
        f'<tr><th scope=row><a href="../networks/{name}.html">{name}</a><td>{facts["params"]:,}'
        f"<td>{facts['macs']:,}<td>{facts['depth']}<td>{by(facts['input_size'])}"
        f"<td>{f'{hold} / {len(claims)}' if claims else ''}"
    )


def _suffixes(work: Work) -> str:
    told = explained(list(work.networks))
    items = "".join(f"<li><code>{escape(name)}</code> {escape(what)}" for name, what in told)
    return f"<ul class=suffixes>{items}</ul>" if items else ""


def _errata(work: Work) -> str:
    """The misprints, each with a link to where it stands."""
    items = []
    for name, facts in work.networks.items():
        for number, claim in enumerate(facts["claims"], 1):
            if claim["status"] == MISPRINT:
                what = WORDS.get(claim["quantity"], claim["quantity"])
                what = " ".join(filter(None, (what, claim["part"], claim["at"])))
                items.append(
                    f'<li><a href="../networks/{name}.html#claim-{number}">{name}</a> '
                    f"{escape(what, quote=False)}: <s>{escape(claim['printed'])}</s> "
                    f"{escape(claim['measured'] or 'nothing')} "
                    f"<small>{escape(claim['source'], quote=False)}</small>"
                )
    title = f"<h2 id=errata>{word('paper.errata', 'Misprints')}</h2>"
    return f"<section>{title}<ul>{''.join(items)}</ul></section>" if items else ""


def _notes(work: Work) -> str:
    """What each file says of the paper, once where they agree."""
    blocks = []
    for key, text in NOTES.items():
        said: dict[str, list[str]] = {}
        for record in work.records:
            if record.paper[key]:
                said.setdefault(record.paper[key], []).append(record.family)
        for told, families in said.items():
            of = f" <small>{', '.join(families)}</small>" if len(work.records) > 1 else ""
            blocks.append(f"<dt>{word(f'note.{key}', text)}{of}<dd>{escape(told, quote=False)}")
    title = f"<h2 id=notes>{word('note.title', 'Notes')}</h2>"
    return f"<section>{title}<dl class=notes>{''.join(blocks)}</dl></section>" if blocks else ""
