"""Two networks side by side: which units answer to each other, and what is said of each pair."""

from collections.abc import Sequence
from typing import NamedTuple

from convatlas.anatomy.comparing import changes_of, matched
from convatlas.anatomy.difference import Change
from convatlas.anatomy.rewired import Wires
from convatlas.anatomy.steps import Walk

SAME = "same"
FOLLOWS = "follows"  # does the same on maps that other changes have made wider or larger
CHANGED = "changed"
ALONE = "alone"  # the other network has nothing for it
IN_TRAINING = ("training", "initialisation")  # changes that evaluation does not show


class Pair(NamedTuple):
    """A unit, or a stage that is one, of each network; what the networks do themselves is ""."""

    a: str | None  # path; None where the network has nothing
    b: str | None
    mark: str
    changes: tuple[Change, ...]  # all of them, those of training too


def beside(a: Walk, b: Walk) -> tuple[Pair, ...]:
    """All units of both networks, in order: the changes are those that `compare` folds."""
    matches, _ = matched(a, b)
    wires = Wires(a, b, [pair for match in matches for pair in match.pairs])
    found = []
    for match in matches:
        changes = changes_of(match, wires)
        found.append(Pair(match.a, match.b, _mark(match.a, match.b, changes), changes))
    return tuple(found)


def _mark(a: str | None, b: str | None, changes: Sequence[Change]) -> str:
    if a is None or b is None:
        return ALONE
    seen = [change for change in changes if change.group not in IN_TRAINING]
    if not seen:
        return SAME
    return FOLLOWS if all(change.follows for change in seen) else CHANGED
