"""list and show: what the atlas knows of its networks, printed. Neither imports torch."""

from convatlas import registry
from convatlas.anatomy.table import by
from convatlas.cli.output import say_error
from convatlas.cli.printing import is_narrow, open_console, plural, print_json
from convatlas.errors import FAILED
from convatlas.magnitude import short

COUNTED = (
    "Counted: all weights, biases and scales, no running statistics; multiply-adds (MACs) of "
    "convolutions and linear layers for one image. fvcore, thop and ptflops add batch norm, "
    "pooling or activations; FLOPs are 2 x MACs."
)
NOTES = {
    "left open": "silent",
    "departs": "departs",
    "others": "elsewhere",
    "recipe": "recipe",
    "results": "results",
}  # how a field of the paper is called -> the field
WILD = "*?["
FEW = 5  # names in a sentence


def list_(
    pattern: str = "*",
    *,
    family: str | None = None,
    year: int | None = None,
    max_params: float | None = None,
    weights: bool = False,
    json: bool = False,
) -> int:
    """List the networks, by paper. Exit code 1 if there is none.

    Parameters
    ----------
    pattern: str
        A part of the name, such as resnet; a wildcard, such as 'vgg*_bn'; or else a word of the
        paper's title or authors.
    family: str
        The file in convatlas/nets, such as resnet_cifar.
    year: int
        The year of the paper.
    max_params: float
        No more parameters than this, such as 5e6.
    weights: bool
        Only those with published weights: the word for each, its input size and accuracy.
    json: bool
        Print JSON.
    """
    asked = (family, year, max_params)
    names = _matching(pattern, *asked)
    found = {name: registry.stored_facts()[name] for name in names}
    why = "" if found else _nothing(pattern, *asked)
    if registry.stale() not in why:  # an unknown name is told of it already
        _say_if_stale()
    if weights and found:
        return _list_weights(names, json)
    if json:
        print_json([_record(name, facts) for name, facts in found.items()])
    elif found:
        _print_list(found)
    if not found:
        say_error(f"convatlas: {why}")
        return FAILED
    return 0


def _list_weights(names: list[str], json: bool) -> int:
    from convatlas.cli.published import print_weights, records, with_weights

    published = with_weights(names)
    if json:
        print_json(records(published))
    elif published:
        print_weights(published)
    if published:
        return 0
    few = ", ".join(names[:FEW]) + (" and others" if len(names) > FEW else "")
    say_error(f"convatlas: neither torchvision nor timm publishes weights for {few}")
    return FAILED


def _matching(pattern: str, *asked) -> list[str]:
    """Names that fit the wildcard, or contain the word, or whose paper does."""
    if any(mark in pattern for mark in WILD):
        return registry.list_models(pattern, *asked)
    if names := registry.list_models(f"*{pattern.lower()}*", *asked):
        return names
    return [
        name
        for name in registry.list_models("*", *asked)
        if pattern.lower() in _spoken(registry.stored_facts()[name]["paper"])
    ]


def _spoken(paper: dict) -> str:
    return f"{paper['title']} {paper['authors']}".lower()


def _nothing(pattern: str, family: str | None, year: int | None, max_params: float | None) -> str:
    """Why nothing was found, and what to type instead."""
    facts = registry.stored_facts()
    families = sorted({known["family"] for known in facts.values()})
    if family is not None and family not in families:
        return f"there is no family {family!r}; there are {', '.join(families)}"
    if (year, max_params) != (None, None) or family:
        return "no network is all that; leave one of the conditions out"
    if any(mark in pattern for mark in WILD):
        return f"no name fits {pattern!r}; `convatlas list` shows them all"
    try:
        registry.require(pattern, facts)
    except registry.UnknownNetwork as error:
        return str(error)
    raise AssertionError(pattern)


def _record(name: str, facts: dict) -> dict:
    return {"name": name, "year": facts["paper"]["year"], "title": facts["paper"]["title"]} | {
        key: facts[key] for key in ("family", "params", "macs", "input_size")
    }


