"""One call of one of aten's operations, as those see it who say what it is in the field's words."""

from functools import cache

from torch import Tensor
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from convatlas.wiring.graph import Weight, bare
from convatlas.wiring.movements import Seen
from convatlas.wiring.rewriting import rewritten


class Operation:
    """One call of one of aten's operations: what it read, its settings and what came out."""

    def __init__(self, build, storages, func, args: tuple, kwargs: dict, out):
        self.build, self.storages = build, storages
        self.func, self.raw, self.out = func, (args, kwargs), out
        schema = _arguments(func)
        self.args = {name: default for name, default, _ in schema}
        self.args |= {name: value for (name, _, _), value in zip(schema, args, strict=False)}
        self.args |= kwargs
        self.written = [self.args[name] for name, _, write in schema if write]
        packet = func.overloadpacket.__name__
        self.name = packet[:-1] if self.written and packet.endswith("_") else packet
        self.tensors = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        self.kind = next(
            (t.dtype for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)), None
        )
        self.first = next((t for t in tree_leaves(out) if isinstance(t, Tensor)), None)

    def __getitem__(self, name: str):
        return self.args[name]

    @property
    def batch(self) -> int:
        return self.build.batch

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.first.shape)

    def full(self, place: int) -> tuple[int, ...]:
        return self.build.full[place]

    def see(self, t: Tensor, axes: bool = False) -> Seen:
        seen = self.storages.see(t, axes)
        self.build.charge(seen.place)
        return seen

    def at(self, t: Tensor) -> int:
        """The place of `t`, read in the shape that it has."""
        return self.shaped(self.see(t))

    def shaped(self, seen: Seen) -> int:
        if bare(seen.shape) == bare(self.full(seen.place)):
            return seen.place
        return self.reshaped(seen)

    def reshaped(self, seen: Seen) -> int:
        to = seen.shape[1:] if self.build.batched[seen.place] else seen.shape
        return self.build.lay("reshape", {"to": tuple(to)}, (seen.place,), shape=seen.shape)

    def channelled(self, t: Tensor) -> int:
        """The place of `t` where all that counts is which elements are of one channel."""
        seen = self.see(t)
        return seen.place if self.full(seen.place)[:2] == seen.shape[:2] else self.shaped(seen)

    def weight(self, t: Tensor | None) -> Weight | None:
        """The parameter or running statistic whose numbers `t` holds, all and in their order."""
        if t is None:
            return None
        if not self.storages.knows(t):
            name = self.storages.named(t)
            return Weight(name, tuple(t.shape)) if name else None
        seen = self.storages.see(t, axes=True)
        node = self.build.nodes[seen.place]
        return node.weights[0] if node.op == "parameter" and seen.axes is None else None

    def weights(self, *tensors: Tensor | None) -> tuple[Weight, ...] | None:
        """Those of the tensors that are there; None where one of them is no plain weight."""
        found = [self.weight(t) for t in tensors if t is not None]
        return None if None in found else tuple(found)

    def number(self, value: object) -> float | None:
        """The number that stands for `value`, where it is one everywhere."""
        if isinstance(value, bool | int | float):
            return float(value)
        if not isinstance(value, Tensor) or self.storages.knows(value):
            return None
        number = self.build.nodes[self.storages.constant(value)].own.get("value")
        return number if isinstance(number, float) else None

    def lay(
        self,
        op: str,
        own: dict | None = None,
        reads: tuple[int, ...] = (),
        weights: tuple[Weight, ...] = (),
        *,
        shape: tuple[int, ...] | None = None,
        alone: bool = False,
    ) -> int:
        op, own, reads, known = rewritten(self.build, op, dict(own or {}), reads)
        if known is not None:
            return known
        return self.build.lay(
            op, own, reads, weights,
            shape=self.shape if shape is None else shape, macs=self.macs, alone=alone,
        )  # fmt: skip

    @property
    def macs(self) -> int:
        """By torch's own formula; 0 where torch has none."""
        formula = flop_registry.get(self.func.overloadpacket)
        args, kwargs = self.raw
        return formula(*args, **kwargs, out_val=self.out) // 2 if formula else 0


@cache
def _arguments(func) -> tuple[tuple[str, object, bool], ...]:
    return tuple(
        (a.name, a.default_value, a.alias_info is not None and a.alias_info.is_write)
        for a in func._schema.arguments
    )
