"""diff of three networks or more: a table of steps, with what each costs and its largest change."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convatlas.anatomy.difference_words import amount, largest, listed, told
from convatlas.anatomy.table import by
from convatlas.cli.printing import Phrase, paragraph, plain_table, plural, signed
from convatlas.magnitude import short

if TYPE_CHECKING:
    from convatlas.anatomy import Difference


def tell(console, found: Sequence["Difference"]) -> int:
    """Print a sentence on the whole way, then a line for each step, and how to see one of them."""
    paragraph(console, summary(found))
    console.print()
    console.print(_table(found))
    console.print()
    for step in found:
        if not step.same and (change := largest(step)):
            text = f"{step.a.name} -> {step.b.name}: {told(*change)}"
            console.print(Phrase(text, "(?<=, )|(?<=: )|(?<= -> )|(?<=\\| )"))
    names = f"{found[0].a.name} {found[0].b.name}"
    console.print(f"\nconvatlas diff {names} tells all of a step", style="dim")
    return 0


def summary(found: Sequence["Difference"]) -> str:
    """ "From lenet5 to vgg16 in 2 steps: 47.4 times the multiply-adds and ..." """
    first, last = found[0].a, found[-1].b
    amounts = [
        amount(getattr(first, of), getattr(last, of), what)
        for of, what in (("macs", "multiply-adds"), ("params", "parameters"))
    ]
    way = f"From {first.name} to {last.name} in {plural(len(found), 'step')}"
    return f"{way}: {listed(amounts)}.{_dearest(found)}"


def _dearest(found: Sequence["Difference"]) -> str:
    """Which step changes the multiply-adds most; nothing where none does."""
    step = max(found, key=lambda step: abs(step.b.macs - step.a.macs))
    more = step.b.macs - step.a.macs
    if not more:
        return ""
    verb = "adds" if more > 0 else "saves"
    return (
        f" The step from {step.a.name} to {step.b.name} {verb} most: {short(abs(more))} "
        "multiply-adds."
    )


def _table(found: Sequence["Difference"]):
    right = ("params", "MACs", "more params", "more MACs", "changes")
    table = plain_table("network", "reads", *right, right=right)
    for place, side in enumerate([found[0].a, *(step.b for step in found)]):
        cells = ("", "", "")
        if place:
            step = found[place - 1]
            changes = sum(len(block.changes) for block in step.blocks)
            cells = (
                signed(step.b.params - step.a.params),
                signed(step.b.macs - step.a.macs),
                "same" if step.same else str(changes),
            )
        table.add_row(side.name, by(side.input_size), short(side.params), short(side.macs), *cells)
    return table
