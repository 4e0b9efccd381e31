"""Changes that are the same at several places, told once."""

from collections.abc import Iterable
from dataclasses import replace

from convatlas.anatomy.difference import Block, Change
from convatlas.anatomy.wording import numbers, ranges

BIASES = {"bias", "no bias"}
EVERYWHERE = {"activation", "normalisation", "training"}  # such changes are told apart from units


def merged(changes: Iterable[Change]) -> list[Change]:
    """The same change of several steps of a unit is told once."""
    same: dict[tuple, list[Change]] = {}
    for change in changes:
        same.setdefault((change.what, change.a, change.b, change.steps, change.group), []).append(
            change
        )
    return [
        replace(_sum(tuple(group)), inside=", ".join(ranges(change.inside for change in group)))
        for group in same.values()
    ]


def folded(blocks: Iterable[Block]) -> list[Block]:
    """Blocks with the same changes become one, where the first of them was."""
    folded: dict[tuple, list[Block]] = {}
    for block in _spread(list(blocks)):
        one_sided = tuple(path is None for path in block.places[0])
        folded.setdefault((one_sided, *(change.key for change in block.changes)), []).append(block)
    return [
        Block(
            tuple(place for block in same for place in block.places),
            tuple(map(_sum, zip(*(block.changes for block in same), strict=True))),
        )
        for same in folded.values()
    ]


def _sum(same: tuple[Change, ...]) -> Change:
    total = replace(
        same[0],
        params=sum(change.params for change in same),
        macs=sum(change.macs for change in same),
        times=sum(change.times for change in same),
        paths=tuple(dict.fromkeys(path for change in same for path in change.paths)),
    )
    if not total.values:
        return total
    values = tuple(
        tuple(value for change in same for value in change.values[side]) for side in (0, 1)
    )
    return replace(total, values=values, a=numbers(values[0]), b=numbers(values[1]))


def _spread(blocks: list[Block]) -> list[Block]:
    """Takes out what is the same at several places of a unit, or of units that differ in other
    things, too: a block for each.

    Another epsilon of all norms, a norm after all convolutions, another rate of dropping.
    """
    plain: dict[tuple, list[tuple[Block, Change]]] = {}
    for block in blocks:
        for change in filter(_is_plain, block.changes):
            plain.setdefault(change.key[1:], []).append((block, change))
    spread = [found for found in plain.values() if _is_everywhere(found)]
    taken = {id(change) for found in spread for _, change in found}
    rest = [
        Block(block.places, left)
        for block in blocks
        if (left := tuple(change for change in block.changes if id(change) not in taken))
    ]
    return rest + [_of_all(found) for found in spread]


def _is_everywhere(found: list[tuple[Block, Change]]) -> bool:
    insides = {change.inside for _, change in found}
    others = {tuple(other.key for other in block.changes) for block, _ in found}
    return len(insides) > 1 or (len(others) > 1 and found[0][1].group in EVERYWHERE)


def _of_all(found: list[tuple[Block, Change]]) -> Block:
    places = tuple(dict.fromkeys(block.places[0] for block, _ in found))
    insides = {change.inside for _, change in found}
    total = _sum(tuple(change for _, change in found))
    return Block(places, (replace(total, inside=insides.pop() if len(insides) == 1 else ""),))


def _is_plain(change: Change) -> bool:
    if {change.a, change.b} == BIASES:
        return True
    if change.params or change.macs or change.follows:
        return False
    return change.group in EVERYWHERE or (bool(change.what) and not change.values)
