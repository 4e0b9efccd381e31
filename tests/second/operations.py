"""The few words in which the second constructions are written: plain torch.nn.functional on weights
that are found by name.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


class Weights(dict[str, Tensor]):
    """A network's parameters and buffers by name; knows which were read, and keeps the outputs of
    stages that a construction names on its way.
    """

    def __init__(self, state: dict[str, Tensor]):
        super().__init__(state)
        self.read: set[str] = set()
        self.stages: dict[str, Tensor] = {}

    def __getitem__(self, name: str) -> Tensor:
        self.read.add(name)
        return super().__getitem__(name)

    def stage(self, name: str, x: Tensor) -> Tensor:
        self.stages[name] = x
        return x


def conv(w, x, name, stride=1, padding=0, groups=1, bias=True):
    """A convolution with or without bias; the kernel's shape is that of the weights."""
    b = w[f"{name}.bias"] if bias else None
    return F.conv2d(x, w[f"{name}.weight"], b, stride, padding, groups=groups)


def linear(w, x, name, bias=True):
    return F.linear(x, w[f"{name}.weight"], w[f"{name}.bias"] if bias else None)


def batch_norm(w, x, name, eps=1e-5):
    """Normalised by the running statistics, as in testing."""
    mean, variance = w[f"{name}.running_mean"], w[f"{name}.running_var"]
    return F.batch_norm(x, mean, variance, w[f"{name}.weight"], w[f"{name}.bias"], eps=eps)


def max_pool(x, kernel, stride, padding=0, round_up=False):
    return F.max_pool2d(x, kernel, stride, padding, ceil_mode=round_up)


def global_mean(x):
    return x.mean((2, 3))


def across_channels(x, size, alpha, beta, k):
    """AlexNet's normalisation as its formula is printed: alpha is not divided by `size`."""
    n = x.shape[1]
    squares = F.pad(x.square(), (0, 0, 0, 0, size // 2, size // 2))
    total = sum(squares[:, i : i + n] for i in range(size))
    return x / (k + alpha * total) ** beta


def cat(*branches):
    return torch.cat(branches, 1)
