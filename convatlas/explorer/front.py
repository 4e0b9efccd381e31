"""The first page: search, and all papers by year; data/networks.json, which every list reads."""

import json
from collections.abc import Callable
from html import escape

from convatlas import registry
from convatlas.explorer import frame
from convatlas.explorer.frame import word
from convatlas.pages.works import Work, all_works


def files() -> dict[str, Callable[[], bytes]]:
    return {"index.html": page, "data/networks.json": networks}


def networks() -> bytes:
    """[[name, page, year, params, macs, depth, input, title], ...], the title once a paper."""
    seen: set[str] = set()
    rows = []
    for name, facts in registry.stored_facts().items():
        paper = facts["paper"]
        title = "" if paper["page"] in seen else paper["title"]
        seen.add(paper["page"])
        figures = (facts["params"], facts["macs"], facts["depth"], facts["input_size"])
        rows.append([name, paper["page"], paper["year"], *figures, title])
    return json.dumps(rows, separators=(",", ":"), ensure_ascii=False).encode()


def page() -> bytes:
    works, stored = all_works(), registry.stored_facts()
    claims = [claim for facts in stored.values() for claim in facts["claims"]]
    hold = sum(claim["status"] == "holds" for claim in claims)
    years = sorted({work.paper["year"] for work in works})
    body = (
        f"<h1>{word('front.title', 'The classic convolutional networks, exactly as printed')}</h1>"
        f"<p class=idea><b>{len(stored)}</b> {word('front.networks', 'networks')}, "
        f"<b>{len(works)}</b> {word('front.papers', 'papers and releases')}, "
        f"<b>{len(claims):,}</b> {word('front.claims', 'printed numbers checked')}, "
        f"<b>{hold:,}</b> {word('front.hold', 'hold')}."
        "<div class=search id=search></div>"
        f"<div class=years>{''.join(_year(year, works) for year in years)}</div>"
    )
    return frame.page(
        "index.html",
        "convatlas",
        body,
        description=f"{len(stored)} networks from LeNet to ConvNeXt: drawn, counted, compared with "
        "their papers, alive in the page.",
        module="front.js",
    )


def _year(year: int, works: list[Work]) -> str:
    items = "".join(_work(work) for work in works if work.paper["year"] == year)
    return f"<section id=year-{year}><h2>{year}</h2><ul>{items}</ul></section>"


def _work(work: Work) -> str:
    bare = work.bare
    more = len(work.networks) - 1
    others = f" +{more}" if more else ""
    return (
        f'<li><a href="networks/{bare}.html"><b>{bare}</b></a>{others} '
        f'<a class=title href="papers/{work.page}.html">{escape(work.paper["title"], quote=False)}'
        "</a>"
        f"<small>{escape(work.paper['introduced'], quote=False)}</small>"
    )
