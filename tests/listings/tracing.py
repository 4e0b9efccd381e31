"""Graphs of the listings and of the atlas networks beside them, each at its own size."""

from functools import cache

import torch
from every import LISTINGS

from convatlas import registry, wiring

META = torch.device("meta")


@cache
def of_listing(name: str) -> wiring.Graph:
    with META:
        net = LISTINGS[name].build().eval()
    return wiring.of(net, LISTINGS[name].size)


@cache
def of_atlas(name: str, classes: int, channels: int, at: int | None = None) -> wiring.Graph:
    """With so many classes and input channels; on images of `at` pixels, or of its own side."""
    with META:
        net = registry.create_model(name, num_classes=classes, in_channels=channels).eval()
    side = at or net.side
    return wiring.of(net, (channels, side, side))


def beside(name: str, at: int | None = None) -> tuple[wiring.Graph, wiring.Graph]:
    """The listing's graph, and its atlas network's with the listing's classes and channels."""
    here = of_listing(name)
    classes = here.nodes[here.outputs[0]].output[0]
    return here, of_atlas(LISTINGS[name].atlas, classes, LISTINGS[name].size[0], at)
