"""Follows the labels of channels through a network, function by function, on the meta device."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from convatlas.narrowing.labels import Channels, Labels

Place = tuple[str, int]  # a tensor of the state_dict and one of its dimensions


@dataclass
class Call:
    """A function that has run: its name, what it was given, what came out."""

    name: str
    args: tuple
    kwargs: dict
    out: Any

    def argument(self, name: str, place: int, default: Any = None) -> Any:
        return self.kwargs.get(name, self.args[place] if place < len(self.args) else default)

    @property
    def inputs(self) -> list[Tensor]:
        return [x for x in tree_leaves((self.args, self.kwargs)) if isinstance(x, Tensor)]

    @property
    def outputs(self) -> list[Tensor]:
        return [x for x in tree_leaves(self.out) if isinstance(x, Tensor)]


@dataclass
class Layer:
    """A convolution or fully connected layer."""

    window: tuple = ()  # stride, padding and dilation of a convolution
    sizes: tuple[int, ...] = ()  # of the maps that it reads
    groups: int = 1
    depthwise: int = 0  # outputs for each input
    fresh: list[int] = field(default_factory=list)  # labels that begin here


class Trace(TorchFunctionMode):
    """The labels of one pass or several: what is bound to which, and what each layer costs."""

    def __init__(self, net: nn.Module, rules: dict[str, Callable[["Trace", Call], None]]):
        super().__init__()
        self.labels, self.rules = Labels(), rules
        self.names = {id(t): name for name, t in [*net.named_parameters(), *net.named_buffers()]}
        self.bound: dict[Place, Tensor] = {}
        self.layers: dict[str, Layer] = {}  # by the weight's name
        self.calls: list[tuple[str, int]] = []  # weights that multiply, and their positions
        self.other_macs = 0  # of convolutions whose weights are no tensor of the network
        self._seen: dict[int, tuple[Tensor, Channels]] = {}  # the tensor is kept, for its id

    def __torch_function__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        call = Call(func.__name__.strip("_"), args, kwargs or {}, out)
        if call.outputs:
            self.rules.get(call.name, unknown)(self, call)
        return out

    def of(self, tensor: Tensor) -> Channels:
        """The labels of a tensor; of a vector of the network's own the labels it is bound to."""
        if id(tensor) in self._seen:
            return self._seen[id(tensor)][1]
        name = self.names.get(id(tensor))
        long = [axis for axis, size in enumerate(tensor.shape) if size > 1]
        if name is None or len(long) != 1:
            return self.labels.constant(name or "a constant")
        (axis,) = long
        labels = self.bound.get((name, axis))
        if labels is None:
            labels = self.bind(name, axis, self.labels.fresh(tensor.shape[axis]))
        return Channels(axis, labels)

    def keep(self, tensor: Tensor, channels: Channels) -> None:
        self._seen[id(tensor)] = (tensor, channels)

    def bind(self, name: str, axis: int, labels: Tensor) -> Tensor:
        """A tensor's dimension has these labels; those it had from an earlier call go with them."""
        before = self.bound.setdefault((name, axis), labels)
        if before is not labels:
            self.labels.unite(before, labels)
        return before

    def weight(self, tensor: Tensor) -> str | None:
        """The name of a layer's weight; None where it is no parameter of the network."""
        return self.names.get(id(tensor)) if isinstance(tensor, nn.Parameter) else None

    def fix(self, tensors: Iterable[Tensor], why: str) -> None:
        for tensor in tensors:
            self.labels.fix(self.of(tensor).labels, why)

    def multiplied(self, weight: Tensor, name: str | None, out: Tensor, is_last: bool) -> None:
        """Counts the positions at which a weight was applied."""
        values = out.numel() // out.shape[-1 if is_last else 1]
        if name is None:
            self.other_macs += values * weight.numel()
        else:
            self.calls.append((name, values))


def unknown(trace: Trace, call: Call) -> None:
    """A function without a rule may do anything: what it reads stays as it is."""
    trace.fix(call.inputs, call.name)
    for out in call.outputs:
        trace.keep(out, trace.labels.constant(call.name))


def traced(
    net: nn.Module, rules: dict[str, Callable[[Trace, Call], None]], size: tuple[int, ...]
) -> Trace:
    """The trace of a network on the meta device for one image of `size`, (C, H, W); of the heads
    that are trained, too, which add no cost.
    """
    trace = Trace(net, rules)
    x = torch.empty(1, *size, device="meta", dtype=next(net.parameters()).dtype)
    trace.keep(x, trace.labels.constant("the image"))
    with torch.no_grad(), trace:
        logits = net(x)
    trace.fix([logits], "the classes")
    calls, others = list(trace.calls), trace.other_macs
    if many := getattr(net, "training_outputs", None):
        with torch.no_grad(), trace:
            heads = many(x)
        trace.fix([t for t in tree_leaves(heads) if isinstance(t, Tensor)], "the classes")
    trace.calls, trace.other_macs = calls, others
    return trace
