"""The layer table of a network and its totals. Plain records: nothing here needs torch."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field, fields
from math import prod
from typing import NamedTuple

Pair = tuple[int, int]
FEW = 5  # places that a line names


@dataclass(frozen=True)
class Layer:
    """One call of a layer. A module that is called twice has two rows, the
    parameters in the first.
    """

    name: str  # dotted path in the network
    kind: str  # class
    kernel: (
        Pair | None
    )  # (height, width) of the window of a convolution or pooling; None: no window
    stride: Pair | None
    padding: Pair | None
    groups: int | None  # of a convolution
    output: tuple[int, ...]  # shape, without the batch
    params: int  # elements of the parameters that are first read here
    bias: bool  # a bias is added to its outputs; normalisation does not count
    macs: int  # multiply-adds of its convolutions and matrix products, batch 1
    receptive_field: (
        int | None
    )  # longer side, in pixels, of what one output sees; may reach past the border

    @property
    def connections(self) -> int:
        """LeNet's count: one for each product of an input with a weight, and one for each bias
        added.

        A pooling with a trainable coefficient (LeNet's subsampling) connects every pixel of its
        window.
        """
        outputs = prod(self.output)
        pooled = outputs * prod(self.kernel) if self.kernel and self.params and not self.macs else 0
        return self.macs + pooled + (outputs if self.bias else 0)

    @classmethod
    def from_row(cls, row: list) -> "Layer":
        """Back from JSON, where tuples are lists."""
        return cls(*(tuple(value) if isinstance(value, list) else value for value in row))

    def to_row(self) -> list:
        return list(astuple(self))


COLUMNS = (*[column.name for column in fields(Layer)][:-1], "field")  # of the stored tables


class Part(NamedTuple):
    """What a module, layer or container, gives out."""

    output: tuple[int, ...]  # shape of the first tensor, without the batch; of the last call
    receptive_field: int | None  # as of a Layer
    layers: int  # layers with weights on the longest way through it


@dataclass(frozen=True)
class Summary:
    """A network in figures, batch 1, evaluation mode. `print` shows the table.

    `params` counts every nn.Parameter once, frozen or not; running statistics are buffers and stay
    out. `idle` of them are not read in evaluation: auxiliary heads. `macs` are the multiply-adds of
    convolutions and matrix products. `uncounted` names the operations whose multiply-adds are not
    known, and so not among them, each with the paths of the modules that run it, once a call;
    `notes` are sentences on how it was counted. Where inputs were given, all is for these as they
    are, and `input_size` is the first tensor's shape without its first dimension.
    """

    network: str
    input_size: tuple[int, ...]
    rows: tuple[Layer, ...]
    parts: Mapping[str, Part]  # of every module that ran, by path; "" is the network
    params: int
    uncounted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # see below
    notes: tuple[str, ...] = ()
    called: str = ""  # "input 3x8x8", "inputs 2x3x8x8 and mask 2x8x8"; "" as the first

    @property
    def macs(self) -> int:
        return sum(row.macs for row in self.rows)

    @property
    def flops(self) -> int:
        return 2 * self.macs

    @property
    def idle(self) -> int:
        return self.params - sum(row.params for row in self.rows)

    @property
    def connections(self) -> int:
        return sum(row.connections for row in self.rows)

    @property
    def layers(self) -> int:
        """Layers with weights on the longest path from input to output: the depth that papers put
        in a name.

        Convolutions, linear layers and trainable poolings count; a projection on a shortcut lies on
        the shorter path, and a gate that multiplies the maps (squeeze and excitation) on none. A
        module may say for itself what it counts as, by an int called `counted_layers`: Res2Net's
        hierarchy of 3x3 convolutions is the one that it replaces.
        """
        return self.parts[""].layers

    def under(self, path: str) -> list[Layer]:
        """The rows of a module and all inside it."""
        return [
            row
            for row in self.rows
            if not path or row.name == path or row.name.startswith(f"{path}.")
        ]

    def _repr_html_(self) -> str:
        from convatlas.anatomy.on_a_page import summary_html

        return summary_html(self)

    def __str__(self) -> str:
        header = ("layer", "kind", "kernel", "output", "params", "MACs", "receptive field")
        lines = [header, *(_cells(row) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = "\n".join(
            "  ".join(
                cell.ljust(width) if i < 4 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )
        idle = f", {self.idle:,} of them only in training" if self.idle else ""
        told = [f"not counted: {op} in {_places(self.uncounted[op])}" for op in self.uncounted]
        return "\n".join(
            (
                f"{self.network}, {self.called or f'input {by(self.input_size)}'}",
                table,
                f"{self.params:,} parameters{idle}; {self.macs:,} MACs ({self.flops:,} FLOPs); "
                f"{self.layers} layers deep",
                *told,
                *self.notes,
            )
        )


def _places(paths: tuple[str, ...]) -> str:
    """ "3.conv, 4.conv (2 calls)" """
    each = []
    for path in dict.fromkeys(paths):
        times = paths.count(path)
        each.append((path or "the network itself") + f" ({times} calls)" * (times > 1))
    more = f" and {len(each) - FEW} others" if len(each) > FEW else ""
    return ", ".join(each[:FEW]) + more


def by(sizes: tuple[int, ...] | None) -> str:
    """(64, 56, 56) -> 64x56x56"""
    return "x".join(map(str, sizes or ()))


def stride_text(layer: Layer) -> str:
    """ " /2", or nothing where the stride is 1"""
    if layer.stride is None or set(layer.stride) == {1}:
        return ""
    return f" /{layer.stride[0]}" if len(set(layer.stride)) == 1 else f" /{by(layer.stride)}"


def window_text(layer: Layer) -> str:
    """ "3x3 /2 g32": the window, its stride if not 1, its groups if not 1."""
    return (
        by(layer.kernel)
        + stride_text(layer)
        + (f" g{layer.groups}" if (layer.groups or 1) > 1 else "")
    )


def _cells(row: Layer) -> tuple[str, ...]:
    return (
        row.name,
        row.kind,
        window_text(row),
        by(row.output),
        f"{row.params:,}",
        f"{row.macs:,}",
        "" if row.receptive_field is None else str(row.receptive_field),
    )
