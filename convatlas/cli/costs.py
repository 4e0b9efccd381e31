"""cost: where the cost of networks goes, printed. Does without torch."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from convatlas import registry
from convatlas.anatomy.table import by
from convatlas.cli.printing import (
    NARROW,
    Phrase,
    open_console,
    paragraph,
    plain_table,
    print_json,
)
from convatlas.magnitude import short

if TYPE_CHECKING:
    from convatlas.anatomy.cost import Cost
    from convatlas.anatomy.spending import Share

SMALL = 0.01  # kinds of layer below such a share of everything are told together, side by side
REST = "rest"
WHAT = {"macs": "multiply-adds", "params": "parameters", "values": "values of maps"}
NOTE = (
    "for one image in evaluation, without auxiliary heads; maps: the values that layers write; "
    "grouped: in groups of channels, depthwise: every channel by itself"
)


def cost(
    name: str,
    *others: str,
    size: str | None = None,
    guidelines: bool = False,
    json: bool = False,
) -> int:
    """Show where the cost of networks goes: multiply-adds, parameters and maps, by stage and by
    kind of layer, with shares; what it comes to in words; the most that must be held at a time.

    Parameters
    ----------
    name: str
        A name from `convatlas list`, or FILE.py:NAME or FILE.py:NAME(arguments), whose code is run.
    others: str
        More of them: the shares are printed side by side.
    size: str
        Of the image: 224, 3x224x224 or 1x28x28 [what each network states; code that states none,
        the first usual size that it runs on].
    guidelines: bool
        What the four guidelines for fast networks (ShuffleNetV2, Sec. 2) say of each: memory access
        cost, with the formulas.
    json: bool
        Print JSON, a list.
    """
    found = _found(dict.fromkeys((name, *others)), size)
    if json:
        return print_json([each.to_record() for each in found])
    console = open_console()
    if guidelines:
        from convatlas.cli.four_guidelines import tell

        tell(console, found)
    elif len(found) == 1:
        _tell(console, found[0])
    else:
        _tell_beside(console, found)
    return 0


def _found(names: Iterable[str], size: str | None) -> list["Cost"]:
    """All of them; a name that is none is said before anything is counted."""
    for name in names:
        if not _is_code(name):
            registry.require(name, registry.stored_facts())
    return [_cost_of(name, size) for name in names]


def _is_code(word: str) -> bool:
    return ".py" in word or ":" in word


def _cost_of(word: str, size: str | None) -> "Cost":
    from convatlas.costing import cost as cost_of

    if _is_code(word):
        from convatlas.cli.code import module_at, size_of

        net = module_at(word, "cost")
        return cost_of(net, size_of(net, size))
    if size is None:
        return cost_of(word)
    from convatlas.cli.identifying import sizes_asked

    channels = registry.stored_facts()[word]["input_size"][0]
    asked = sizes_asked(size)
    return cost_of(word, next((each for each in asked if each[0] == channels), asked[0]))


def _tell(console, cost: "Cost") -> None:
    whole = cost.total
    console.print(f"{cost.network}, input {by(cost.input_size)}", style="bold cyan")
    console.print(
        f"{whole.params:,} parameters, {whole.macs:,} MACs, {short(whole.values)} values of maps",
        style="bold",
    )
    console.print()
    paragraph(console, cost.words)
    console.print()
    console.print(_shares(console, "kind of layer", cost.kinds, whole))
    console.print()
    console.print(_shares(console, "stage", cost.stages, whole, output=True))
    console.print("\n" + NOTE, style="dim")


def _shares(console, title: str, shares: Sequence["Share"], whole: "Share", output: bool = False):
    """A line for each share; on a narrow terminal without the absolute figures."""
    wide = console.width >= NARROW
    headings = []
    for heading in ("MACs", "params", "maps"):
        headings += [heading, f"{heading} %"] if wide else [f"{heading} %"]
    last = ("output",) if output and wide else ("calls",) if wide else ()
    table = plain_table(title, *headings, *last, right=(*headings, *last))
    for share in shares:
        cells = []
        for of in WHAT:
            value, all_of = getattr(share, of), getattr(whole, of)
            cells += [short(value) if value else ""] if wide else []
            cells.append(_percent(value, all_of))
        end = (by(share.output),) if output else (str(share.boxes),)
        table.add_row(share.name or "(between)", *cells, *(end if wide else ()))
    return table


def _percent(part: int, whole: int) -> str:
    """Empty for nothing."""
    return f"{100 * part / whole:.1f}" if part else ""


def _tell_beside(console, found: list["Cost"]) -> None:
    for cost in found:
        console.print(cost.network, style="bold")
        paragraph(console, cost.words)
        console.print()
    from convatlas.anatomy.cost_words import beside

    for other in found[1:]:
        paragraph(console, beside(found[0], other))
    for of, what in WHAT.items():
        console.print()
        console.print(_beside(found, of, what))
    console.print("\nin percent of each network's own; " + NOTE, style="dim")


def _beside(found: list["Cost"], of: str, what: str):
    """A row for each kind of layer, a column for each network."""
    kinds = _kinds(found, of)
    table = plain_table(
        what, *(cost.network for cost in found), right=tuple(cost.network for cost in found)
    )
    for column, cost in zip(table.columns[1:], found, strict=True):
        column.header = Phrase(cost.network, "(?<=_)")
        column.no_wrap = False
    table.add_row("in all", *(short(getattr(cost.total, of)) for cost in found), style="bold")
    for kind in kinds:
        cells = [cost.share(kind, of) for cost in found]
        table.add_row(kind, *(f"{100 * cell:.1f}" if cell else "" for cell in cells))
    rest = [1 - sum(cost.share(kind, of) for kind in kinds) for cost in found]
    if any(cell > SMALL / 100 for cell in rest):
        table.add_row(REST, *(f"{100 * cell:.1f}" if cell > SMALL / 100 else "" for cell in rest))
    return table


def _kinds(found: list["Cost"], of: str) -> list[str]:
    """Kinds of layer that count in one of the networks at least, the heaviest first."""
    most: dict[str, float] = {}
    for cost in found:
        for share in cost.kinds:
            most[share.name] = max(most.get(share.name, 0), cost.share(share.name, of))
    return sorted((kind for kind in most if most[kind] >= SMALL), key=lambda kind: -most[kind])
