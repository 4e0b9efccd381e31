"""The few words that all second constructions share: torch.nn.functional, and a dictionary of
weights under the names of the network's state_dict.

Every width and kernel size is said by the construction and compared with the tensor that it is
handed: a table that reads otherwise fails here, before any number is computed.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


class Weights(dict[str, Tensor]):
    """Tensors by name; knows which were read, and keeps what `stage` names.

    `ours`: what the network's own modules gave, for each stage to begin with.
    """

    def __init__(self, state: dict[str, Tensor], ours: dict[str, Tensor] | None = None):
        super().__init__(state)
        self.read: set[str] = set()
        self.stages: dict[str, Tensor] = {}
        self.ours = ours or {}

    def __getitem__(self, name: str) -> Tensor:
        self.read.add(name)
        return super().__getitem__(name)

    def stage(self, name: str, x: Tensor) -> Tensor:
        """`x`, which the network's module of that name must give too."""
        self.stages[name] = x
        return self.ours.get(name, x)


def weight(w: Weights, name: str, *wanted: int) -> Tensor:
    """A tensor by name, of the shape that the paper gives it."""
    value = w[name]
    assert value.shape == wanted, f"{name}: {tuple(value.shape)}, the table says {wanted}"
    return value


def conv(
    w: Weights,
    x: Tensor,
    name: str,
    width: int,
    kernel: int | tuple[int, int],
    stride: int = 1,
    groups: int = 1,
    dilation: int = 1,
    bias: bool = False,
    padding: int | None = None,
) -> Tensor:
    """`width` kernels, padded so that stride 1 keeps the map's size unless `padding` is given."""
    rows, columns = (kernel, kernel) if isinstance(kernel, int) else kernel
    kernels = weight(w, f"{name}.weight", width, x.shape[1] // groups, rows, columns)
    same = (dilation * (rows // 2), dilation * (columns // 2))
    b = weight(w, f"{name}.bias", width) if bias else None
    return F.conv2d(x, kernels, b, stride, same if padding is None else padding, dilation, groups)


def norm(w: Weights, x: Tensor, name: str, eps: float = 1e-5) -> Tensor:
    """Batch norm as it is after training."""
    shape = (1, -1) + (1,) * (x.dim() - 2)
    mean, variance = w[f"{name}.running_mean"].view(shape), w[f"{name}.running_var"].view(shape)
    gamma, beta = w[f"{name}.weight"].view(shape), w[f"{name}.bias"].view(shape)
    return (x - mean) / torch.sqrt(variance + eps) * gamma + beta


def conv_norm(w, x, name, width, kernel, stride=1, groups=1, eps=1e-5, **rest) -> Tensor:
    x = conv(w, x, f"{name}.conv", width, kernel, stride, groups, **rest)
    return norm(w, x, f"{name}.bn", eps)


def linear(w: Weights, x: Tensor, name: str, bias: bool = True) -> Tensor:
    return F.linear(x, w[f"{name}.weight"], w[f"{name}.bias"] if bias else None)


def hidden(w: Weights, x: Tensor, name: str, width: int) -> Tensor:
    """A fully connected layer whose width the paper prints, of all that is in `x`."""
    x = x.flatten(1)
    kernels = weight(w, f"{name}.weight", width, x.shape[1])
    return F.linear(x, kernels, w[f"{name}.bias"])


def max_pool(x: Tensor, kernel: int, stride: int, padding: int = 0, up: bool = False) -> Tensor:
    """`up`: a size that the stride does not divide is rounded up."""
    return F.max_pool2d(x, kernel, stride, padding, ceil_mode=up)


def mean(x: Tensor) -> Tensor:
    """Global average pooling."""
    return x.mean((2, 3))


def across_channels(x: Tensor, size: int, alpha: float, beta: float, k: float) -> Tensor:
    """AlexNet's normalisation by its printed formula, which does not divide alpha by `size`."""
    n = x.shape[1]
    squares = F.pad(x.square(), (0, 0, 0, 0, size // 2, size // 2))
    total = sum(squares[:, i : i + n] for i in range(size))
    return x / (k + alpha * total) ** beta


def cat(*branches: Tensor) -> Tensor:
    return torch.cat(branches, 1)
