"""cost --guidelines: the four guidelines of ShuffleNetV2 with their formulas, and what each says of
the networks.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from convatlas.anatomy.cost_words import percent
from convatlas.anatomy.difference_words import listed
from convatlas.cli.printing import Phrase, plain_table, plural
from convatlas.magnitude import short

if TYPE_CHECKING:
    from convatlas.anatomy.cost import Cost

FORMULAS = {
    "G1": (
        "equal channel width minimises memory access cost",
        "1x1: MAC = h w (c1 + c2) + c1 c2 >= 2 sqrt(h w B) + B / (h w), where B = h w c1 c2",
    ),
    "G2": (
        "excessive group convolution increases memory access cost",
        "MAC = h w (c1 + c2) + k k c1 c2 / g; as many multiply-adds in one group give c2 / g "
        "channels",
    ),
    "G3": (
        "network fragmentation reduces the degree of parallelism",
        "fragments: convolutions and poolings in one unit",
    ),
    "G4": (
        "element-wise operations are not negligible",
        "MAC of activations, sums and other joins, and of depthwise convolutions, in all that is "
        "moved; norms left out, as engines fold them",
    ),
}
NOTE = (
    "MAC is memory access cost here: values read and written, weights among them; B multiply-adds, "
    "h x w the map that a layer gives out, c1 and c2 its channels, g its groups, k its window. "
    "docs/guidelines.md derives the formulas and has the paper's measured speeds; python -m "
    "benchmarks.guidelines measures them on this machine."
)


def tell(console, found: list["Cost"]) -> None:
    """Print each guideline, its formula and a line for each network."""
    lines = {"G1": _first, "G2": _second, "G3": _third, "G4": _fourth}
    for number, (name, formula) in FORMULAS.items():
        console.print(f"{number}: {name}", style="bold")
        console.print(formula, style="dim")
        console.print(_table(found, lines[number]))
        console.print()
    console.print(NOTE, style="dim")


def _table(found: list["Cost"], line: Callable[["Cost"], str]):
    table = plain_table("network", "", right=())
    table.show_header = False
    for cost in found:
        table.add_row(cost.network, Phrase(line(cost)))
    return table


def _first(cost: "Cost") -> str:
    told = cost.guidelines
    worst = told.least_balanced
    if worst is None:
        return "no 1x1 convolution in one group"
    return (
        f"MAC {short(sum(conv.mac for conv in told.pointwise))} of "
        f"{plural(len(told.pointwise), '1x1 convolution')}, {told.over_the_bound:.2f} times the "
        f"least; most in {worst.name}, {worst.reads} to {worst.gives} channels: "
        f"{worst.mac / worst.least:.2f} times"
    )


def _second(cost: "Cost") -> str:
    told = cost.guidelines
    if not told.grouped:
        return "no convolution in groups, but for depthwise ones"
    groups = listed([*map(str, sorted({conv.groups for conv in told.grouped}))], "or")
    return (
        f"MAC {short(sum(conv.mac for conv in told.grouped))} of "
        f"{plural(len(told.grouped), 'convolution')} in {groups} groups, "
        f"{told.beside_one_group:.2f} times that of as many multiply-adds in one group"
    )


def _third(cost: "Cost") -> str:
    told = cost.guidelines
    return f"at most {told.fragments} in a unit: {told.unit or 'the network itself'}"


def _fourth(cost: "Cost") -> str:
    return ", ".join(_moves(cost))


def _moves(cost: "Cost") -> Iterator[str]:
    told = cost.guidelines
    moved = max(told.moved, 1)
    yield f"{percent(told.moved_elementwise / moved)} of {short(told.moved)} are moved element-wise"
    if told.moved_depthwise:
        yield (
            f"{percent(told.moved_depthwise / moved)} by depthwise convolutions for "
            f"{percent(told.macs_depthwise / max(told.macs, 1))} of the multiply-adds"
        )
