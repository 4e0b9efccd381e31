"""Weights with which every layer of a network shows in its answers, without any training.

Fresh weights hide faults: what a layer adds that is initialised with zero cannot be missed, and
where signals fade on their way, all pictures get one answer, whatever is wrong. Here every batch
norm takes its statistics from pictures, and every layer with a bias is scaled until what it gives
out has a spread of one, in the order in which they run. Shifts keep most ReLUs open: with half of
them shut, deep networks of random weights are chaotic, and one rounding more or less moves the
logits by a tenth.
"""

from dataclasses import dataclass
from functools import partial

import torch
import torch.nn as nn
from torch import Tensor

APART = 0.01  # of the largest logit: how far the logits of any two pictures are apart, at least
LAYERS = nn.Conv2d | nn.Linear


@dataclass(frozen=True)
class Spread:
    """What norms and layers with a bias give out."""

    shift: float  # mean of a channel
    scale: float


WAYS = {
    "settled": Spread(1.0, 1.0),
    "settled low": Spread(-2.0, 2.0),  # where sigmoids begin, and are curved most
}


@torch.no_grad()
def enliven(net: nn.Module, images: Tensor) -> tuple[str, float]:
    """How its weights were set, and how far apart its logits for these images are then: the first
    of WAYS that keeps any two images apart. Raises ValueError where none does.
    """
    for name, way in WAYS.items():
        settle(net.eval(), images, way)
        apart = distance(net(images))
        if apart >= APART:
            return name, apart
    raise ValueError(f"no logit tells two pictures apart: {apart:.1e} of the largest one at most")


def distance(logits: Tensor) -> float:
    """Of the two nearest rows: their largest difference, in units of the largest logit."""
    far = (logits[:, None] - logits[None]).abs().amax(2)
    far.fill_diagonal_(torch.inf)
    return float(far.min() / logits.abs().max())


def settle(net: nn.Module, images: Tensor, way: Spread) -> None:
    handles = []
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            handles.append(module.register_forward_pre_hook(partial(_norm, way)))
        elif isinstance(module, LAYERS):
            if module.bias is not None:
                handles.append(module.register_forward_hook(partial(_scaled, way)))
        else:  # layer norms, and scales that begin near zero
            for parameter in module.parameters(recurse=False):
                parameter.uniform_(0.5, 1.5)
    net(images)
    for handle in handles:
        handle.remove()


def _norm(way: Spread, norm: nn.BatchNorm2d, args: tuple[Tensor]) -> None:
    variance, mean = torch.var_mean(args[0], (0, 2, 3), correction=0)
    norm.running_mean.copy_(mean)
    norm.running_var.uniform_(0.5, 1.5).mul_(variance.mean())
    if norm.weight is not None:
        norm.weight.uniform_(0.5, 1.5).mul_(way.scale)
    if norm.bias is not None:
        norm.bias.normal_(way.shift, 0.1)


def _scaled(way: Spread, layer: nn.Module, args: tuple, out: Tensor) -> Tensor:
    channels = out.movedim(1 if isinstance(layer, nn.Conv2d) else -1, -1).flatten(0, -2)
    variance, mean = torch.var_mean(channels, 0, correction=0)
    spread = variance.mean().sqrt() / way.scale
    if not spread > 0:
        return out
    layer.weight.div_(spread)
    layer.bias.sub_(mean).div_(spread).add_(torch.empty_like(mean).normal_(way.shift, 0.1))
    return layer.forward(*args)
