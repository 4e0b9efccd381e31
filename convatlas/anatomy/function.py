"""What a network computes, in a few numbers: two networks of the same layer table may still differ
in an activation, an order of channels, a pooled border or an epsilon.

Every weight is an integer hash of its tensor's name and its place there, every image one of its
place: no random generator, so the numbers are the same on every machine up to the rounding of
double precision. A changed function changes them by far more than TOLERANCE.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from math import log2, prod, sqrt
from zlib import crc32

import torch
import torch.nn as nn
from torch import Tensor
from torch.func import functional_call
from torch.nn.modules.batchnorm import _NormBase

Size = tuple[int, int, int]  # channels, height, width
Values = tuple[float, ...]  # root mean square, then projections onto hashed vectors
Fingerprint = dict[str, Values]  # by stage, then "logits", then "head 0", ...

PROJECTIONS = 3
TOLERANCE = 1e-8  # of a part's root mean square; processors differ by less than a thousandth of it
LOGITS = "logits"
NORMS = (_NormBase, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)
LENGTH = 2_097_143  # of the table of hashes: prime, so that the rows of no weight repeat


def fingerprint(net: nn.Module, size: tuple[int, int, int], content: int = 0) -> Fingerprint:
    """A few values of each of `net.stages`, of the logits and of every head that only training
    reads, for image number `content` of `size` (C, H, W), in evaluation and float64.

    Weights and running statistics are hashes in place of the network's own; `net`, which may be on
    the meta device, is left as it was. Raises ValueError where a fixed buffer has no numbers.
    """
    return fingerprints(net, [(size, content)])[0]


@torch.no_grad()
def fingerprints(net: nn.Module, images: Iterable[tuple[Size, int]]) -> list[Fingerprint]:
    """The same for several images, (size, content), with the weights filled once."""
    tensors = _tensors(net)
    with _evaluating(net):
        return [_of_image(net, tensors, size, content) for size, content in images]


def _of_image(net: nn.Module, tensors: dict[str, Tensor], size: Size, content: int) -> Fingerprint:
    image = hashed(f"image {content}", (1, *size), 4)
    maps: dict[str, Tensor] = {}
    with _hooked(net, maps):
        maps[LOGITS] = functional_call(net, tensors, (image,))
    if hasattr(net, "training_outputs"):
        inner = {f"net.{name}": tensor for name, tensor in tensors.items()}
        with _hooked(net, {}):
            outputs = functional_call(_Training(net), inner, (image,))
        maps |= {f"head {i}": weight * logits for i, (logits, weight) in enumerate(outputs)}
    return {part: _values(maps[part]) for part in maps}


def difference(stored: Mapping[str, Sequence[float]], measured: Fingerprint) -> str:
    """The first part that differs, and by how much, in words; "" where none does."""
    for part in {**stored, **measured}:
        if part not in stored or part not in measured:
            return f"{part} is {'new' if part in measured else 'gone'}"
        size = stored[part][0] or 1.0
        apart = [abs(a - b) / size for a, b in zip(stored[part], measured[part], strict=True)]
        if not all(each <= TOLERANCE for each in apart):
            return f"{part} is the first part that differs, by {max(apart):.1e} of its size"
    return ""


def hashed(name: str, shape: tuple[int, ...], reach: float = 1.0) -> Tensor:
    """Numbers between -reach and reach, each a hash of the name and of its place."""
    count, begin = prod(shape), crc32(name.encode()) % LENGTH
    out = torch.empty(count, dtype=torch.float64)
    done = 0
    while done < count:
        run = _table()[begin : begin + count - done]
        torch.mul(run, reach, out=out[done : done + len(run)])
        done += len(run)
        begin = 0
    return out.view(shape)


@cache
def _table() -> Tensor:
    """A hash of 0, 1, 2, ..., as even numbers from -1 to 1; integers below 2^63 all the way."""
    x = torch.arange(1, LENGTH + 1)
    for shift, factor in ((16, 0x21F0AAAD), (15, 0x735A2D97)):
        x = ((x ^ (x >> shift)) * factor) & 0xFFFFFFFF
    x = x ^ (x >> 15)
    return (x.double() + 0.5) / 2**31 - 1


class _Training(nn.Module):
    """What the training loop reads, as a module that functional_call can run."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> list[tuple[Tensor, float]]:
        return self.net.training_outputs(x)


