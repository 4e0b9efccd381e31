"""The printed numbers on a paper's page: its own apart from what others print, and every remark."""

from collections import Counter
from collections.abc import Callable

from convatlas.claim import CELLS, COUNTED_OTHERWISE, MISPRINT, NOT_EXPLAINED, WITHIN_ONE_UNIT
from convatlas.claim_sources import KINDS, RELEASE, SOURCES
from convatlas.pages.markdown import code, item, link, paragraph, plain, table
from convatlas.pages.works import Work, together

WORDS = {"params": "parameters", "macs": "multiply-adds"}
REMARKS = {  # in this order -> heading, what it means
    MISPRINT: ("Misprints and contradictions", "cannot be right"),
    COUNTED_OTHERWISE: ("Counted otherwise", "hold by another way of counting"),
    WITHIN_ONE_UNIT: ("Within one unit", "are off by more than half a unit and at most one"),
    NOT_EXPLAINED: ("Not explained", "are not what we measure, and we do not know why"),
}
Printed = tuple[str, dict]  # a network's name, and a claim of it


def quantity(claim: dict) -> str:
    """ "parameters of `conv1` at 160x160" """
    what = WORDS.get(claim["quantity"], claim["quantity"])
    of, at = claim["part"] and f" of {code(claim['part'])}", claim["at"] and f" at {claim['at']}"
    return what + of + at


def place(claim: dict) -> str:
    """Where it is printed, and by whom where that is not the paper itself."""
    by = "" if claim["by"] == RELEASE else claim["by"]
    return plain(f"{by}, {claim['source']}" if by else claim["source"])


def beside(name: str, claim: dict) -> str:
    """What is printed and what is measured, with its place."""
    return (
        f"{code(name)}, {quantity(claim)}: printed {claim['printed']}, measured "
        f"{claim['measured']} ({place(claim)})"
    )


def remarked(claims: list[Printed], kind: str) -> list[str]:
    """An entry for each remark of a kind; where several claims share a reason, the reason once."""
    reasons: dict[str, list[Printed]] = {}
    for name, claim in claims:
        if claim["status"] == kind:
            reasons.setdefault(claim["remark"]["why"], []).append((name, claim))
    return [
        item("; ".join(beside(name, claim) for name, claim in same) + f". {plain(reason)}")
        for reason, same in reasons.items()
    ]


def sections(work: Work) -> list[str]:
    """What the paper prints, what others print, and the remarks on both."""
    claims = list(work.claims())
    own = [pair for pair in claims if not pair[1]["by"]]
    others = [pair for pair in claims if pair[1]["by"]]
    blocks = ["## What the paper prints", *_claims(own)] if own else []
    if others:
        blocks.append("## What others print")
        for kind, heading in KINDS.items():
            theirs = [pair for pair in others if SOURCES[pair[1]["by"]].kind == kind]
            if theirs:
                blocks += [f"### {heading}", _addresses(work, theirs), *_claims(theirs)]
    for kind, (heading, _) in REMARKS.items():
        if entries := remarked(claims, kind):
            blocks += [f"## {heading}", "\n".join(entries)]
    return blocks


def tally(claims: list[Printed]) -> str:
    """ "Printed numbers: 7. Hold: 6. Misprint: 1." """
    count = Counter(claim["status"] for _, claim in claims)
    parts = [f"Printed numbers: {count.total()}", f"Hold: {count['holds']}"]
    parts += [f"{kind.capitalize()}: {count[kind]}" for kind in (*REMARKS, "fails") if count[kind]]
    return ". ".join(parts).replace("Fails", "Fail") + "."


def release(text: str) -> str:
    """A link to the authors' code, as the record of a paper gives it: an address, and a path."""
    address, _, path = text.partition(" ")
    return f"{link(plain(address), f'https://{address}')} {plain(path)}".strip()


def _addresses(work: Work, claims: list[Printed]) -> str:
    """Where each of them can be read."""
    names = dict.fromkeys(claim["by"] for _, claim in claims)
    if RELEASE in names:
        codes = dict.fromkeys(work.networks[name]["paper"]["code"] for name, _ in claims)
        return paragraph("; ".join(map(release, codes)) + ".")
    links = (link(plain(SOURCES[by].title), SOURCES[by].address) for by in names)
    return paragraph("; ".join(links) + ".")


def _claims(claims: list[Printed]) -> list[str]:
    cells = [pair for pair in claims if pair[1]["quantity"] in CELLS]
    sizes = [pair for pair in claims if pair[1]["quantity"] == "size"]
    numbers = [pair for pair in claims if pair[1]["quantity"] not in (*CELLS, "size")]
    return [
        tally(claims),
        _numbers(numbers) if numbers else "",
        _columns("Sizes:", sizes, _size_of),
        _columns("Cells of the tables:", cells, _cell_of),
    ]


def _numbers(claims: list[Printed]) -> str:
    rows = [
        (
            code(name),
            quantity(claim),
            claim["printed"],
            claim["measured"],
            claim["status"],
            place(claim),
        )
        for name, claim in claims
    ]
    return table(
        {
            "network": "left",
            "what": "left",
            "printed": "right",
            "measured": "right",
            "": "left",
            "place": "left",
        },
        rows,
    )


def _columns(heading: str, claims: list[Printed], told: Callable[[list[Printed]], str]) -> str:
    """A line for each printed column; networks that share all of it share the line."""
    columns: dict[str, list[str]] = {}
    for name in dict.fromkeys(name for name, _ in claims):
        own = [(of, claim) for of, claim in claims if of == name]
        for first, same in together(own, "by", "source"):
            columns.setdefault(f"{told(same)} ({place(first)})", []).append(code(name))
    lines = [item(f"{', '.join(names)}: {line}") for line, names in columns.items()]
    return "\n".join([f"{heading}\n", *lines]) if lines else ""


def _size_of(same: list[Printed]) -> str:
    return ", ".join(f"{code(claim['part'])} {measured_beside(claim)}" for _, claim in same)


def _cell_of(same: list[Printed]) -> str:
    """ "`conv1` kernel 7x7, filters 64; `pool1` kernel 3x3" """
    return "; ".join(
        f"{code(first['part'] or 'all')} "
        + ", ".join(f"{claim['quantity']} {measured_beside(claim)}" for _, claim in row)
        for first, row in together(same, "part")
    )


def measured_beside(claim: dict) -> str:
    """The printed number, with the measured one where it is another."""
    printed = claim["printed"]
    printed += f" at {claim['at']}" if claim["at"] else ""
    return (
        printed
        if claim["status"] == "holds"
        else f"{printed} (measured {claim['measured'] or 'nothing'})"
    )
