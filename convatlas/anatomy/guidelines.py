"""The four guidelines of ShuffleNetV2 (Ma et al. 2018, Sec. 2), measured on a network: what its
layers move beside what they compute. docs/guidelines.md derives the formulas.

Plain records: works on a stored table and a stored graph without torch.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod, sqrt

from convatlas.anatomy.network_graph import NetworkGraph
from convatlas.anatomy.spending import ACTIVATION, JOIN, NORM, Spent, spent
from convatlas.anatomy.table import Layer

NUMBERED = re.compile(r"[A-Za-z_]*\d+$")


@dataclass(frozen=True)
class Conv:
    """A convolution as the formulas read it; h x w is the map that it gives out."""

    name: str
    pixels: int  # h w
    reads: int  # c1
    gives: int  # c2
    groups: int  # g
    window: int  # k k
    macs: int  # B

    @property
    def mac(self) -> int:
        """Memory access cost: h w (c1 + c2) + k k c1 c2 / g."""
        return self.pixels * (self.reads + self.gives) + self.macs // self.pixels

    @property
    def least(self) -> float:
        """No 1x1 convolution of as many multiply-adds moves less: 2 sqrt(h w B) + B / (h w)."""
        return 2 * sqrt(self.pixels * self.macs) + self.macs / self.pixels

    @property
    def in_one_group(self) -> float:
        """What as many multiply-adds on the same input would move in one group: c2 / g channels."""
        return self.pixels * (self.reads + self.gives / self.groups) + self.macs / self.pixels


@dataclass(frozen=True)
class Guidelines:
    """What the four say of one network, for one image in evaluation. Norms are left out, as
    engines fold them into the layer before.
    """

    pointwise: tuple[Conv, ...]  # G1: 1x1 in one group
    grouped: tuple[Conv, ...]  # G2: of more than one group, but not depthwise
    unit: str  # G3: the one with most fragments
    fragments: int  # convolutions and poolings in it
    moved: int  # G4: values moved in all
    moved_elementwise: int  # by activations, sums and other joins
    moved_depthwise: int
    macs: int
    macs_depthwise: int

    @property
    def over_the_bound(self) -> float | None:
        """G1: MAC of the 1x1 convolutions, for 1 of the least that their multiply-adds allow."""
        return _ratio(self.pointwise, "least")

    @property
    def beside_one_group(self) -> float | None:
        """G2: MAC of the grouped convolutions, for 1 of the same work in one group."""
        return _ratio(self.grouped, "in_one_group")

    @property
    def least_balanced(self) -> Conv | None:
        """G1: the 1x1 convolution farthest above its bound."""
        return max(self.pointwise, key=lambda conv: conv.mac / conv.least, default=None)

    def to_record(self) -> dict:
        """As JSON: the ratios, and what they are of."""
        return {
            "G1": {
                "mac": sum(conv.mac for conv in self.pointwise),
                "least": sum(conv.least for conv in self.pointwise),
                "over": self.over_the_bound,
            },
            "G2": {
                "mac": sum(conv.mac for conv in self.grouped),
                "in_one_group": sum(conv.in_one_group for conv in self.grouped),
                "over": self.beside_one_group,
            },
            "G3": {"unit": self.unit, "fragments": self.fragments},
            "G4": {
                "moved": self.moved,
                "elementwise": self.moved_elementwise,
                "depthwise": self.moved_depthwise,
                "macs": self.macs,
                "macs_depthwise": self.macs_depthwise,
            },
        }


def _ratio(convs: Sequence[Conv], to: str) -> float | None:
    least = sum(getattr(conv, to) for conv in convs)
    return sum(conv.mac for conv in convs) / least if convs else None


def guidelines(graph: NetworkGraph, rows: Sequence[Layer]) -> Guidelines:
    """What the four guidelines say of a network; `rows` are those of its layer table."""
    boxes = spent(graph, rows)
    named = list(_convs(graph, rows, boxes))
    unit, fragments = _most_fragments(rows)
    depthwise = [box for box in boxes if box.kind.startswith("depthwise")]
    return Guidelines(
        tuple(conv for conv, kind in named if kind == "1x1"),
        tuple(conv for conv, kind in named if kind.startswith("grouped")),
        unit,
        fragments,
        sum(box.moved for box in boxes if box.kind != NORM),
        sum(box.moved for box in boxes if box.kind in (ACTIVATION, JOIN)),
        sum(box.moved for box in depthwise),
        sum(box.macs for box in boxes),
        sum(box.macs for box in depthwise),
    )


def _convs(
    graph: NetworkGraph, rows: Sequence[Layer], boxes: Sequence[Spent]
) -> Iterable[tuple[Conv, str]]:
    """Every convolution with its kind."""
    for box, took in zip(graph.boxes, boxes, strict=True):
        row = None if box.row is None else rows[box.row]
        if row is None or not row.macs or not row.kernel or row.groups is None:
            continue
        reads = graph.boxes[box.reads[0]].output[0]
        pixels, window = prod(row.output[1:]), prod(row.kernel)
        conv = Conv(row.name, pixels, reads, row.output[0], row.groups, window, row.macs)
        yield conv, took.kind


def _most_fragments(rows: Iterable[Layer]) -> tuple[str, int]:
    """The unit with most convolutions and poolings, and how many."""
    found: dict[str, int] = {}
    for row in rows:
        if row.kernel:
            unit = _unit(row.name)
            found[unit] = found.get(unit, 0) + 1
    return max(found.items(), key=lambda item: item[1], default=("", 0))


def _unit(path: str) -> str:
    """ "conv3_x.1" of a stage of numbered units, "inception_3a" of a unit at the top."""
    names = path.split(".")
    inside = len(names) > 2 and NUMBERED.match(names[1])
    return ".".join(names[: 2 if inside else 1])
