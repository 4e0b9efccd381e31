"""What stands in the place of a classifier that was taken off, or of a layer that is not needed."""

import copy

import torch.nn as nn
from torch import Tensor


class Passing(nn.Module):
    """Hands on the first thing that it is given, in the place of a module that is not needed."""

    def forward(self, x: Tensor, *rest: object) -> Tensor:
        return x


class TakenOff(Passing):
    """In the place of a classifier, or of what follows it. `was` tells what a new one must look
    like: it has no numbers, and is none of the network's modules.
    """

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.was = (copy.deepcopy(layer).to("meta"),)  # nn.Module does not look into a tuple
        for width in ("in_features", "in_channels"):  # a paper's first weights may depend on it
            if hasattr(layer, width):
                setattr(self, width, getattr(layer, width))


def original(layer: nn.Module | None) -> nn.Module | None:
    """The layer itself, or the one that was taken off from its place."""
    return layer.was[0] if isinstance(layer, TakenOff) else layer


def width_of(layer: nn.Module | None) -> tuple[int, int] | None:
    """How many numbers a classifier reads and gives out; None for a module that is none."""
    for ends in (("in_channels", "out_channels"), ("in_features", "out_features")):
        sizes = tuple(getattr(layer, end, None) for end in ends)
        if all(isinstance(size, int) for size in sizes):
            return sizes
    return None


def following(net: nn.Module, path: str) -> list[str]:
    """The layers that come after a classifier in its own sequence, such as its ReLU: they belong to
    it.
    """
    place, _, name = path.rpartition(".")
    parent = net.get_submodule(place)
    if parent is net or not isinstance(parent, nn.Sequential):
        return []
    names = [child for child, _ in parent.named_children()]
    return [f"{place}.{child}" for child in names[names.index(name) + 1 :]]
