"""The listings and the atlas networks beside them, traced each at its own size."""

from functools import cache

import torch
import torch.nn as nn
from every import LISTINGS

from convatlas import registry, wiring
from convatlas.anatomy.comparing import compare
from convatlas.anatomy.difference import Difference
from convatlas.anatomy.steps import Walk

META = torch.device("meta")


@cache
def listing_net(name: str) -> nn.Module:
    with META:
        return LISTINGS[name].build().eval()


@cache
def listing_walk(name: str) -> Walk:
    return Walk.of(listing_net(name), LISTINGS[name].size)


@cache
def atlas(name: str, classes: int, channels: int) -> Walk:
    """With so many classes and input channels."""
    with META:
        net = registry.create_model(name, num_classes=classes, in_channels=channels).eval()
    return Walk.of(net, (channels, net.side, net.side))


def beside(name: str) -> tuple[Walk, Walk]:
    """The listing, and its atlas network with the listing's classes and channels."""
    here = listing_walk(name)
    classes = answer(here.graph)
    return here, atlas(LISTINGS[name].atlas, classes, LISTINGS[name].size[0])


def answer(graph: wiring.Graph) -> int:
    return graph.nodes[graph.outputs[0]].output[0]


@cache
def difference(name: str) -> Difference:
    """From the network of the atlas to the listing."""
    here, there = beside(name)
    return compare(there, here)
