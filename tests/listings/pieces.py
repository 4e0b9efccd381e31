"""The few modules of which the listings are put together."""

from collections.abc import Callable

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor


class Do(nn.Module):
    """A step without weights, for nn.Sequential."""

    def __init__(self, function: Callable[[Tensor], Tensor]):
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class Plus(nn.Module):
    """branch(x) + shortcut(x), and `after` behind the sum."""

    def __init__(
        self,
        branch: nn.Module,
        shortcut: nn.Module | None = None,
        after: nn.Module | None = None,
    ):
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut or nn.Identity()
        self.after = after or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.branch(x) + self.shortcut(x))


class Beside(nn.Module):
    """All branches read x; their channels are joined in the order in which they are given."""

    def __init__(self, *branches: nn.Module):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


class Gated(nn.Module):
    """x * gate(x)"""

    def __init__(self, gate: nn.Module):
        super().__init__()
        self.gate = gate

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gate(x)


class Shuffle(nn.Module):
    """Channels (g, n) to (n, g)."""

    def __init__(self, groups: int):
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        split = x.view(n, self.groups, c // self.groups, h, w)
        return split.transpose(1, 2).contiguous().view(n, c, h, w)


class HardSigmoid(nn.Module):
    """As ports write it: relu6(x + 3) / 6."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(x + 3) / 6


class HardSwish(nn.Module):
    """As ports write it: x * (relu6(x + 3) / 6)."""

    def forward(self, x: Tensor) -> Tensor:
        return x * (F.relu6(x + 3) / 6)


def flat() -> nn.Module:
    return Do(lambda x: x.view(x.size(0), -1))


def mean() -> nn.Module:
    """(N, C, H, W) -> (N, C)"""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())


def conv(c_in: int, c_out: int, k: int, stride: int = 1, **more) -> nn.Conv2d:
    """Padded by half its kernel, without a bias, unless told otherwise."""
    settings = {"padding": k // 2, "bias": False} | more
    return nn.Conv2d(c_in, c_out, k, stride, **settings)


def conv_norm(
    c_in: int,
    c_out: int,
    k: int,
    stride: int = 1,
    eps: float = 1e-5,
    momentum: float = 0.1,
    **more,
) -> nn.Sequential:
    norm = nn.BatchNorm2d(c_out, eps=eps, momentum=momentum)
    return nn.Sequential(conv(c_in, c_out, k, stride, **more), norm)


def conv_norm_relu(c_in: int, c_out: int, k: int, stride: int = 1, **more) -> nn.Sequential:
    return nn.Sequential(*conv_norm(c_in, c_out, k, stride, **more), nn.ReLU(inplace=True))


def norm_relu(c: int) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(c), nn.ReLU())


def strides(first: int, units: int) -> list[int]:
    return [first] + [1] * (units - 1)
