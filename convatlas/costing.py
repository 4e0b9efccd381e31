"""cost: where the cost of a network goes, of the atlas by name, without torch, or of any module."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convatlas import registry
from convatlas.anatomy import Layer
from convatlas.anatomy.cost import Cost, cost_of
from convatlas.anatomy.network_graph import stored

if TYPE_CHECKING:
    import torch.nn as nn


def cost(network: str | object, input_size: Sequence[int] | None = None) -> Cost:
    """Where parameters, multiply-adds and memory of maps go, by stage and by kind of layer: of a
    network of the atlas by its name, or of any torch.nn.Module, for one image of `input_size`
    (C, H, W), by default the network's own.

    A name is looked up in the index, without torch, unless another size is asked for. Raises
    UnknownNetwork for a name that is not in the atlas, ValueError where a module states no size or
    cannot run on it.
    """
    if isinstance(network, str):
        facts = registry.describe(network)
        if input_size is None or tuple(input_size) == tuple(facts["input_size"]):
            rows = [Layer.from_row(row) for row in facts["layers"]["rows"]]
            return cost_of(network, stored(network), rows)
        from convatlas.shapes_only import shapes_only

        with shapes_only():
            net = registry.create_model(network)
        return _measured(net, input_size, network)
    return _measured(network, input_size, getattr(network, "name", "") or type(network).__name__)


def _measured(net: "nn.Module", input_size: Sequence[int] | None, name: str) -> Cost:
    from convatlas.anatomy import network_graph

    graph, table = network_graph.with_summary(net, input_size)
    return cost_of(name, graph, table.rows)