def _print_list(found: dict[str, dict]) -> None:
    from rich.text import Text

    from convatlas.pages.works import all_works

    console = open_console()
    row = _stacked if is_narrow(console) else _row
    width = max(map(len, found))
    lines, papers = [], 0
    if not is_narrow(console):
        lines.append(Text(f"      {'network':<{width}}   params     MACs  input", "dim"))
    for work in all_works():
        networks = {name: facts for name, facts in work.networks.items() if name in found}
        if networks:
            papers += 1
            lines.append(Text(f"{work.paper['year']}  {work.paper['title']}", "bold"))
        lines += [Text(row(name, width, facts)) for name, facts in networks.items()]
    counted = f"{plural(len(found), 'network')} of {plural(papers, 'paper')}"
    lines.append(Text(f"{counted}; convatlas show NAME tells more", "dim"))
    console.print(Text("\n").join(lines))  # one by one they take a third of the command's time


def _row(name: str, width: int, facts: dict) -> str:
    params, macs = short(facts["params"]), short(facts["macs"])
    return f"      {name:<{width}}  {params:>7}  {macs:>7}  {by(facts['input_size'])}"


def _stacked(name: str, width: int, facts: dict) -> str:
    """The same where a row is too wide."""
    params, macs = short(facts["params"]), short(facts["macs"])
    return f"  {name}\n      {params} params, {macs} MACs"


def show(name: str, *, layers: bool = False, json: bool = False) -> int:
    """Show a network: its paper, other forms, layers, and claims beside measured values.

    Parameters
    ----------
    name: str
        A name from `convatlas list`; one of timm or torchvision is answered with ours.
    layers: bool
        Every layer on its own line, unfolded.
    json: bool
        Print JSON; with --layers, the layer table too.
    """
    facts = registry.describe(name)
    _say_if_stale()
    if json:
        return print_json({key: value for key, value in facts.items() if layers or key != "layers"})
    from convatlas.cli.claims import print_claims, print_remarks
    from convatlas.cli.layers import print_layers

    console = open_console()
    _print_head(console, name, facts)
    _print_notes(console, _relations(name, facts))
    print_layers(console, facts["layers"], every_layer=layers)
    console.print()
    paper = facts["paper"]
    _print_notes(console, [(label, paper[key]) for label, key in NOTES.items() if paper[key]])
    if facts["claims"]:
        print_claims(console, facts["claims"])
        print_remarks(console, [(name, claim) for claim in facts["claims"] if claim["remark"]])
    return 0


def _say_if_stale() -> None:
    """To contributors: what is printed comes from an index that their edits have outrun."""
    if outdated := registry.stale():
        say_error(f"convatlas: {outdated}")


def _print_head(console, name: str, facts: dict) -> None:
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
        f"reads {by(facts['input_size'])}, classifies into "
        f"{plural(facts['num_classes'], 'class', 'classes')}"
    )
    console.print(COUNTED, style="dim")
    console.print()


def _relations(name: str, facts: dict) -> list[tuple[str, str]]:
    """What is new in it, its other forms, and which other networks are called so elsewhere."""
    from convatlas.elsewhere.networks import note
    from convatlas.pages.names import forms

    stored = registry.stored_facts()
    family = [other for other in stored if stored[other]["family"] == facts["family"]]
    rows = [("introduced", facts["paper"]["introduced"])]
    for what, names in forms(name, stored):
        rows.append(("other forms", f"{', '.join(names)}: {what}"))
    rows.append(("elsewhere", note(name)))
    if len(family) > 1:
        rows.append(
            ("same file", f"{len(family)} networks: convatlas list --family {facts['family']}")
        )
    return [(label, text) for label, text in rows if text]


def _print_notes(console, rows: list[tuple[str, str]]) -> None:
    """Texts beside their labels; a label that repeats the one above is left out."""
    from rich.table import Table

    notes = Table.grid(padding=(0, 2, 0, 0))
    notes.add_column(style="bold", no_wrap=True)
    notes.add_column()
    above = ""
    for label, text in rows:
        notes.add_row("" if label == above else label, text)
        above = label
    if rows:
        console.print(notes)
        console.print()
