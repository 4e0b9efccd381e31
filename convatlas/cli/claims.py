"""Printed claims beside what is measured, as `show` and `verify` print them; and verify."""

from collections import Counter

from convatlas.claim import CELLS
from convatlas.cli.printing import (
    counting,
    is_narrow,
    open_console,
    plain_table,
    plural,
    print_json,
)

COLOURS = {"holds": "green", "counted otherwise": "green", "fails": "bold red"}
OTHER_COLOUR = "yellow"


def verify(name: str | None = None, *, json: bool = False) -> int:
    """Measure every printed number again, and compare layers and function with those recorded: one
    network's, or all. Exit code 1 if one fails.

    Parameters
    ----------
    name: str
        A name from `convatlas list`; without one, all networks.
    json: bool
        Print JSON.
    """
    from dataclasses import asdict

    from convatlas.held import held
    from convatlas.verification import ledger
    from convatlas.verification import verify as measure

    with counting("networks measured") as progress:
        verdicts = measure(name, progress)
    with counting("networks compared with their records") as progress:
        kept = held(name, progress)
    count = ledger(verdicts)
    claims = [
        (
            v.network,
            asdict(v.claim) | {"measured": v.measured, "status": v.status, "reason": v.reason},
        )
        for v in verdicts
    ]
    if json:
        listed = [{"network": network} | claim for network, claim in claims]
        recorded = [asdict(each) for each in kept]
        counted = asdict(count) | {"fails": count.fails}
        print_json({"ledger": counted, "claims": listed, "recorded": recorded})
    else:
        _print(name, claims, count, kept)
    return int(count.fails > 0 or any(each.difference for each in kept))


def _print(name: str | None, claims: list[tuple[str, dict]], count, kept: list) -> None:
    console = open_console()
    print_held(console, name, kept)
    if name and claims:
        print_claims(console, [claim for _, claim in claims])
    print_remarks(console, [pair for pair in claims if pair[1]["remark"]])
    for network, claim in claims:
        if claim["status"] == "fails":
            console.print(
                f"FAILS  {network}: {_sentence(claim)}: {claim['reason']}", style="bold red"
            )
    of = (
        f"of {name}"
        if name
        else f"of {plural(count.papers, 'paper')}, {plural(count.networks, 'network')}"
    )
    console.print(f"{plural(count.claims, 'claim')} {of}: {tally(count.own)}", style="bold")
    if count.others:
        console.print(f"{sum(count.others.values())} by others: {tally(count.others)}")


def tally(statuses: dict[str, int]) -> str:
    """How many hold, how many have which remark, how many fail."""
    rest = {kind: count for kind, count in statuses.items() if kind not in ("holds", "fails")}
    parts = [f"{statuses.get('holds', 0)} hold"]
    parts += [f"{count} {kind}" for kind, count in sorted(rest.items())]
    return ", ".join([*parts, f"{statuses.get('fails', 0)} fail"])


def print_held(console, name: str | None, kept: list) -> None:
    """Whether layers, graph and function are as recorded: a line for one network, one for all, and
    one for each difference.
    """
    same = [each for each in kept if not each.difference and (name or each.compared)]
    if same and name:
        console.print("; ".join(map(str, same)))
    elif same:
        console.print(f"layers, graphs and functions: {len(same)} of {len(kept)} as recorded")
    for each in kept:
        if each.difference:
            console.print(f"FAILS  {each}", style="bold red")


def print_claims(console, claims: list[dict]) -> None:
    """Each claim beside the measured value, as lines where a table is too wide; the cells of a
    printed table that hold as one line.
    """
    cells = [c for c in claims if c["quantity"] in CELLS and c["status"] == "holds"]
    claims = [claim for claim in claims if claim not in cells]
    _print_each(console, claims)
    for source, count in Counter(map(_place, cells)).items():
        console.print(f"{plural(count, 'cell')} printed in {source}: all hold")


def _print_each(console, claims: list[dict]) -> None:
    if is_narrow(console):
        for claim in claims:
            console.print(f"{claim['status']:<17}  {_sentence(claim)}", style=_style(claim))
        return
    from rich.text import Text

    table = plain_table(
        "claim", "printed", "measured", "", "source", right=("printed", "measured", "")
    )
    above = ""
    for claim in claims:
        status = Text(claim["status"], style=_style(claim) or COLOURS["holds"])
        source = '"' if _place(claim) == above else _place(claim)
        table.add_row(_what(claim), claim["printed"], claim["measured"], status, source)
        above = _place(claim)
    console.print(table)


def print_remarks(console, remarked: list[tuple[str, dict]]) -> None:
    """Each claim that does not hold by the usual count, with the reason: (network, claim)."""
    from rich.padding import Padding

    console.print()
    for network, claim in remarked:
        kind = claim["remark"]["kind"]
        console.print(
            f"{kind}  {network}: {_sentence(claim)}", style=COLOURS.get(kind, OTHER_COLOUR)
        )
        console.print(Padding(claim["remark"]["why"], (0, 0, 0, 9)))
    if remarked:
        console.print()


def _style(claim: dict) -> str:
    return "" if claim["status"] == "holds" else COLOURS.get(claim["status"], OTHER_COLOUR)


def _place(claim: dict) -> str:
    """Where it is printed, and by whom where that is not the paper itself."""
    by = claim["by"] and f"{claim['by']}, "
    return by + claim["source"]


def _what(claim: dict) -> str:
    of, at = claim["part"] and f" of {claim['part']}", claim["at"] and f" at {claim['at']}"
    times = claim["than"] and f", times fewer than {claim['than']}"
    return claim["quantity"] + of + at + times


def _sentence(claim: dict) -> str:
    return (
        f"{_what(claim)}, printed {claim['printed']}, measured {claim['measured'] or 'nothing'} "
        f"({_place(claim)})"
    )
