"""What a network costs by a table of its layers, as NetAdapt measures it: in multiply-adds, or in
milliseconds of this processor, each convolution and fully connected layer by itself.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convatlas.narrowing.groups import Anatomy
from convatlas.narrowing.surgery import Shapes
from convatlas.narrowing.tracing import Layer
from convatlas.timing import alternated

ROUNDS = 15  # of a layer
NETWORK_ROUNDS = 31
Key = tuple  # of numbers: all that the time of a layer depends on


class Cost(Protocol):
    """What is counted, its unit, and the cost of a network with tensors of changed shapes."""

    unit: str

    def __call__(self, anatomy: Anatomy, changed: Shapes) -> float: ...


class Macs:
    """Multiply-adds for one image."""

    unit = "MACs"

    def __call__(self, anatomy: Anatomy, changed: Shapes) -> float:
        return anatomy.macs(changed)


class Latency:
    """Milliseconds for one image, the sum over convolutions and fully connected layers; norms,
    activations and sums are not in it.
    """

    unit = "ms"

    def __init__(self, known: Mapping[Key, float] | None = None):
        self.table: dict[Key, float] = dict(known or {})

    def __call__(self, anatomy: Anatomy, changed: Shapes) -> float:
        shapes = {**anatomy.shapes, **changed}
        layers = anatomy.trace.layers
        keys = [_key(layers[n], p, shapes[n]) for n, p in anatomy.trace.calls if n in layers]
        self.measure([key for key in dict.fromkeys(keys) if key not in self.table])
        return sum(self.table[key] for key in keys)

    def measure(self, keys: list[Key]) -> None:
        """Adds what is new to the table."""
        times = milliseconds([_layer(key) for key in keys], ROUNDS)
        self.table |= dict(zip(keys, times, strict=True))


def _key(layer: Layer, positions: int, shape: tuple[int, ...]) -> Key:
    if not layer.window:
        return (positions, *shape)
    groups = shape[0] // layer.depthwise if layer.depthwise else layer.groups
    numbers = [n for part in layer.window for n in _pair(part)]
    return (groups, *numbers, *layer.sizes, *shape)


def _pair(value: object) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value, value)


def _layer(key: Key) -> Callable[[], Tensor]:
    """The layer alone, ready to run on one image of noise."""
    generator = torch.Generator().manual_seed(0)
    if len(key) == 3:
        positions, c_out, c_in = key
        x = torch.randn(positions, c_in, generator=generator)
        weight = torch.randn(c_out, c_in, generator=generator)
        return partial(F.linear, x, weight)
    groups, *window, height, width, c_out, per_group, tall, wide = key
    stride, padding, dilation = window[:2], window[2:4], window[4:6]
    x = torch.randn(1, per_group * groups, height, width, generator=generator)
    weight = torch.randn(c_out, per_group, tall, wide, generator=generator)
    return partial(F.conv2d, x, weight, None, stride, padding, dilation, groups)


def milliseconds(calls: list[Callable[[], object]], rounds: int) -> list[float]:
    """The least of each, of `rounds` runs that take turns: what else the machine does only adds to
    it.
    """
    named = {str(number): call for number, call in enumerate(calls)}
    with torch.inference_mode():
        found = alternated(named, 0, rest=lambda: None, least=rounds)  # torch's threads only
    return [1000 * timing.best for timing in found.values()]


def networks_latency(nets: list[nn.Module], size: tuple[int, ...]) -> list[float]:
    """Milliseconds of each whole network for one image of `size`, (C, H, W), run in turns."""
    x = torch.randn(1, *size, generator=torch.Generator().manual_seed(0))
    return milliseconds([partial(net.eval(), x) for net in nets], NETWORK_ROUNDS)
