"""What sets two networks apart: only the differences, each with its cost in parameters and
multiply-adds.
"""

from collections.abc import Iterable, Iterator

from convatlas import wiring
from convatlas.anatomy.aligning import align
from convatlas.anatomy.anchoring import anchors
from convatlas.anatomy.difference import TOP, Block, Change, Difference, Side
from convatlas.anatomy.gathering import folded
from convatlas.anatomy.initialising import otherwise, rule
from convatlas.anatomy.pairing import Match, grouped, same_steps
from convatlas.anatomy.rewired import Wires
from convatlas.anatomy.steps import Step, Walk
from convatlas.anatomy.table import by
from convatlas.anatomy.units import Unit, alone, sides, told


def compare(a: Walk, b: Walk) -> Difference:
    """How `b` differs from `a`, both traced already or read from the index: needs no torch."""
    matches, same = matched(a, b)
    pairs = [pair for match in matches for pair in match.pairs]
    wires = Wires(a, b, pairs)
    blocks = folded(_blocks(matches, wires))
    if not same:
        blocks = [*(_of_another_image(a, b, blocks) if a.size != b.size else blocks)]
        blocks += _answers(wires)
        if all(change.group == "training" for block in blocks for change in block.changes):
            blocks.append(_otherwise(a, b))
    drawn = _drawn(a, b, pairs)
    return Difference(_side(a), _side(b), (*blocks, *drawn), same)


def matched(a: Walk, b: Walk) -> tuple[list[Match], bool]:
    """The units that answer to each other, with their steps, in order; and whether both networks
    answer alike with equal weights.
    """
    same = wiring.match(a.graph, b.graph)
    if same:
        return grouped(a, b, same_steps(a, b, same.nodes)), True
    return align(a, b, anchors(a.graph, b.graph)), False


def changes_of(match: Match, wires: Wires) -> tuple[Change, ...]:
    """What differs between two units, or in a unit that has no counterpart."""
    return tuple(_one_sided(match) if None in match[:2] else Unit(match, wires).changes())


def _side(walk: Walk) -> Side:
    return Side(walk.kind, walk.size, walk.params, walk.macs)


def _of_another_image(a: Walk, b: Walk, blocks: list[Block]) -> Iterator[Block]:
    """All that follows from maps of another size is one line, and costs what it costs."""
    kept = []
    macs = 0
    for block in blocks:
        told_of = tuple(change for change in block.changes if not _is_map(change))
        macs += sum(change.macs for change in block.changes if _is_map(change))
        if told_of:
            kept.append(Block(block.places, told_of))
    image = Change("", "image", by(a.size), by(b.size), 0, macs)
    return iter([Block((("input", "input"),), (image,)), *kept])


def _is_map(change: Change) -> bool:
    """A step that is the same, on a map of another size."""
    return change.follows and not change.params


def _answers(wires: Wires) -> Iterator[Block]:
    if words := wires.answers():
        yield Block((("output", "output"),), (Change("", *words, 0, 0),))


def _otherwise(a: Walk, b: Walk) -> Block:
    """Every step has a counterpart that reads the same, and yet the graphs are two: said, with the
    first place from which they part.
    """
    ahead = set(wiring.forward(b.graph))
    keys = wiring.forward(a.graph)
    parts = [step for step in a.steps if not step.trains and keys[step.node] not in ahead]
    kind, name = (parts[0].kind, parts[0].name) if parts else ("answer", "")
    change = Change("", "wiring", f"{kind} as it is", "otherwise", 0, 0, paths=(name,))
    return Block(((name, name),), (change,))


def _blocks(matches: Iterable[Match], wires: Wires) -> Iterator[Block]:
    for match in matches:
        if changes := changes_of(match, wires):
            yield Block(((match.a, match.b),), changes)


def _one_sided(match: Match) -> list[Change]:
    return [alone("", *sides(match.pairs))]


def _drawn(a: Walk, b: Walk, pairs: Iterable[tuple[Step | None, Step | None]]) -> Iterator[Block]:
    """Fresh weights that were drawn otherwise, by the kind of step that they belong to."""
    found: dict[str, list] = {}
    for one, other in pairs:
        if one and other and one.kind == other.kind and not one.trains:
            for role, draws in _both(a, b, one, other):
                found.setdefault(f"{one.kind}{role}", []).append((one, *draws))
    changes = []
    for what, entries in found.items():
        unlike = [entry for entry in entries if otherwise(*entry[1:])]
        if unlike:
            rules = [rule(entry[side] for entry in unlike) for side in (1, 2)]
            steps = [entry[0] for entry in unlike]
            words = f"first weights of {what}", *rules
            change = told("", words, steps, steps, group="initialisation", times=len(unlike))
            changes.append(change)
    if changes:
        yield Block(((TOP, TOP),), tuple(changes))


def _both(a: Walk, b: Walk, one: Step, other: Step) -> Iterator[tuple[str, tuple]]:
    """The draws of each weight that both steps have, where they are known and of one shape."""
    weights = zip(a.graph.nodes[one.node].weights, b.graph.nodes[other.node].weights, strict=False)
    for mine, theirs in weights:
        draws = a.habits.draws.get(mine.name), b.habits.draws.get(theirs.name)
        if None not in draws and draws[0].count == draws[1].count:
            bias = mine.name.rpartition(".")[2] == "bias"
            yield ", bias" if bias else "", draws
