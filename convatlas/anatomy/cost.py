"""The cost of a network as one record: what each box takes, the sums, and the most it must hold."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

from convatlas.anatomy.guidelines import Guidelines, guidelines
from convatlas.anatomy.liveness import Peak, peak
from convatlas.anatomy.network_graph import NetworkGraph
from convatlas.anatomy.spending import Share, Spent, by_kind, by_stage, spent, total
from convatlas.anatomy.table import Layer


@dataclass(frozen=True)
class Cost:
    """Where parameters, multiply-adds and the values of maps go, for one image in evaluation.

    `print` tells it in words. Parameters that are read in training alone (auxiliary heads) are not
    among them. Values are elements of maps, 4 bytes each in single precision.
    """

    network: str
    input_size: tuple[int, ...]
    boxes: tuple[Spent, ...]
    peak: Peak  # the most that is held at a time, each map in memory of its own
    peak_in_place: Peak  # where norms, activations and sums write over what they read
    guidelines: Guidelines

    @cached_property
    def total(self) -> Share:
        return total(self.boxes)

    @cached_property
    def kinds(self) -> list[Share]:
        """By kind of layer, most multiply-adds first."""
        return by_kind(self.boxes)

    @cached_property
    def stages(self) -> list[Share]:
        """By module at the top of the network, in the order they run."""
        return by_stage(self.boxes)

    def share(self, kind: str, of: str = "macs") -> float:
        """From 0 to 1: what a kind of layer ("1x1", "depthwise 3x3") takes of the network's
        "macs", "params", "values" or "moved"; 0 of a kind that it has not.
        """
        whole = getattr(self.total, of)
        part = sum(getattr(share, of) for share in self.kinds if share.name == kind)
        return part / whole if whole else 0.0

    @property
    def words(self) -> str:
        """One paragraph that answers where the cost goes."""
        from convatlas.anatomy.cost_words import paragraph

        return paragraph(self)

    def to_record(self) -> dict:
        """As JSON."""
        whole = self.total
        return {
            "network": self.network,
            "input_size": list(self.input_size),
            "params": whole.params,
            "macs": whole.macs,
            "values": whole.values,
            "moved": whole.moved,
            "peak": asdict(self.peak),
            "peak_in_place": asdict(self.peak_in_place),
            "kinds": [asdict(share) for share in self.kinds],
            "stages": [asdict(share) for share in self.stages],
            "guidelines": self.guidelines.to_record(),
            "words": self.words,
        }

    def _repr_html_(self) -> str:
        from convatlas.anatomy.on_a_page import cost_html

        return cost_html(self)

    def __str__(self) -> str:
        return f"{self.network}: {self.words}"


def cost_of(network: str, graph: NetworkGraph, rows: Sequence[Layer]) -> Cost:
    """Of a drawn graph and the layer table that completes it; stored ones do without torch."""
    boxes = spent(graph, rows)
    return Cost(
        network,
        graph.size,
        tuple(boxes),
        peak(graph, boxes),
        peak(graph, boxes, in_place=True),
        guidelines(graph, rows),
    )
