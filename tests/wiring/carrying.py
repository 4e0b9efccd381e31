"""Weights from one network into another that is said to be the same, and what both then answer."""

import torch
import torch.nn as nn
from torch import Tensor

from convatlas.wiring import Match


def randomise(net: nn.Module, seed: int = 0) -> nn.Module:
    """In double precision, every weight and running statistic at random, and such that what flows
    through neither dies out nor runs away.
    """
    draw = torch.Generator().manual_seed(seed)
    net.double().eval()
    for name, t in [*net.named_parameters(), *net.named_buffers()]:
        if not isinstance(t, nn.Parameter) and "running_" not in name:
            continue
        if name.endswith("running_var"):
            t.data = torch.rand(t.shape, generator=draw, dtype=t.dtype) + 0.5
        elif t.ndim > 1:
            t.data = torch.randn(t.shape, generator=draw, dtype=t.dtype) * (
                (2 / t[0].numel()) ** 0.5
            )
        elif name.endswith("weight"):
            t.data = torch.rand(t.shape, generator=draw, dtype=t.dtype) + 0.5
        else:
            t.data = torch.randn(t.shape, generator=draw, dtype=t.dtype) * 0.1
    return net


def carry(match: Match, a: nn.Module, b: nn.Module) -> None:
    """The weights of `a` into `b`."""
    b.double().eval()
    mine, other = a.state_dict(keep_vars=True), b.state_dict(keep_vars=True)
    for name, there in match.weights.items():
        with torch.no_grad():
            other[there].data = mine[name].detach().reshape(other[there].shape).clone()


@torch.no_grad()
def apart(a: nn.Module, b: nn.Module, x: Tensor) -> float:
    """The largest difference of what they answer, as a share of the largest answer."""
    ours, theirs = a(x), b(x)
    assert ours.shape == theirs.shape
    assert ours.std(0).max() > 0, "two images, one answer: nothing was compared"
    return float((ours - theirs).abs().max() / ours.abs().max())
