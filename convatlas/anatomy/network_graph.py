"""A network as a drawn graph: one box for each row of its layer table, one for each place where
maps meet, part or are worked on without a layer, and what each of them reads.

Plain records: a stored graph is read without torch.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import TYPE_CHECKING

from convatlas.errors import InputError

if TYPE_CHECKING:
    import torch.nn as nn

    from convatlas.anatomy.table import Summary


@dataclass(frozen=True)
class Box:
    """One call of a layer, or what a module does itself: a join, a part of a map, a mean.

    Where nothing is done nothing is drawn: an identity shortcut that is no module is an edge, and
    so are changes of shape alone.
    """

    name: str  # dotted path of the layer; of what is no layer, of the module that does it
    kind: str  # class of the layer; "input", "output", "add", "concat", "multiply", "split", ...
    reads: tuple[int, ...]  # places of the boxes it reads, all before its own, in their order
    output: tuple[int, ...]  # shape, without the batch
    row: int | None = None  # its place in the layer table; None of what is no layer


@dataclass(frozen=True)
class NetworkGraph:
    """The boxes of a network for one input, each behind those that it reads. The first are of kind
    "input", the last is of kind "output"; both have the network's own name, "".
    """

    network: str
    size: tuple[int, ...]  # (C, H, W)
    boxes: tuple[Box, ...]

    @cached_property
    def readers(self) -> tuple[tuple[int, ...], ...]:
        """For each box the places of those that read it, one for each reading."""
        found: list[list[int]] = [[] for _ in self.boxes]
        for place, box in enumerate(self.boxes):
            for read in box.reads:
                found[read].append(place)
        return tuple(map(tuple, found))

    def to_record(self) -> dict:
        """As JSON that the layer table completes.

        "reads" has, for every box, how far back the boxes lie that it reads: a list, or the
        number alone where there is one. "joins" are the boxes that are no layers, by place:
        [place, kind, name, output]; all others are the rows of the table in order, or in the
        order of "rows" where that is another one.
        """
        back = [[place - read for read in box.reads] for place, box in enumerate(self.boxes)]
        rows = [box.row for box in self.boxes if box.row is not None]
        joins = [
            [place, box.kind, box.name, list(box.output)]
            for place, box in enumerate(self.boxes)
            if box.row is None
        ]
        record = {"size": list(self.size), "joins": joins}
        record["reads"] = [each[0] if len(each) == 1 else each for each in back]
        return record if rows == sorted(rows) else record | {"rows": rows}

    @classmethod
    def from_record(cls, network: str, record: dict, rows: Sequence[list]) -> "NetworkGraph":
        """Back from JSON; `rows` are those of the stored layer table."""
        joins = {place: (kind, name, output) for place, kind, name, output in record["joins"]}
        order = iter(record.get("rows") or range(len(rows)))
        boxes = []
        for place, back in enumerate(record["reads"]):
            reads = tuple(place - each for each in ([back] if isinstance(back, int) else back))
            row = None if place in joins else next(order)
            kind, name, output = joins[place] if row is None else _of_row(rows[row])
            boxes.append(Box(name, kind, reads, tuple(output), row))
        return cls(network, tuple(record["size"]), tuple(boxes))


def of(net: "nn.Module", input_size: Iterable[int] | None = None) -> NetworkGraph:
    """The graph of any module in evaluation for one image of `input_size`, (C, H, W), by default
    of `net.input_size`; its rows are those of `anatomy.summary`.

    `net` itself is not run, moved or changed. Raises what `summary` raises.
    """
    from convatlas.anatomy.linking import drawn

    return drawn(net, None if input_size is None else tuple(input_size))


def with_summary(
    net: "nn.Module", input_size: Iterable[int] | None = None
) -> "tuple[NetworkGraph, Summary]":
    """The same, and what `anatomy.summary` gives, of one pass instead of two."""
    from convatlas.anatomy.linking import Linked

    followed = Linked.of(net, None if input_size is None else tuple(input_size))
    return followed.graph, followed.summary


def stored(name: str) -> NetworkGraph:
    """What the index holds of a network of the atlas. InputError where it holds none."""
    folder = resources.files("convatlas") / "index"
    files = [folder / kind / f"{name}.json" for kind in ("layers", "graphs")]
    if not all(file.is_file() for file in files):
        raise InputError(
            f"the index holds no graph of {name}; `python -m convatlas.index {name}` measures it, "
            "and `convatlas list` shows the networks that there are"
        )
    table, record = (json.loads(file.read_bytes()) for file in files)
    return NetworkGraph.from_record(name, record, table["rows"])


def _of_row(row: list) -> tuple[str, str, list[int]]:
    """Kind, name and output of a row of a stored table."""
    name, kind, *_ = row
    return kind, name, row[6]
