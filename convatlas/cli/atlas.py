"""list, show and verify: what the atlas knows of its networks, printed. list and show never import
torch.
"""

import sys
from itertools import groupby

from convatlas import registry
from convatlas.cli.printing import Phrase, by, open_console, plain_table, plural, print_json, short

COUNTED = (
    "Counted: all weights, biases and scales, no running statistics; multiply-adds (MACs) of "
    "convolutions and linear layers for one image. fvcore, thop and ptflops add batch norm, "
    "pooling or activations; FLOPs are 2 x MACs."
)
FIGURES = ("output", "params", "MACs", "receptive field")
NOTES = {
    "introduced": "introduced",
    "left open": "silent",
    "departs": "departs",
    "others": "elsewhere",
    "recipe": "recipe",
    "results": "results",
}  # how a field of the paper is called -> the field


def list_(
    pattern: str = "*",
    *,
    family: str | None = None,
    year: int | None = None,
    max_params: float | None = None,
    json: bool = False,
) -> int:
    """List the networks, by paper.

    Parameters
    ----------
    pattern: str
        A wildcard over names, such as "resnet*".
    family: str
        The file in convatlas/nets, such as resnet_cifar.
    year: int
        The year of the paper.
    max_params: float
        No more parameters than this, such as 5e6.
    json: bool
        Print JSON.
    """
    _say_if_stale()
    found = {
        name: registry.stored_facts()[name]
        for name in registry.list_models(pattern, family, year, max_params)
    }
    if json:
        return print_json(
            [
                {"name": name, "year": facts["paper"]["year"], "title": facts["paper"]["title"]}
                | {key: facts[key] for key in ("family", "params", "macs", "input_size")}
                for name, facts in found.items()
            ]
        )
    console = open_console()
    width = max(map(len, found), default=0)
    papers = sorted(found.items(), key=lambda item: _paper(item[1]))
    for (year_, title), networks in groupby(papers, key=lambda item: _paper(item[1])):
        console.print(f"{year_}  {title}", style="bold")
        for name, facts in networks:
            params, macs = short(facts["params"]), short(facts["macs"])
            console.print(
                f"      {name:<{width}}  {params:>7} params  {macs:>7} MACs  "
                f"{by(facts['input_size'])}"
            )
    count = len({_paper(facts) for facts in found.values()})
    console.print(
        (
            f"{plural(len(found), 'network')} of {plural(count, 'paper')}; convatlas show NAME "
            "tells more"
        ),
        style="dim",
    )
    return 0


def show(name: str, *, layers: bool = False, json: bool = False) -> int:
    """Show a network: its paper, counts, claims beside measured values, and layers.

    Parameters
    ----------
    name: str
        A name from `convatlas list`.
    layers: bool
        Every layer on its own line, unfolded.
    json: bool
        Print JSON; with --layers, the layer table too.
    """
    facts = registry.describe(name)
    _say_if_stale()
    if json:
        return print_json({key: value for key, value in facts.items() if layers or key != "layers"})
    console = open_console()
    _print_paper(console, name, facts)
    if facts["claims"]:
        console.print(_claims_table(facts["claims"]))
        _print_errata(console, [(name, claim) for claim in facts["claims"] if claim["erratum"]])
    console.print(_all_layers(facts["layers"]) if layers else _folded_layers(facts["layers"]))
    console.print(
        "\nreceptive field: the side, in pixels, of what one output sees, borders not clipped",
        style="dim",
    )
    return 0


def verify(name: str | None = None, *, json: bool = False) -> int:
    """Measure every printed claim again: one network's, or all. Exit code 1 if one fails.

    Parameters
    ----------
    name: str
        A name from `convatlas list`; without one, all networks.
    json: bool
        Print JSON.
    """
    from dataclasses import asdict

    from convatlas.verification import ledger
    from convatlas.verification import verify as measure

    verdicts = measure(name)
    count = ledger(verdicts)
    claims = [
        (
            v.network,
            asdict(v.claim) | {"measured": v.measured, "status": v.status, "reason": v.reason},
        )
        for v in verdicts
    ]
    if json:
        print_json(
            {
                "ledger": asdict(count),
                "claims": [{"network": network} | claim for network, claim in claims],
            }
        )
        return int(count.fails > 0)
    console = open_console()
    if name and claims:
        console.print(_claims_table([claim for _, claim in claims]))
    _print_errata(console, [pair for pair in claims if pair[1]["status"] == "erratum"])
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
    return int(count.fails > 0)


