"""Where the cost of a network goes: parameters, multiply-adds, and the values that its layers hand
on, by stage and by kind of layer.

Plain records: works on a stored table and a stored graph without torch.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import prod

from convatlas.anatomy.network_graph import Box, NetworkGraph
from convatlas.anatomy.table import Layer, by

FULLY, NORM, ACTIVATION = "fully connected", "normalisation", "activation"
POOL, JOIN, SHUFFLE, PADDING, OTHER = "pooling", "join", "shuffle", "padding", "other"
LINEAR = ("Linear", "RBF")
ACTIVATIONS = ("relu", "sigmoid", "swish", "silu", "gelu", "tanh", "elu", "softmax", "squash")
JOINS = ("add", "concat", "multiply", "subtract", "scale", "sum")
PASSING = ("Identity", "Drop", "StochasticDepth", "Flatten")  # in evaluation: the same values
VIEWS = ("output", "split", "crop", "input")  # nothing is written
BYTES = 4  # of a value in single precision


@dataclass(frozen=True)
class Spent:
    """What one box of the drawn graph takes, for one image in evaluation."""

    name: str  # dotted path
    stage: str  # the module at the top of the network that it is in; "" is the network itself
    kind: str  # "1x1", "3x3", "depthwise 3x3", "grouped 3x3", "fully connected", ...
    output: tuple[int, ...]  # shape, without the batch
    params: int
    macs: int
    values: int  # that it writes: elements of its output; 0 where it hands on what it reads
    moved: int  # values that it reads and writes, weights among them: memory access cost


@dataclass(frozen=True)
class Share:
    """The sum over a stage or a kind of layer."""

    name: str
    boxes: int  # calls of layers and joins
    params: int
    macs: int
    values: int
    moved: int
    output: tuple[int, ...]  # of the last one


def spent(graph: NetworkGraph, rows: Sequence[Layer]) -> list[Spent]:
    """What each box of a graph takes, in order; `rows` are those of its layer table.

    Sums of params and macs are those of the table.
    """
    found = []
    for box in graph.boxes:
        row = None if box.row is None else rows[box.row]
        reads = [graph.boxes[read].output for read in dict.fromkeys(box.reads)]
        params, macs = (row.params, row.macs) if row else (0, 0)
        written = 0 if hands_on(box) else prod(box.output)
        moved = sum(map(prod, reads)) + written + params if written else 0
        stage = box.name.partition(".")[0]
        kind = kind_of(box, row, reads[0][0] if reads and reads[0] else 0)
        found.append(Spent(box.name, stage, kind, box.output, params, macs, written, moved))
    return found


def hands_on(box: Box) -> bool:
    """Nothing is written: the answer is what was read, or a part of it."""
    return box.kind in VIEWS or (box.row is not None and box.kind.startswith(PASSING))


def kind_of(box: Box, row: Layer | None, channels: int) -> str:
    """In the words of the field; `channels` are those that a layer reads. A convolution is named by
    its window: "1x1", "depthwise 3x3" where every channel has filters of its own, "grouped 3x3".
    """
    if row is None:
        return _of_join(box.kind)
    if row.macs:
        if row.kernel is None:
            return FULLY if row.kind.endswith(LINEAR) else OTHER
        return f"{_in_groups(row, channels)}{by(row.kernel)}"
    kind = row.kind.lower()
    if row.kernel or "pool" in kind:
        return POOL
    if "norm" in kind or kind == "localresponsenorm":
        return NORM
    if hands_on(box):
        return OTHER
    return _by_word(kind)


def _in_groups(row: Layer, channels: int) -> str:
    """A layer that keeps a table of connections in its groups, as LeNet's, reads other channels
    than those groups have together.
    """
    groups = row.groups or 1
    each = row.macs // (prod(row.output) * prod(row.kernel or ()))  # channels that a filter reads
    if groups == 1 or each * groups != channels:
        return ""
    return "depthwise " if each == 1 else "grouped "


def _by_word(kind: str) -> str:
    if "shuffle" in kind:
        return SHUFFLE
    if "pad" in kind or kind.startswith("same"):
        return PADDING
    return ACTIVATION if _activates(kind) else OTHER


def _activates(kind: str) -> bool:
    return any(word in kind for word in ACTIVATIONS)


def _of_join(kind: str) -> str:
    if kind in JOINS:
        return JOIN
    return POOL if "mean" in kind or "pool" in kind else _by_word(kind)


def by_stage(boxes: Iterable[Spent]) -> list[Share]:
    """A share for each module at the top of the network, in the order they run."""
    return _shares(boxes, lambda box: box.stage)


def by_kind(boxes: Iterable[Spent]) -> list[Share]:
    """A share for each kind of layer, by multiply-adds, then by parameters and values."""
    found = _shares(boxes, lambda box: box.kind)
    return sorted(found, key=lambda share: (-share.macs, -share.params, -share.values))


def total(boxes: Iterable[Spent]) -> Share:
    """Of the whole network."""
    (found,) = _shares(boxes, lambda box: "") or [Share("", 0, 0, 0, 0, 0, ())]
    return found


def _shares(boxes: Iterable[Spent], key: Callable[[Spent], str]) -> list[Share]:
    groups: dict[str, list[Spent]] = {}
    for box in boxes:
        if box.values or box.params:
            groups.setdefault(key(box), []).append(box)
    return [
        Share(
            name,
            sum(bool(box.values) for box in group),
            sum(box.params for box in group),
            sum(box.macs for box in group),
            sum(box.values for box in group),
            sum(box.moved for box in group),
            group[-1].output,
        )
        for name, group in groups.items()
    ]
