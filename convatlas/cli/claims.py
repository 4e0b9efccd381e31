"""Printed claims beside what is measured, as `show` and `verify` print them; and verify."""

from convatlas.cli.printing import (
    counting,
    is_narrow,
    open_console,
    plain_table,
    plural,
    print_json,
)

COLOURS = {"holds": "green", "erratum": "yellow", "fails": "bold red"}


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
        print_json({"ledger": asdict(count), "claims": listed, "recorded": recorded})
    else:
        _print(name, claims, count, kept)
    return int(count.fails > 0 or any(each.difference for each in kept))


def _print(name: str | None, claims: list[tuple[str, dict]], count, kept: list) -> None:
    console = open_console()
    print_held(console, name, kept)
    if name and claims:
        print_claims(console, [claim for _, claim in claims])
    print_errata(console, [pair for pair in claims if pair[1]["status"] == "erratum"])
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
    console.print(
        f"{plural(count.claims, 'claim')} {of}: {count.holds} hold, {count.errata} are errata with "
        f"their reason, {count.fails} fail",
        style="bold",
    )


def print_held(console, name: str | None, kept: list) -> None:
    """Whether layers and function are as recorded: a line for one network, one for all, and one for
    each difference.
    """
    same = [each for each in kept if not each.difference and (name or each.compared)]
    if same and name:
        console.print("; ".join(map(str, same)))
    elif same:
        console.print(f"layers and functions: {len(same)} of {len(kept)} as recorded")
    for each in kept:
        if each.difference:
            console.print(f"FAILS  {each}", style="bold red")


def print_claims(console, claims: list[dict]) -> None:
    """Each claim beside the measured value; as lines where a table is too wide."""
    if is_narrow(console):
        for claim in claims:
            console.print(f"{claim['status']:<7}  {_sentence(claim)}", style=_style(claim))
        return
    from rich.text import Text

    table = plain_table(
        "claim", "printed", "measured", "", "source", right=("printed", "measured", "")
    )
    above = ""
    for claim in claims:
        status = Text(claim["status"], style=COLOURS[claim["status"]])
        source = '"' if claim["source"] == above else claim["source"]
        table.add_row(_what(claim), claim["printed"], claim["measured"], status, source)
        above = claim["source"]
    console.print(table)


def print_errata(console, errata: list[tuple[str, dict]]) -> None:
    """Each erratum with its reason: (network, claim)."""
    from rich.padding import Padding

    console.print()
    for network, claim in errata:
        console.print(f"erratum  {network}: {_sentence(claim)}", style="yellow")
        console.print(Padding(claim["erratum"], (0, 0, 0, 9)))
    if errata:
        console.print()


def _style(claim: dict) -> str:
    return "" if claim["status"] == "holds" else COLOURS[claim["status"]]


def _what(claim: dict) -> str:
    of, at = claim["part"] and f" of {claim['part']}", claim["at"] and f" at {claim['at']}"
    return claim["quantity"] + of + at


def _sentence(claim: dict) -> str:
    return (
        f"{_what(claim)}, printed {claim['printed']}, measured {claim['measured'] or 'nothing'} "
        f"({claim['source']})"
    )
