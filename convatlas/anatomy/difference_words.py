"""A difference in one or two sentences: what it comes to, and the change that matters most."""

from collections.abc import Sequence

from convatlas.anatomy.difference import GROUPS, Block, Change, Difference
from convatlas.anatomy.wording import NONE

WHERE = 2  # places of a block that are named
LONG = 60  # letters of a form that is told whole


def summary(found: Difference) -> str:
    """ "Beside a, b takes 1.06 times the multiply-adds and as many parameters. ..." """
    a, b = found.a.name, found.b.name
    if found.same:
        return f"{b} computes the same as {a} in evaluation."
    first = f"Beside {a}, {b} takes {_beside(found)}."
    change = largest(found)
    if change is None:
        return first
    return f"{first} The largest change: {told(*change)}.{_others(found, change[1])}"


def _beside(found: Difference) -> str:
    """ "0.53 times the multiply-adds and as many parameters" """
    both = [
        (getattr(found.a, of), getattr(found.b, of), what)
        for of, what in (("macs", "multiply-adds"), ("params", "parameters"))
    ]
    return " and ".join(amount(*each) for each in both)


def amount(a: int, b: int, what: str) -> str:
    """ "0.53 times the parameters", "8,448 more parameters", "as many parameters" """
    if a == b:
        return f"as many {what}"
    ratio = b / max(a, 1)
    text = f"{ratio:.2f}" if ratio < 100 else f"{ratio:,.0f}"
    if text == "1.00":
        return f"{abs(b - a):,} {'more' if b > a else 'fewer'} {what}"
    return f"{text} times the {what}"


def largest(found: Difference) -> tuple[Block, Change] | None:
    """The change that costs or saves most multiply-adds, or else most parameters, or else the
    first one in the structure; None where nothing differs.
    """
    changes = [(block, change) for block in found.blocks for change in block.changes]
    for of in ("macs", "params"):
        dearest = max(changes, key=lambda pair: abs(getattr(pair[1], of)), default=None)
        if dearest and getattr(dearest[1], of):
            return dearest
    ranked = sorted(changes, key=lambda pair: GROUPS.index(pair[1].group))
    return ranked[0] if ranked else None


def told(block: Block, change: Change) -> str:
    """ "conv3-5_x.0, branch.conv1: 1x1 conv: stride 2 -> stride 1 (+231 M multiply-adds)" """
    a, b = (_few(places) for places in block.where)
    where = f"{a} | {b}" if a and b and a != b else a or b
    inside = f", {change.inside}" if change.inside else ""
    step = f"{change.what}: " if change.what else ""
    return f"{where}{inside}: {step}{_form(change.a)} -> {_form(change.b)}{_cost(change)}"


def _few(places: str) -> str:
    names = places.split(", ")
    return ", ".join(names[:WHERE]) + (" and others" if len(names) > WHERE else "")


def _form(text: str) -> str:
    """A long list of steps is cut after a comma."""
    if len(text) <= LONG:
        return "nothing" if text == NONE else text
    cut = text[:LONG].rpartition(", ")[0] or text[:LONG]
    return f"{cut}, ..."


def _cost(change: Change) -> str:
    costs = ((change.macs, "multiply-adds"), (change.params, "parameters"))
    number, what = next((cost for cost in costs if cost[0]), (0, ""))
    return f" ({number:+,} {what})" if number else ""


def _others(found: Difference, most: Change) -> str:
    """Which other kinds of change there are."""
    changes = [change for block in found.blocks for change in block.changes]
    groups = {change.group for change in changes}
    rest = [group for group in GROUPS if group in groups - {most.group}]
    if len(changes) == 1:
        return " Nothing else differs."
    return f" There are {len(changes)} changes in all" + (
        f", some in {listed(rest)}." if rest else f", all in {most.group}."
    )


def listed(words: Sequence[str], last: str = "and") -> str:
    """ "a, b and c" """
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
