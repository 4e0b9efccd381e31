"""What a network has beside the graph of its operations: parts that only train, the way its modules
nest, and how its weights were drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Self

from convatlas.anatomy.dropping import Drop, drops
from convatlas.anatomy.initialising import Draw, draws
from convatlas.anatomy.telling import VALUES
from convatlas.wiring import Graph

if TYPE_CHECKING:
    import torch.nn as nn


@dataclass(frozen=True)
class Habits:
    """Plain values only, so that they can be handed on as JSON."""

    drops: tuple[Drop, ...] = ()
    momentum: Mapping[str, float] = field(default_factory=dict)  # of batch norms, by path
    idle: Mapping[str, int] = field(default_factory=dict)  # parameters not read in evaluation
    opened: tuple[str, ...] = ()  # modules whose children are stages
    stacks: tuple[str, ...] = ()  # modules that are a plain sequence of units
    draws: Mapping[str, Draw] = field(default_factory=dict)  # of fresh weights, by name

    @classmethod
    def of(cls, net: nn.Module, graph: Graph) -> Self:
        """Of a network, whose graph this is."""
        from torch.nn.modules.batchnorm import _NormBase  # here, so that records need no torch

        modules = dict(net.named_modules())
        stages = getattr(net, "stages", ())
        dots = [(path, i) for path in stages for i, c in enumerate(path) if c == "."]
        return cls(
            tuple(drops(net, ["" if node.op in VALUES else node.name for node in graph.nodes])),
            {
                path: module.momentum
                for path, module in modules.items()
                if isinstance(module, _NormBase) and module.momentum is not None
            },
            _idle(net, graph),
            tuple(dict.fromkeys(path[:i] for path, i in dots)),
            tuple(path for path, module in modules.items() if path and _is_stack(module)),
            draws(net),
        )

    @classmethod
    def of_names(cls, graph: Graph) -> Self:
        """Of a graph alone, whose names tell how modules nest."""
        return cls(stacks=_numbered(graph))

    def to_record(self) -> dict:
        return asdict(self)

    @classmethod
    def from_record(cls, record: dict) -> Self:
        """Back from JSON, where tuples are lists."""
        found = [Drop(*drop[:3], _fixed(drop[3])) for drop in record["drops"]]
        return cls(
            tuple(found),
            record["momentum"],
            record["idle"],
            tuple(record["opened"]),
            tuple(record["stacks"]),
            {
                name: Draw(kind, scale, tuple(fans), count)
                for name, (kind, scale, fans, count) in record["draws"].items()
            },
        )


def _fixed(own: dict) -> dict:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in own.items()}


def _idle(net: nn.Module, graph: Graph) -> dict[str, int]:
    """Parameters that no operation reads, by the module at the top that holds them."""
    from torch.nn.parameter import is_lazy

    read = {weight.name for node in graph.nodes for weight in node.weights}
    heads: dict[str, int] = {}
    for name, parameter in net.named_parameters():
        if name not in read and not is_lazy(parameter):
            top = name.partition(".")[0]
            heads[top] = heads.get(top, 0) + parameter.numel()
    return heads


def _is_stack(module: nn.Module) -> bool:
    """A plain sequence of units: nothing but modules that have parts of their own, or at least two
    of them.
    """
    import torch.nn as nn

    if not isinstance(module, nn.Sequential | nn.ModuleList):
        return False
    units = [next(child.children(), None) is not None for child in module.children()]
    return all(units) or sum(units) > 1


def _numbered(graph: Graph) -> tuple[str, ...]:
    """Parts with nothing but numbered parts, of which two have parts of their own."""
    children: dict[str, dict[str, bool]] = {}
    for node in graph.nodes:
        words = node.name.split(".")
        for depth in range(1, len(words)):
            own = children.setdefault(".".join(words[:depth]), {})
            own[words[depth]] = own.get(words[depth], False) or len(words) > depth + 1
    return tuple(
        path
        for path, own in children.items()
        if all(map(str.isdecimal, own)) and sum(own.values()) > 1
    )
