"""Whether a network ends in a global average and one linear layer, found by its numbers.

No name is trusted: a pass is watched, and the layer whose maps, averaged over all places, are what
the classifier read (or are the class scores, as in Network in Network and SqueezeNet) is the one.
"""

from typing import NamedTuple

import torch
import torch.nn as nn
from torch import Tensor

from convatlas.explanation.watching import evaluating

CLOSE = 1e-4  # of the largest mean: the rounding of float32 over a map


class Head(NamedTuple):
    """score = mean over the places of (weight @ maps) + bias; without a weight, of the maps."""

    path: str  # the layer that gives the maps
    weight: Tensor | None  # (classes, C)
    bias: Tensor | None  # (classes,)


@torch.no_grad()
def head_of(net: nn.Module, x: Tensor) -> Head | None:
    """The head of a network as a pass over x, (N, C, H, W), shows it; None where it has another.

    The network's own `cam_layer` is preferred where several layers give the same maps.
    """
    means, linear, logits = _watched(net, x)
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        return None
    own = getattr(net, "cam_layer", None)
    preferred = [path for path, module in net.named_modules() if module is own]
    for read, weight, bias in [*_layers(linear, logits), (logits, None, None)]:
        fitting = [path for path, values in means if _alike(values, read)]
        if fitting:
            return Head(next(iter({*preferred} & {*fitting}), fitting[-1]), weight, bias)
    return None


def _watched(net: nn.Module, x: Tensor) -> tuple[list[tuple[str, Tensor]], list[tuple], object]:
    """(path and means, (N, C), of all maps of more than one place in the order in which they came;
    linear layers with what they read and gave; the answer) of one pass.
    """
    means: list[tuple[str, Tensor]] = []
    linear: list[tuple[nn.Module, Tensor, Tensor]] = []

    def hook(path: str):
        def seen(module, args, out) -> None:
            if isinstance(out, Tensor) and out.ndim == 4 and out.shape[2] * out.shape[3] > 1:
                means.append((path, out.mean((2, 3))))
            if isinstance(module, nn.Linear) or _is_linear(module, *args):
                linear.append((module, args[0].clone(), out.clone()))

        return seen

    handles = [
        module.register_forward_hook(hook(path)) for path, module in net.named_modules() if path
    ]
    try:
        with evaluating(net):
            return means, linear, net(x)
    finally:
        for handle in handles:
            handle.remove()


def _is_linear(module: nn.Module, read: object, *_) -> bool:
    """Whether it is a convolution of one place, which is a linear layer."""
    return (
        isinstance(module, nn.Conv2d)
        and isinstance(read, Tensor)
        and read.shape[2:] == module.kernel_size == (1, 1)
        and module.groups == 1
        and module.padding in ((0, 0), "valid")
    )


def _layers(linear: list[tuple], logits: Tensor) -> list[tuple]:
    """(what it read (N, C), weight, bias) of the linear layers that gave the answer itself."""
    found = []
    for module, read, gave in linear:
        if gave.numel() != logits.numel() or read.numel() != len(logits) * module.weight.shape[1]:
            continue
        if torch.equal(gave.reshape(logits.shape), logits):
            weight = module.weight.detach().flatten(1)
            bias = None if module.bias is None else module.bias.detach()
            found.append((read.reshape(len(logits), -1), weight, bias))
    return found


def _alike(means: Tensor, read: Tensor) -> bool:
    return means.shape == read.shape and bool(
        (means - read).abs().max() <= CLOSE * read.abs().max()
    )