def fixed_buffers(net: nn.Module) -> list[str]:
    """Names of the buffers that are part of the function and no state: codes, masks."""
    norms = _norms(net)
    return [name for name, _ in net.named_buffers() if _home(name) not in norms]


def _norms(net: nn.Module) -> set[str]:
    return {path for path, module in net.named_modules() if isinstance(module, NORMS)}


def _home(name: str) -> str:
    return name.rpartition(".")[0]


def _tensors(net: nn.Module) -> dict[str, Tensor]:
    """Every parameter and running statistic, hashed, and the other buffers as they are."""
    norms = _norms(net)
    tensors = {
        name: _parameter(name, tuple(parameter.shape), _home(name) in norms)
        for name, parameter in net.named_parameters()
    }
    for name, buffer in net.named_buffers():
        if _home(name) in norms and buffer.is_floating_point():
            tensors[name] = torch.empty(buffer.shape, dtype=torch.float64)
    for name in fixed_buffers(net):
        buffer = net.get_buffer(name)
        if buffer.is_meta:
            raise ValueError(
                f"the buffer {name} has no numbers on the meta device; build on the CPU"
            )
        tensors[name] = buffer.double() if buffer.is_floating_point() else buffer
    return tensors


def _parameter(name: str, shape: tuple[int, ...], of_norm: bool) -> Tensor:
    """Signals keep their size from layer to layer, and activations reach beyond 6."""
    if of_norm:
        return hashed(name, shape).add_(2) if name.endswith("weight") else hashed(name, shape, 0.5)
    if len(shape) < 2:
        return hashed(name, shape)
    return hashed(name, shape, sqrt(6 / prod(shape[1:])))  # He's variance, 2 / fan-in


@contextmanager
def _evaluating(net: nn.Module) -> Iterator[None]:
    training = [module for module in net.modules() if module.training]
    net.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


@contextmanager
def _hooked(net: nn.Module, found: dict[str, Tensor]) -> Iterator[None]:
    """Keeps what the stages give out, and sets each norm's statistics as it is reached."""
    handles = [
        net.get_submodule(stage).register_forward_hook(partial(_keep, found, stage))
        for stage in getattr(net, "stages", ())
    ]
    handles += [
        module.register_forward_pre_hook(partial(_set_statistics, path))
        for path, module in net.named_modules()
        if isinstance(module, _NormBase) and module.running_mean is not None
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _keep(found: dict[str, Tensor], stage: str, module: nn.Module, given, out: Tensor) -> None:
    found[stage] = out


def _set_statistics(path: str, norm: _NormBase, given: tuple[Tensor, ...]) -> None:
    """Hashes of the size of what arrives, rounded to a power of four: so signals neither fade nor
    explode in a thousand layers, while a map that is a little larger stays so.
    """
    square = float(given[0].square().mean())
    power = 4.0 ** round(log2(square) / 2) if 0 < square < float("inf") else 1.0
    shape = tuple(norm.running_mean.shape)
    norm.running_mean.copy_(hashed(f"{path}.running_mean", shape, sqrt(power) / 4))
    norm.running_var.copy_(hashed(f"{path}.running_var", shape, power / 2).add_(power))


def _values(maps: Tensor) -> Values:
    flat = maps.flatten()
    size = sqrt(len(flat))
    onto = [
        float(flat @ hashed(f"projection {k}", tuple(flat.shape))) / size
        for k in range(PROJECTIONS)
    ]
    return float(flat.norm()) / size, *onto