def _say_if_stale() -> None:
    """To contributors: what is printed comes from an index that their edits have outrun."""
    if outdated := registry.stale():
        print(f"convatlas: {outdated}", file=sys.stderr)


def _print_paper(console, name: str, facts: dict) -> None:
    from rich.table import Table

    paper = facts["paper"]
    console.print(name, style="bold cyan")
    console.print(paper["title"], style="bold")
    arxiv = paper["arxiv"] and f"arXiv:{paper['arxiv']}"
    where = (paper["authors"], f"{paper['venue']} {paper['year']}".strip(), arxiv, paper["code"])
    console.print("; ".join(filter(None, where)))
    console.print()
    idle = f" ({facts['idle']:,} of them in heads that only train)" if facts["idle"] else ""
    console.print(
        (
            f"{facts['params']:,} parameters{idle}, {facts['macs']:,} MACs, {facts['depth']} "
            "layers deep"
        ),
        style="bold",
    )
    console.print(
        f"reads {by(facts['input_size'])}, tells "
        f"{plural(facts['num_classes'], 'class', 'classes')} apart"
    )
    console.print(COUNTED, style="dim")
    console.print()
    notes = Table.grid(padding=(0, 2, 0, 0))
    notes.add_column(style="bold", no_wrap=True)
    notes.add_column()
    for label, key in NOTES.items():
        if paper[key]:
            notes.add_row(label, paper[key])
    console.print(notes)
    console.print()


def _claims_table(claims: list[dict]):
    from rich.text import Text

    table = plain_table(
        "claim", "printed", "measured", "", "source", right=("printed", "measured", "")
    )
    colours, above = {"holds": "green", "erratum": "yellow", "fails": "bold red"}, ""
    for claim in claims:
        status = Text(claim["status"], style=colours[claim["status"]])
        source = '"' if claim["source"] == above else claim["source"]
        table.add_row(_what(claim), claim["printed"], claim["measured"], status, source)
        above = claim["source"]
    return table


def _print_errata(console, errata: list[tuple[str, dict]]) -> None:
    from rich.padding import Padding

    console.print()
    for network, claim in errata:
        console.print(f"erratum  {network}: {_sentence(claim)}", style="yellow")
        console.print(Padding(claim["erratum"], (0, 0, 0, 9)))
    if errata:
        console.print()


def _folded_layers(layers: dict):
    from convatlas.anatomy import Layer, fold

    table = plain_table(
        "layer", "", "made of", "output", "params", "MACs", "receptive field", right=("", *FIGURES)
    )
    for line in fold(map(Layer.from_row, layers["rows"]), layers["ends"]):
        repeats = f"x{line.repeats}" if line.repeats > 1 else ""
        made_of = Phrase(line.made_of)
        style = "" if line.indent else "bold"
        table.add_row(
            "  " * line.indent + line.name, repeats, made_of, *_figures(line), style=style
        )
    return table


def _all_layers(layers: dict):
    from convatlas.anatomy import Layer
    from convatlas.anatomy.table import window_text

    table = plain_table("layer", "kind", *FIGURES, right=FIGURES)
    for stage, group in groupby(
        map(Layer.from_row, layers["rows"]), key=lambda row: row.name.partition(".")[0]
    ):
        rows = list(group)
        if rows[0].name != stage:
            table.add_row(stage, style="bold")
        for row in rows:
            inside = row.name.partition(".")[2]
            table.add_row(
                f"  {inside}" if inside else stage,
                f"{row.kind} {window_text(row)}",
                *_figures(row),
                style="" if inside else "bold",
            )
    return table


def _figures(line) -> tuple[str, ...]:
    """The cells under FIGURES, of a layer or a folded line; what is nothing stays empty."""
    return (
        by(line.output),
        f"{line.params:,}" if line.params else "",
        short(line.macs) if line.macs else "",
        str(line.receptive_field or ""),
    )


def _what(claim: dict) -> str:
    of, at = claim["part"] and f" of {claim['part']}", claim["at"] and f" at {claim['at']}"
    return claim["quantity"] + of + at


def _sentence(claim: dict) -> str:
    return (
        f"{_what(claim)}, printed {claim['printed']}, measured {claim['measured'] or 'nothing'} "
        f"({claim['source']})"
    )


def _paper(facts: dict) -> tuple[int, str]:
    return facts["paper"]["year"], facts["paper"]["title"]
