"""The guided tours: Markdown of docs/tours, as pages whose links move a drawing beside the text.

In a tour a link is ordinary Markdown, right wherever it is read, and its title is an address in
the atlas: `[conv3_x](../papers/resnet.md "resnet50#conv3_x.0")`. An address is a network,
`NETWORK#UNIT`, `A..B` for what sets two apart, or `NETWORK#claim:QUANTITY of PART, SOURCE`, the
last two where they are needed to tell one printed number from another.
"""

import re
from collections.abc import Callable
from functools import partial
from html import escape, unescape
from pathlib import Path
from typing import NamedTuple

from convatlas import registry
from convatlas.errors import InputError
from convatlas.explorer import frame, pictures

HOMES = (  # in an installed copy; in a checkout
    Path(__file__).parent / "tours_text",
    Path(__file__).parents[2] / "docs" / "tours",
)
FOLDERS = {"en": "", "zh": "zh/"}
OWN_NAME = {"en": "English", "zh": "中文"}
EVERY = {"en": "All tours", "zh": "全部导览"}
ADDRESS = re.compile(r"[a-z0-9_]+(\.\.[a-z0-9_]+|#.+)?")


class Tour(NamedTuple):
    name: str  # of its file
    title: str
    summary: str  # its first paragraph, as plain text
    body: str  # HTML, without the title


def files() -> dict[str, Callable[[], bytes]]:
    """A page for each tour and each list of them, in every language; none without the texts."""
    return {
        f"tours/{folder}{'index' if name == 'README' else name}.html": partial(page, name, language)
        for language, folder in FOLDERS.items()
        for name in ("README", *names(language))
    }


def home() -> Path:
    """Where the texts lie.  InputError where they lie nowhere."""
    for folder in HOMES:
        if (folder / "README.md").is_file():
            return folder
    raise InputError(
        f"the texts of the tours are not in {HOMES[0]}; `pip install --force-reinstall convatlas` "
        "brings them back"
    )


def names(language: str = "en") -> list[str]:
    """The tours in the order of their list, README.md."""
    listed = text("README", language)
    return list(dict.fromkeys(re.findall(r"\]\(([a-z0-9_]+)\.md\)", listed)))


def text(name: str, language: str = "en") -> str:
    """The Markdown of a tour."""
    return (home() / FOLDERS[language] / f"{name}.md").read_text(encoding="utf-8")


def tour(name: str, language: str = "en") -> Tour:
    """A tour, its addresses turned into links from its page."""
    where = f"tours/{FOLDERS[language]}{name}.html"
    html = _html(text(name, language), frame.up(where))
    title, _, body = html.removeprefix("<h1>").partition("</h1>")
    first = re.search(r"<p>(.*?)</p>", body, re.DOTALL)
    summary = unescape(re.sub(r"<[^>]*>", "", first[1])).replace("\n", " ") if first else ""
    return Tour(name, unescape(title), summary, body.strip())


def page(name: str, language: str) -> bytes:
    """A tour as a page of the site: the text, and a place for what its links show."""
    where = f"tours/{FOLDERS[language]}{'index' if name == 'README' else name}.html"
    found = tour(name, language)
    beside = "" if name == "README" else "<aside class=shown aria-live=polite></aside>"
    body = (
        f"<article class=tour lang={language}>{_way(where, language)}<div class=two>"
        f"<div class=told><h1>{escape(found.title)}</h1>{found.body}</div>{beside}</div></article>"
    )
    return frame.page(
        where,
        found.title,
        body,
        description=found.summary,
        module="tours/page.js",
        styles=(pictures.SHEET, "tours/tours.css"),
        language=language,
    )


def _way(where: str, language: str) -> str:
    """To all tours, and to the same page in the other language."""
    other = "zh" if language == "en" else "en"
    file = where.rpartition("/")[2]
    twin = f"{frame.up(where)}tours/{FOLDERS[other]}{file}"
    back = "" if file == "index.html" else f'<a href="index.html">{EVERY[language]}</a> · '
    name = OWN_NAME[other]
    return f'<p class=way>{back}<a href="{twin}" hreflang={other} lang={other}>{name}</a></p>'


def _html(markdown: str, root: str) -> str:
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark").enable("table")
    tokens = reader.parse(markdown)
    for token in tokens:
        for inner in token.children or ():
            if inner.type == "link_open":
                _point(inner, root)
    return reader.renderer.render(tokens, reader.options, {})


def _point(link, root: str) -> None:
    """Turns a link of the Markdown into one of the site. A document that is no page of the site
    stays as text, with its path: where documents and atlas stand side by side it becomes a link.
    """
    target, address = link.attrs["href"], link.attrs.pop("title", "")
    if address:
        link.attrs["href"] = href(root, address)
        if ".." not in address:
            link.attrs["data-address"] = resolved(address)
    elif target.startswith(("../papers/", "../../papers/")):
        link.attrs["href"] = target.replace(".md", ".html")
    elif target == "../README.md":  # of a list in another language
        link.attrs["href"] = "../index.html"
    elif target.startswith("../") and target.endswith(".md"):
        del link.attrs["href"]
        link.attrs["data-document"] = f"docs/{target.lstrip('./')}"
    else:
        link.attrs["href"] = target.replace("README.md", "index.html").replace(".md", ".html")


def resolved(address: str) -> str:
    """An address with its printed number counted: "lenet5#claim:params" -> "lenet5#claim-1".

    ValueError, naming it, for an address of no network or no such number.
    """
    name, _, place = address.partition("#")
    if not ADDRESS.fullmatch(address):
        raise ValueError(f"{address!r} is no address")
    for each in name.split(".."):
        registry.require(each, registry.stored_facts())
    if not place.startswith("claim:"):
        return address
    return f"{name}#claim-{_number(name, place.removeprefix('claim:'))}"


def _number(name: str, wanted: str) -> int:
    """The place, from 1, of a printed number; one that does not hold goes before one that does."""
    claims = registry.stored_facts()[name]["claims"]
    found = [
        (claim["status"] == "holds", number)
        for number, claim in enumerate(claims, 1)
        if wanted in _names(claim)
    ]
    if not found:
        raise ValueError(f"{name} has no printed number called {wanted!r}")
    return min(found)[1]


def _names(claim: dict) -> set[str]:
    """What a printed number may be called: with the place in the text, or its beginning, or not."""
    what = f"{claim['quantity']} of {claim['part']}" if claim["part"] else claim["quantity"]
    source = claim["source"]
    ends = [n for n in range(1, len(source) + 1) if source[n : n + 1] in ("", " ", ",", ":")]
    return {what} | {f"{what}, {source[:n]}" for n in ends}


def href(root: str, address: str) -> str:
    """The link to an address, from a page whose way to the atlas's root is `root`."""
    name, _, place = resolved(address).partition("#")
    if ".." in name:
        first, _, second = name.partition("..")
        return f"{root}diff.html?a={first}&b={second}"
    return f"{root}networks/{name}.html" + (f"#{place}" if place else "")
