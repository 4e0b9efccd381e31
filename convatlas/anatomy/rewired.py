"""Steps that are the same but read something else: another map, the same maps in another order, or
weights that are also others'.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby

from convatlas.anatomy.steps import Step, Walk
from convatlas.anatomy.telling import VALUES
from convatlas.wiring.graph import COMMUTATIVE

Told = tuple[str, str, str]  # what, and a's and b's form of it


class Wires:
    """What each of two networks' steps reads, where its counterparts are known."""

    def __init__(self, a: Walk, b: Walk, pairs: Iterable[tuple[Step | None, Step | None]]):
        self.walks = a, b
        self.there = {
            one.node: other.node
            for one, other in pairs
            if one and other and not one.trains and not other.trains
        }
        self.there |= dict(zip(a.graph.inputs, b.graph.inputs, strict=False))
        self.back = {there: here for here, there in self.there.items()}
        self.users = _users(a), _users(b)

    def told(self, a: Step, b: Step) -> Told | None:
        """What is told of a pair of steps whose own settings may agree."""
        if a.trains or b.trains:
            return None
        return self._reads(a, b) or self._shares(a, b)

    def _reads(self, a: Step, b: Step) -> Told | None:
        reads = [_maps(walk, step) for walk, step in zip(self.walks, (a, b), strict=True)]
        if any(read not in self.there for read in reads[0]):
            return None  # what has no counterpart is told for itself
        if any(read not in self.back for read in reads[1]):
            return None
        meant = [self.there[read] for read in reads[0]]
        same = sorted(meant) == sorted(reads[1])
        if meant == reads[1] or (same and {a.kind, b.kind} <= COMMUTATIVE):
            return None
        if b.kind in COMMUTATIVE:  # in no order of their own: as the other side has them
            reads[1] = sorted(reads[1], key=lambda read: _rank(reads[0], self.back[read]))
        homes = [step.name.rpartition(".")[0] for step in (a, b)]
        texts = self._kinds(reads)
        for near in (homes, ["", ""]):
            texts = self._texts(reads, near) if texts[0] == texts[1] else texts
        if same:
            return f"order of {b.kind}", texts[0], texts[1]
        return b.kind, f"after {texts[0]}", f"after {texts[1]}"

    def _kinds(self, reads: list[list[int]]) -> list[str]:
        """What each side reads, in short: "average pool, conv"."""
        return [
            ", ".join(op for op, _ in groupby(_op(walk, read) for read in each))
            for walk, each in zip(self.walks, reads, strict=True)
        ]

    def _texts(self, reads: list[list[int]], homes: list[str]) -> list[str]:
        """What each side reads, by the paths of modules inside its home."""
        return [
            ", ".join(_label(walk, read, home) for read in each)
            for walk, each, home in zip(self.walks, reads, homes, strict=True)
        ]

    def _shares(self, a: Step, b: Step) -> Told | None:
        others = [
            users.get(step.node, set()) for users, step in zip(self.users, (a, b), strict=True)
        ]
        if any(place not in self.there for place in others[0]):
            return None
        if {self.there[place] for place in others[0]} == others[1]:
            return None
        texts = [
            f"shared with {', '.join(sorted(walk.graph.nodes[place].name for place in places))}"
            if places
            else "its own"
            for walk, places in zip(self.walks, others, strict=True)
        ]
        return f"weights of {b.kind}", texts[0], texts[1]

    def answers(self) -> Told | None:
        """What the networks give out."""
        outputs = [list(walk.graph.outputs) for walk in self.walks]
        if any(place not in self.there for place in outputs[0]):
            return None
        if any(place not in self.back for place in outputs[1]):
            return None
        if [self.there[place] for place in outputs[0]] == outputs[1]:
            return None
        names = [
            ", ".join(
                walk.graph.nodes[place].name or walk.graph.nodes[place].op for place in places
            )
            for walk, places in zip(self.walks, outputs, strict=True)
        ]
        return "output", f"of {names[0]}", f"of {names[1]}"


def _rank(places: list[int], place: int) -> int:
    return places.index(place) if place in places else len(places)


def _op(walk: Walk, place: int) -> str:
    op = walk.graph.nodes[place].op
    return "the input" if op == "input" else op


def _label(walk: Walk, place: int, home: str) -> str:
    node = walk.graph.nodes[place]
    if node.op == "input":
        return "the input"
    near = home and node.name.startswith(f"{home}.")
    name = node.name.removeprefix(f"{home}.") if near else node.name
    return f"{node.op} of {name}" if name else node.op


def _maps(walk: Walk, step: Step) -> list[int]:
    nodes = walk.graph.nodes
    return [read for read in nodes[step.node].reads if nodes[read].op not in VALUES]


def _users(walk: Walk) -> dict[int, set[int]]:
    """For each node the others that read one of its weights."""
    nodes = walk.graph.nodes
    users: dict[str, set[int]] = defaultdict(set)
    names = {}
    for place, node in enumerate(nodes):
        if node.op in VALUES:
            continue
        held = [nodes[read].weights for read in node.reads if nodes[read].op in VALUES]
        names[place] = [weight.name for own in (node.weights, *held) for weight in own]
        for name in names[place]:
            users[name].add(place)
    return {
        place: set().union(*(users[name] for name in own)) - {place} for place, own in names.items()
    }
