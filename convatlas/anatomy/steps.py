"""What a network computes, step by step: the operations of its graph in the words that a difference
is told in, and what it has for training alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Self

from convatlas import wiring
from convatlas.anatomy.habits import Habits
from convatlas.anatomy.table import by
from convatlas.anatomy.telling import VALUES, told
from convatlas.wiring import Graph, Node

if TYPE_CHECKING:
    import torch.nn as nn
    from torch.export import ExportedProgram

CLASSES = {
    "activation": {
        *("relu", "relu6", "swish", "h-swish", "h-sigmoid", "sigmoid", "tanh", "gelu", "elu"),
        *("hardtanh", "leaky relu", "prelu", "mish", "softplus"),
    },
    "norm": {
        *("batch norm", "group norm", "layer norm", "local response norm", "instance norm"),
        "batch norm without running statistics",
    },
    "pool": {
        *("max pool", "average pool", "global average", "global max"),
        *("adaptive average pool", "adaptive max pool"),
    },
    "join": {"add", "concat"},
}
TRAINING = "only in training"


@dataclass(frozen=True)
class Step:
    """One operation on what comes from the input, or a part that only trains."""

    name: str  # dotted path of the module that runs it
    kind: str  # "conv", "relu", "add"; the class of a layer that only drops
    own: Mapping[str, object]  # its settings by name; what it reads and on how large a map are none
    reads: int | None  # channels, or features
    output: tuple[int, ...]  # shape, without the batch
    params: int = 0
    macs: int = 0
    node: int | None = None  # its place in the graph; None for what only trains
    like: str = field(
        init=False, compare=False
    )  # kind and settings: steps that agree in it do the same

    def __post_init__(self):
        own = sorted(item for item in self.own.items() if item[0] != "momentum")
        object.__setattr__(self, "like", f"{self.kind} {own}")

    @property
    def family(self) -> str:
        return next((name for name, kinds in CLASSES.items() if self.kind in kinds), self.kind)

    @property
    def weighs(self) -> bool:
        return self.kind in ("conv", "transposed conv", "linear")

    @property
    def kernel(self) -> tuple[int, ...] | None:
        """Of a convolution or pooling; a layer of another class may call anything so."""
        return self.own.get("kernel") if self.weighs or self.family == "pool" else None

    @property
    def trains(self) -> bool:
        """A part that only trains."""
        return self.node is None

    def __str__(self) -> str:
        """ "3x3 conv 64 /2", "linear 1000", "batch norm", "dropout 0.5" """
        own = self.own
        if "what" in own:
            return str(own["what"])
        if not self.weighs and self.family != "pool":
            return (
                f"{self.kind} {own[told]:.6g}"
                if (told := "p" if "p" in own else "other") in own
                else self.kind
            )
        head = (
            by(self.kernel),
            "depthwise" * (own.get("groups") == "depthwise"),
            self.kind,
            str(own.get("channels", "")),
        )
        stride = by(own.get("stride"))
        groups = own.get("groups", 1)
        tail = (
            f"/{stride}" * (stride not in ("", "1")),
            f"g{groups}" * (groups not in (1, "depthwise")),
        )
        return " ".join(filter(None, (*head, *tail)))


@dataclass(frozen=True)
class Walk:
    """A network as a graph and as steps, in the order they run; `habits` are what its graph does
    not hold.
    """

    graph: Graph
    habits: Habits

    @classmethod
    def of(
        cls, net: nn.Module | ExportedProgram | Graph, input_size: tuple[int, ...] | None = None
    ) -> Self:
        """Of a network, as `wiring.of` reads it, or of a graph alone."""
        if isinstance(net, Graph):
            return cls(net, Habits.of_names(net))
        from convatlas.calling import module_of  # torch, which stored walks do without

        graph = wiring.of(net, input_size)
        return cls(graph, Habits.of(module_of(net), graph))

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        drops: dict[int, list[Step]] = {}
        for drop in self.habits.drops:
            step = Step(drop.name, drop.kind, drop.own, None, ())
            drops.setdefault(drop.place, []).append(step)
        found = [*drops.get(0, ())]
        for place, step in _steps(self.graph, self.habits.momentum):
            found += [*([step] if step else []), *drops.get(place + 1, ())]
        found += [
            Step(name, TRAINING, {}, None, (), params) for name, params in self.habits.idle.items()
        ]
        return tuple(found)

    @property
    def kind(self) -> str:
        return self.graph.kind

    @property
    def size(self) -> tuple[int, ...]:
        return self.graph.size

    @property
    def params(self) -> int:
        return sum(step.params for step in self.steps)

    @property
    def macs(self) -> int:
        return sum(step.macs for step in self.steps)


def _steps(graph: Graph, momentum: Mapping[str, float]) -> Iterator[tuple[int, Step | None]]:
    """A step for each node that does something; the parameters of nodes that only hold a value are
    those of the first step that reads it.
    """
    unpaid = {i: node.params for i, node in enumerate(graph.nodes) if node.op in VALUES}
    for place, node in enumerate(graph.nodes):
        if node.op in VALUES or node.op == "input":
            yield place, None
            continue
        params = node.params + sum(unpaid.pop(read, 0) for read in node.reads)
        kind, own = told(graph, node)
        if node.weights and (home := node.weights[-1].name.rpartition(".")[0]) in momentum:
            own["momentum"] = momentum[home]
        yield (
            place,
            Step(
                *(node.name, kind, own, _width(graph, node), node.output),
                *(params, node.macs, place),
            ),
        )


def _width(graph: Graph, node: Node) -> int | None:
    """Channels, or features, of the first map that a node reads."""
    shapes = [graph.nodes[read].output for read in node.reads if graph.nodes[read].op not in VALUES]
    return shapes[0][0] if shapes and shapes[0] else None
