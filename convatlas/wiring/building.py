"""Lays the nodes of a graph one by one. What is the same operation on the same values with the same
weights is laid once.
"""

from collections.abc import Mapping
from dataclasses import replace

from convatlas.wiring.graph import COMMUTATIVE, Node, Weight


class Builder:
    """The nodes so far. Shapes that it is given are whole ones, batch first where `batched`."""

    def __init__(self, batch: int):
        self.batch = batch
        self.nodes: list[Node] = []
        self.full: list[tuple[int, ...]] = []
        self.batched: list[bool] = []
        self._laid: dict[tuple, int] = {}
        self.where = ""  # the module that runs now
        self.unpaid: dict[str, int] = {}  # weights that train and have no node yet: their numbers

    def lay(
        self,
        op: str,
        own: Mapping[str, object] | None = None,
        reads: tuple[int, ...] = (),
        weights: tuple[Weight, ...] = (),
        *,
        shape: tuple[int, ...],
        batched: bool | None = None,
        macs: int = 0,
        alone: bool = False,
    ) -> int:
        """The place of this node; an earlier one where it has been laid already. `alone`: it is no
        other's equal, though all settings be (a draw of random numbers).
        """
        own = dict(own or {})
        if op in COMMUTATIVE:
            own, reads = _ordered(own, reads)
        key = (op, tuple(sorted(own.items())), reads, weights, self._size(shape, batched, reads))
        if not alone and key in self._laid:
            return self._laid[key]
        if batched is None:
            batched = any(self.batched[read] for read in reads)
        place = len(self.nodes)
        self._laid.setdefault(key, place)
        params = 0 if op == "parameter" else self.pay(weights)
        output = self._output(shape, batched)
        node = Node(op, own, reads, weights, output, self.where, params, macs // self.batch)
        self.nodes.append(node)
        self.full.append(tuple(shape))
        self.batched.append(batched)
        return place

    def _size(self, shape: tuple[int, ...], batched: bool | None, reads: tuple[int, ...]) -> tuple:
        """Of what only its shape tells apart, such as an upsampling."""
        return (tuple(shape), batched) if reads or batched is not None else ()

    def _output(self, shape: tuple[int, ...], batched: bool) -> tuple[int, ...]:
        if not batched or not shape:
            return tuple(shape)
        rows = shape[0] // self.batch
        return tuple(shape[1:]) if rows <= 1 else (rows, *shape[1:])

    def pay(self, weights: tuple[Weight, ...]) -> int:
        """How many numbers that train are used here first."""
        return sum(self.unpaid.pop(weight.name, 0) for weight in weights)

    def charge(self, place: int) -> None:
        """A parameter that is read as a value is paid for by its own node."""
        node = self.nodes[place]
        if node.op == "parameter" and node.weights[0].name in self.unpaid:
            self.nodes[place] = replace(node, params=self.pay(node.weights), name=self.where)


def _ordered(own: dict, reads: tuple[int, ...]) -> tuple[dict, tuple[int, ...]]:
    """Reads of a sum or product by their place, with what is said of each in the same order."""
    over = own.get("over", ("whole",) * len(reads))
    pairs = sorted(zip(reads, over, strict=True))
    if "over" in own:
        own["over"] = tuple(word for _, word in pairs)
    return own, tuple(read for read, _ in pairs)
