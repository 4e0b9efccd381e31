"""Layers, an initialisation and a rounding rule that more than one paper uses."""

from collections import OrderedDict

import torch
import torch.nn as nn


def seq(**layers: nn.Module) -> nn.Sequential:
    """nn.Sequential that keeps the paper's names: seq(conv1=..., relu1=...)."""
    return nn.Sequential(OrderedDict(layers))


class ConvBN(nn.Sequential):
    """Bias-free convolution, then batch norm; odd kernels, same padding.  (N, c_in, H, W) -> (N,
    c_out, H/s, W/s)
    """

    def __init__(self, c_in: int, c_out: int, k: int, stride: int = 1, groups: int = 1):
        assert k % 2 == 1, "an even kernel writes its padding out in its own network file"
        super().__init__(
            OrderedDict(
                conv=nn.Conv2d(c_in, c_out, k, stride, padding=k // 2, groups=groups, bias=False),
                bn=nn.BatchNorm2d(c_out),
            )
        )


class LocalResponseNorm(nn.LocalResponseNorm):
    """AlexNet's Sec. 3.3 with its own constants: b = a / (2 + 1e-4 * sum of a^2 over 5
    channels)^0.75.

    torch divides alpha by the window, the paper does not; hence 5e-4 here.
    """

    def __init__(self):
        super().__init__(size=5, alpha=5 * 1e-4, beta=0.75, k=2.0)


class FilterConcat(nn.Module):
    """GoogLeNet (arXiv:1409.4842), Figure 2: branches that read the same maps, their outputs one
    after the other.

    (N, c, H, W) -> (N, the sum of the branches' channels, H', W'), in the order of the branches
    """

    def __init__(self, **branches: nn.Module):
        super().__init__()
        for name, branch in branches.items():
            self.add_module(name, branch)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.children()], dim=1)


class ChannelShuffle(nn.Module):
    """ShuffleNet (arXiv:1707.01083), Figure 1(c): channel i of group g goes to place i of all
    groups, g-th there.

    (N, c, H, W) -> the same shape
    """

    def __init__(self, groups: int):
        super().__init__()
        self.groups = groups

    def forward(self, x):
        return x.unflatten(1, (self.groups, -1)).transpose(1, 2).flatten(1, 2)


def he_init(layer: nn.Module) -> None:
    """He et al. 2015 (arXiv:1502.01852), Sec. 2.2, the backward (fan-out) case, on
    a convolution.
    """
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")


def make_divisible(channels: float, by: int = 8) -> int:
    """Nearest multiple of `by`, never more than 10% below. From the MobileNet authors' code, not
    from a paper.
    """
    rounded = max(by, int(channels + by / 2) // by * by)
    return rounded if rounded >= 0.9 * channels else rounded + by
