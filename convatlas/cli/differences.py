"""diff: two networks side by side, printed."""

from itertools import pairwise

from convatlas.anatomy.table import by
from convatlas.cli.printing import Phrase, open_console, paragraph, plain_table, print_json, signed

PATH = r"(?<=, )|(?<=\| )|(?<=[._])(?=[a-z])|(?<=\.)(?=\d)"  # where a path may break
LEGEND = {
    "reads ": "reads: the channels that come in, where nothing else differs",
    " maps": "maps: the size of what it gives out, where nothing else differs",
    " + norm": "+ norm: with the norm after it",
}
STATISTICS = {"running_mean", "running_var", "num_batches_tracked"}
KEPT = ("group", "inside", "what", "a", "b", "steps", "times", "params", "macs")
KEYS = {"introduced": "introduced", "silent": "left open", "departs": "departs"}


def diff(a: str, b: str, *others: str, json: bool = False) -> int:
    """Show what sets network B apart from network A, and what each difference costs; of three or
    more, each step from one to the next.

    Parameters
    ----------
    a: str
        A name from `convatlas list`.
    b: str
        Another one.
    others: str
        More of them, each compared with the one before.
    json: bool
        Print JSON; of three or more a list, one for each step.
    """
    names = (a, b, *others)
    found = [compared(*step) for step in pairwise(names)]
    if json:
        return print_json([*map(_record, found)] if others else _record(found[0]))
    if not others:
        return tell(found[0])
    from convatlas.cli import steps

    return steps.tell(open_console(), found)


def compared(a: str, b: str):
    """The Difference of two networks of the atlas: from the index, which needs no torch."""
    from convatlas.anatomy.comparing import compare
    from convatlas.stored_walks import stored

    return compare(*(stored(name) or _traced(name) for name in (a, b)))


def _traced(name: str):
    """The walk of a network that the index does not hold yet."""
    from convatlas.anatomy.steps import Walk

    net = _built(name)
    return Walk.of(net, net.input_size)


def _built(name: str):
    """Without storage; with numbers where the network holds some that it computes with, such as
    LeNet-5's codes of the digits.
    """
    from convatlas import registry
    from convatlas.shapes_only import shapes_only

    with shapes_only():
        net = registry.create_model(name)
    plain = all(path.rpartition(".")[2] in STATISTICS for path, _ in net.named_buffers())
    return net if plain else registry.create_model(name)


def tell(found) -> int:
    """Print a Difference: both totals, then a line for each change."""
    console = open_console()
    if not found.same:
        paragraph(console, found.summary)
        console.print()
    console.print(_totals(found))
    console.print()
    if found.same:
        for line in _sameness(found.a.name, found.b.name):
            console.print(line)
    if not found:
        return 0
    if found.same:
        console.print()
    console.print(_table(found))
    text = "".join(
        f"{change.a} {change.what} " for block in found.blocks for change in block.changes
    )
    notes = [note for word, note in LEGEND.items() if word in text]
    console.print("\n" + "; ".join(["in evaluation; what agrees is left out", *notes]), style="dim")
    return 0


def _record(found) -> dict:
    from dataclasses import asdict

    sides = {"a": asdict(found.a), "b": asdict(found.b)}
    blocks = [
        {
            "places": [{"a": a, "b": b} for a, b in block.places],
            "changes": [{key: getattr(change, key) for key in KEPT} for change in block.changes],
        }
        for block in found.blocks
    ]
    return sides | {
        "same": found.same,
        "summary": found.summary,
        "params": found.b.params - found.a.params,
        "macs": found.b.macs - found.a.macs,
        "layers": blocks,
    }


def _totals(found):
    table = plain_table("", "reads", "params", "MACs", right=("params", "MACs"))
    for label, side in (("A", found.a), ("B", found.b)):
        table.add_row(
            f"{label}  {side.name}",
            by(side.input_size),
            f"{side.params:,}",
            f"{side.macs:,}",
            style="bold",
        )
    table.add_row(
        "B - A", "", f"{found.b.params - found.a.params:+,}", f"{found.b.macs - found.a.macs:+,}"
    )
    return table


def _sameness(a: str, b: str):
    """The honest sentence for networks whose every step agrees, and what their papers say."""
    from convatlas import registry

    if a == b:
        yield f"{a} is compared with itself: every step agrees."
        return
    yield (
        f"Every step agrees: {a} and {b} compute the same in evaluation. They differ in "
        "training, or in name only."
    )
    for name in (a, b):
        paper = registry.describe(name)["paper"]
        yield ""
        yield f"{name}: {paper['title']} ({paper['year']})"
        yield from (f"{label}: {paper[key]}" for key, label in KEYS.items() if paper[key])


def _table(found):
    from rich.padding import Padding

    table = plain_table(
        "where", "step", found.a.name, found.b.name, "params", "MACs", right=("params", "MACs")
    )
    for column, name in zip(table.columns[2:4], (found.a.name, found.b.name), strict=True):
        column.header = Phrase(name, PATH)
    for block in found.blocks:
        alone = len(block.changes) == 1 and not block.changes[0].inside
        if not alone:
            table.add_row(Phrase(_where(block), PATH), style="bold")
        for change in block.changes:
            inside = Padding(Phrase(change.inside or "itself", PATH), (0, 0, 0, 2))
            place = Phrase(_where(block), PATH) if alone else inside
            several = f"(x{change.times})" if alone and change.times > len(block.places) else ""
            params = f"{change.params:+,}" if change.params else ""
            table.add_row(
                place,
                f"{change.what} {several}".strip(),
                Phrase(change.a),
                Phrase(change.b),
                params,
                signed(change.macs),
            )
    return table


def _where(block) -> str:
    """The places of a block, b's too where they are called otherwise, and how many."""
    a, b = block.where
    where = f"{a} | {b}" if a and b and a != b else a or b
    return f"{where} (x{len(block.places)})" if len(block.places) > 1 else where
