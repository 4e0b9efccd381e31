"""Every number that is printed of a network, with what it measures: one address each."""

from collections.abc import Collection, Iterator
from html import escape
from itertools import groupby

from convatlas.claim_sources import RELEASE, SOURCES
from convatlas.explorer.frame import word

WORDS = {"params": "parameters", "macs": "multiply-adds"}
Numbered = tuple[int, dict]  # from 1, in the order of the index


def printed(claims: list[dict], units: Collection[str]) -> str:
    """The section of a network's page; nothing where nothing is printed. `units` have rows in the
    table of the page, to which a claim of one leads.
    """
    if not claims:
        return ""
    blocks = "".join(_block(same, units) for same in _together(claims))
    hold = sum(claim["status"] == "holds" for claim in claims)
    return (
        f"<section class=claims><h2 id=claims>{word('claims.title', 'What is printed')}</h2>"
        f"<p>{word('claims.hold', 'Printed numbers that hold')}: {hold} / {len(claims)}. "
        f"{word('claims.legend', '✓ holds; the others say what is measured, and why.')}"
        f"<dl>{blocks}</dl></section>"
    )


def _together(claims: list[dict]) -> Iterator[list[Numbered]]:
    """Neighbours of one place and one quantity."""
    numbered = list(enumerate(claims, 1))
    for _, group in groupby(numbered, key=lambda pair: (*_place(pair[1]), pair[1]["quantity"])):
        yield list(group)


def _place(claim: dict) -> tuple[str, str]:
    return claim["by"], claim["source"]


def _block(same: list[Numbered], units: Collection[str]) -> str:
    """One place of one text: the quantity, and its numbers."""
    first = same[0][1]
    what = escape(WORDS.get(first["quantity"], first["quantity"]), quote=False)
    whose = first["by"] and f"{_whose(first['by'])}, "
    whys = dict.fromkeys(claim["remark"]["why"] for _, claim in same if claim["remark"])
    told = "".join(f"<p class=why>{escape(why, quote=False)}" for why in whys)
    return (
        f"<dt>{what} <small>{whose}{escape(first['source'], quote=False)}</small>"
        f"<dd>{' '.join(_item(*each, units) for each in same)}{told}"
    )


def _whose(by: str) -> str:
    if by == RELEASE:
        return "release"
    return f'<a href="{escape(SOURCES[by].address)}">{escape(by, quote=False)}</a>'


def _item(number: int, claim: dict, units: Collection[str]) -> str:
    """ "conv1 112x112 ✓" """
    part, than = claim["part"], claim["than"]
    of = f"<a href=#{part}>{part}</a> " if _has_row(part, units) else f"{part} " if part else ""
    at = f" <small>{escape(claim['at'], quote=False)}</small>" if claim["at"] else ""
    times = f' <small>÷ <a href="{than}.html">{than}</a></small>' if than else ""
    value = escape(claim["printed"], quote=False)
    if claim["status"] == "holds":
        return f"<span id=claim-{number}>{of}{value}{at}{times} ✓</span>"
    measured = escape(claim["measured"] or "nothing", quote=False)
    return (
        f"<span id=claim-{number} class=odd>{of}<s>{value}</s> {measured}{at}{times} "
        f"<i>{claim['status']}</i></span>"
    )


def _has_row(part: str, units: Collection[str]) -> bool:
    """Whether the unit, or one around it, stands in the table."""
    return any(part.rsplit(".", n)[0] in units for n in range(part.count(".") + 1))
