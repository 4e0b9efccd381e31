"""Whether two graphs are one: the same operations, wired alike, with weights in the same places."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha1

from convatlas.wiring.graph import COMMUTATIVE, Graph, Node, bare, numel

ROUNDS = 2  # of telling nodes apart by what lies around them
TRIES = 5000  # of which of several alike is which; after them two graphs are taken for two


@dataclass(frozen=True)
class Match:
    """Which node of `b` is which of `a`, and which weight."""

    nodes: dict[int, int]
    weights: dict[str, str]


def match(a: Graph, b: Graph) -> Match | None:
    """The pairs of two graphs that are one; None where the networks can answer differently with
    equal weights.

    Random numbers count as one draw whatever the seed, and buffers that have no storage by their
    names; a number that Python takes from the batch of the trace is a number like any other.

    A weight may have another shape in `b` (a linear layer of a map, written as a convolution): its
    numbers lie in the same order.
    """
    if signature(a) != signature(b) or len(a.nodes) != len(b.nodes):
        return None
    colors = _colors(a), _colors(b)
    walk = _Walk(a, b, colors)
    ends = zip((*a.outputs, *a.inputs), (*b.outputs, *b.inputs), strict=True)
    found = walk.pair(ends) and len(walk.nodes) == len(a.nodes)
    return Match(walk.nodes, walk.weights) if found else None


def signature(graph: Graph) -> str:
    """Equal for graphs that match, whatever their weights are called."""
    ahead = forward(graph)
    used = defaultdict(int)
    for node in graph.nodes:
        for weight in node.weights:
            used[weight.name] += 1
    parts = [ahead[place] for place in graph.outputs]
    parts += [str(graph.size), str(len(graph.nodes)), str(sorted(used.values()))]
    parts += sorted(ahead)
    return _digest(parts)


def forward(graph: Graph) -> tuple[str, ...]:
    """For each node a hash of all that leads there: equal where the same operations do."""
    found = []
    for node in graph.nodes:
        found.append(_digest([said(node), *_read(node, [found[read] for read in node.reads])]))
    return tuple(found)


def backward(graph: Graph) -> tuple[str, ...]:
    """For each node a hash of itself and all that follows from it."""
    found = [""] * len(graph.nodes)
    own = [said(node) for node in graph.nodes]
    for place in reversed(range(len(graph.nodes))):
        after = [f"answer {i}" for i, o in enumerate(graph.outputs) if o == place]
        for reader in graph.readers[place]:
            node = graph.nodes[reader]
            after.append(f"{found[reader]} {_slots(node, place)}")
        found[place] = _digest([own[place], *sorted(after)])
    return tuple(found)


def _slots(node: Node, place: int) -> str:
    """Where a node reads: in a sum it does not matter where."""
    slots = [i for i, read in enumerate(node.reads) if read == place]
    if node.op not in COMMUTATIVE:
        return str(slots)
    over = node.own.get("over")
    return str(sorted(over[i] for i in slots)) if over else str(len(slots))


def _read(node: Node, hashes: list[str]) -> Iterable[str]:
    if node.op not in COMMUTATIVE:
        return hashes
    over = node.own.get("over", ("",) * len(hashes))
    return sorted(f"{word} {one}" for word, one in zip(over, hashes, strict=True))


def said(node: Node) -> str:
    """The operation and its settings, without its places and names."""
    own = node.own.items()
    if node.op in COMMUTATIVE:
        own = [(key, value) for key, value in own if key != "over"]
    weights = tuple(numel(weight) for weight in node.weights)
    output = bare(node.output)
    if node.op == "parameter":
        output = tuple(side for side in output if side != 1)
    return f"{node.op} {sorted(own)} {output} {weights}"


@cache
def _hashed(text: str) -> str:
    return sha1(text.encode()).hexdigest()[:20]


def _digest(parts: Iterable[str]) -> str:
    return _hashed("\n".join(parts))


def _colors(graph: Graph) -> list[str]:
    """A name for each node by all that leads to it, all that follows, and what shares weights."""
    colors = [_digest(pair) for pair in zip(forward(graph), backward(graph), strict=True)]
    for _ in range(ROUNDS):
        users = defaultdict(list)
        for place, node in enumerate(graph.nodes):
            for slot, weight in enumerate(node.weights):
                users[weight.name].append(f"{slot} {colors[place]}")
        shared = {name: _digest(sorted(found)) for name, found in users.items()}
        new = []
        for place, node in enumerate(graph.nodes):
            around = _read(node, [new[read] for read in node.reads])
            after = sorted(
                f"{colors[reader]} {_slots(graph.nodes[reader], place)}"
                for reader in graph.readers[place]
            )
            own = [shared[weight.name] for weight in node.weights]
            new.append(_digest([colors[place], *around, *after, *own]))
        colors = new
    return colors


class _Walk:
    """Pairs nodes from the answers back to the inputs. Where a sum reads several that look alike,
    it tries which is which, and takes back what does not fit.
    """

    def __init__(self, a: Graph, b: Graph, colors: tuple[list[str], list[str]]):
        self.a, self.b, self.colors = a, b, colors
        self.nodes: dict[int, int] = {}
        self.back: dict[int, int] = {}
        self.weights: dict[str, str] = {}
        self.named: dict[str, str] = {}
        self.done: list[tuple[dict, object]] = []  # what was written where, to be taken back
        self.tries = TRIES

    def pair(self, ends: Iterable[tuple[int, int]]) -> bool:
        waiting = list(ends)
        while waiting:
            left, right = waiting.pop()
            if left in self.nodes or right in self.back:
                if self.nodes.get(left) != right:
                    return False
                continue
            if not self._alike(left, right):
                return False
            self._write(self.nodes, left, right)
            self._write(self.back, right, left)
            reads = self._reads(self.a.nodes[left], self.b.nodes[right])
            if reads is None:
                return False
            waiting += reads
        return True

    def _write(self, table: dict, key: object, value: object) -> None:
        table[key] = value
        self.done.append((table, key))

    def _alike(self, left: int, right: int) -> bool:
        a, b = self.a.nodes[left], self.b.nodes[right]
        if self.colors[0][left] != self.colors[1][right] or said(a) != said(b):
            return False
        for mine, other in zip(a.weights, b.weights, strict=True):
            known = self.weights.get(mine.name), self.named.get(other.name)
            if known == (None, None):
                self._write(self.weights, mine.name, other.name)
                self._write(self.named, other.name, mine.name)
            elif known != (other.name, mine.name):
                return False
        return True

    def _reads(self, a: Node, b: Node) -> list[tuple[int, int]] | None:
        """What they read, in pairs still to be looked at; those of a sum that are alike are paired
        here.
        """
        if len(a.reads) != len(b.reads):
            return None
        if a.op not in COMMUTATIVE:
            return list(zip(a.reads, b.reads, strict=True))
        left = self._kinds(a, 0)
        right = self._kinds(b, 1)
        if {kind: len(found) for kind, found in left.items()} != {
            kind: len(found) for kind, found in right.items()
        }:
            return None
        pairs = []
        for kind, reads in left.items():
            if len(reads) == 1:
                pairs += zip(reads, right[kind], strict=True)
            elif not self._tried(reads, right[kind]):
                return None
        return pairs

    def _kinds(self, node: Node, side: int) -> dict[tuple[str, str], list[int]]:
        """What a sum reads, by colour and by how it is spread."""
        found = defaultdict(list)
        for read, word in zip(
            node.reads, node.own.get("over", ("",) * len(node.reads)), strict=True
        ):
            found[self.colors[side][read], word].append(read)
        return found

    def _tried(self, reads: list[int], others: list[int]) -> bool:
        """Whether those can be paired, one with one; what is a pair already stays one."""
        rest = list(others)
        for read in sorted(reads, key=lambda each: each not in self.nodes):
            found = next((other for other in rest if self._fits(read, other)), None)
            if found is None:
                return False
            rest.remove(found)
        return True

    def _fits(self, left: int, right: int) -> bool:
        if left in self.nodes or right in self.back:
            return self.nodes.get(left) == right
        before = len(self.done)
        self.tries -= 1
        if self.tries > 0 and self.pair([(left, right)]):
            return True
        while len(self.done) > before:
            table, key = self.done.pop()
            del table[key]
        return False
