"""Counts the layers of any torch.nn.Module: one evaluation pass of a copy on the meta device, which
has no numbers.

Multiply-adds come from torch's own formulas (torch.utils.flop_counter), operation by operation, and
go to the module that runs it.
"""

import copy
from collections import OrderedDict
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple, Self

import torch
import torch.nn as nn
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry
from torch.utils.weak import WeakTensorKeyDictionary

from convatlas.anatomy import receptive
from convatlas.anatomy.table import Layer, Part, Summary, by

NORMALISATION = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)
# Where two tensors that depend on the image are multiplied, the deeper one is a gate, computed from
# the other: its layers lie beside the way (squeeze and excitation, selective kernels).
GATES = ("mul", "mul_")
DECLARED = "counted_layers"  # a module's own word for how many layers it counts as in a depth
HOOKS = ("_forward_hooks", "_backward_hooks", "_backward_pre_hooks")


def summary(net: nn.Module, input_size: tuple[int, ...] | None = None) -> Summary:
    """The layer table and totals of `net` for one image of `input_size`, (C, H, W); by default
    `net.input_size`.

    `net` itself is not run, moved or changed. A row is one call of a layer; work that a container
    does itself (a matrix product, its own parameters) gets a row under the container's name. Raises
    ValueError where no input size is known or where the network cannot run on it.
    """
    trace = Trace.of(net, input_size)
    return Summary(trace.kind, trace.size, tuple(trace.rows), trace.parts, trace.params)


def _on_meta(net: nn.Module) -> nn.Module:
    """A copy for evaluation, without storage. Forward hooks stay after: they watch the caller's
    network.
    """
    memo = {
        id(getattr(module, hooks)): OrderedDict() for module in net.modules() for hooks in HOOKS
    }
    memo |= {id(tensor): _ghost(tensor) for tensor in _tensors(net)}
    return copy.deepcopy(net, memo).eval()


def _tensors(net: nn.Module) -> Iterator[Tensor]:
    yield from net.parameters()
    yield from net.buffers()
    for module in net.modules():
        yield from (value for value in vars(module).values() if isinstance(value, Tensor))


def _ghost(tensor: Tensor) -> Tensor:
    empty = torch.empty_like(tensor, device="meta", requires_grad=False)
    return (
        nn.Parameter(empty, requires_grad=tensor.requires_grad)
        if isinstance(tensor, nn.Parameter)
        else empty
    )


class Origin(NamedTuple):
    """What a tensor that depends on the input comes from."""

    axes: receptive.Axes | None  # None: the input is no image
    depth: int  # layers with weights on the longest path up to here


class Call:
    """A running module and what its own operations, not its children's, have added up to."""

    def __init__(self, name: str, module: nn.Module, depth: int):
        self.name, self.module, self.depth = name, module, depth
        self.params = self.macs = 0
        self.window: receptive.Window | None = None
        self.bias = False


class Trace(TorchDispatchMode):
    """Follows one pass, operation by operation, and closes a row when a module returns."""

    def __init__(self, net: nn.Module, kind: str, size: tuple[int, ...]):
        super().__init__()
        self.kind, self.size = kind, size
        self.rows, self.parts, self.stack = [], {}, []
        self.origins = WeakTensorKeyDictionary()
        self.names = {id(p): name for name, p in net.named_parameters()}
        self.unread = {id(p): p.numel() for p in net.parameters()}
        self.params = sum(self.unread.values())
        for name, module in net.named_modules():
            module.register_forward_pre_hook(self._enter(name), with_kwargs=True)
            module.register_forward_hook(self._leave)

    @classmethod
    def of(cls, net: nn.Module, input_size: tuple[int, ...] | None = None) -> Self:
        """The finished trace of one pass; arguments and errors as for `summary`."""
        size = tuple(input_size or getattr(net, "input_size", ()))
        kind = getattr(net, "name", "") or type(net).__name__
        if not size:
            raise ValueError(
                f"{kind} does not state an input size; give one: summary(net, input_size=(C, H, W))"
            )
        with torch.inference_mode(False):  # it keeps linear layers whole, which have no formula
            return cls._run(_on_meta(net), kind, size)

    @classmethod
    def _run(cls, ghost: nn.Module, kind: str, size: tuple[int, ...]) -> Self:
        trace = cls(ghost, kind, size)
        floats = (p.dtype for p in ghost.parameters() if p.is_floating_point())
        try:
            with torch.no_grad(), torch.device("meta"):
                x = torch.empty(1, *size, dtype=next(floats, None))
                trace.start(x)
                with trace:
                    ghost(x)
        except (RuntimeError, NotImplementedError) as error:
            where = f" at {trace.stack[-1].name}" if trace.stack and trace.stack[-1].name else ""
            raise ValueError(
                f"{kind} does not run on an input of {by(size)}{where}: {error}"
            ) from error
        return trace

    def start(self, x: Tensor) -> None:
        self.origins[x] = Origin(receptive.pixels(x.shape) if x.ndim == 4 else None, 0)

    def _enter(self, name: str):
        def hook(module, args, kwargs):
            self.stack.append(Call(name, module, self._depth((args, kwargs))))

        return hook

    def _leave(self, module, args, output) -> None:
        call = self.stack.pop()
        self._declare(call, output)
        first = next((t for t in tree_leaves(output) if isinstance(t, Tensor)), None)
        shape = () if first is None else tuple(first.shape[1:])
        part = Part(shape, self._field(first), self._depth(output) - call.depth)
        self.parts[call.name] = part
        leaf = next(module.children(), None) is None
        if leaf or call.params or call.macs:
            self.rows.append(_row(call, part))

    def _declare(self, call: Call, output) -> None:
        declared = getattr(call.module, DECLARED, None)
        for t in tree_leaves(output) if isinstance(declared, int) else ():
            if isinstance(t, Tensor) and t in self.origins:
                self.origins[t] = self.origins[t]._replace(depth=call.depth + declared)

    def _field(self, t: Tensor | None) -> int | None:
        origin = None if t is None else self.origins.get(t)
        return max(axis.receptive_field for axis in origin.axes) if origin and origin.axes else None

    def _depth(self, values) -> int:
        origins = [self.origins.get(t) for t in tree_leaves(values) if isinstance(t, Tensor)]
        return max((origin.depth for origin in origins if origin), default=0)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        macs = _multiply_adds(func, args, kwargs or {}, out)
        named = _by_name(func, args, kwargs or {})
        inputs = [t for t in tree_leaves(named) if isinstance(t, Tensor)]
        window = receptive.window_of(func.overloadpacket.__name__, named)
        if self.stack:
            self._credit(self.stack[-1], inputs, macs, window)
            self._note(self.stack[-1], func, named, inputs, out)
        self._follow(func.overloadpacket.__name__, named, inputs, out, bool(macs), window)
        return out

    def _credit(
        self, call: Call, inputs: list[Tensor], macs: int, window: receptive.Window | None
    ) -> None:
        call.macs += macs
        if (
            window and len(window.kernel) == 2
        ):  # local response norm pools over channels, as a volume
            call.window = _alike(call.window, window)
        for t in inputs:
            if id(t) in self.names:
                call.bias |= self.names[id(t)].rpartition(".")[2] == "bias"
                call.params += self.unread.pop(id(t), 0)

    def _note(self, call: Call, func, named: dict, inputs: list[Tensor], out) -> None:
        """For traces that keep more than rows: an operation, credited to `call`, before its result
        is followed.
        """

    def _follow(
        self, op: str, named: dict, inputs: list[Tensor], out, multiplies: bool, window
    ) -> None:
        data = [(t, self.origins[t]) for t in inputs if t in self.origins]
        if not data:
            return
        trained_pool = (
            window
            and self.stack
            and next(self.stack[-1].module.parameters(recurse=False), None) is not None
        )
        weighted = (multiplies and len(data) < len(inputs)) or (not multiplies and trained_pool)
        deepest = min if op in GATES else max
        depth = deepest(origin.depth for _, origin in data) + bool(weighted)
        axes = receptive.join([origin.axes for _, origin in data]) if data[0][1].axes else None
        for t in tree_leaves(out):
            if isinstance(t, Tensor):
                self.origins[t] = Origin(
                    axes and receptive.after(op, named, data[0][0], axes, t), depth
                )


def _multiply_adds(func, args: tuple, kwargs: dict, out) -> int:
    """Of one operation, by torch's own formula for it; 0 where torch has none."""
    formula = flop_registry.get(func.overloadpacket)
    return formula(*args, **kwargs, out_val=out) // 2 if formula else 0


def _row(call: Call, part: Part) -> Layer:
    kernel, stride, padding, _, groups = call.window or (None,) * 5
    bias = call.bias and not isinstance(call.module, NORMALISATION)
    return Layer(
        call.name,
        type(call.module).__name__,
        kernel,
        stride,
        padding,
        groups,
        part.output,
        call.params,
        bias,
        call.macs,
        part.receptive_field,
    )


def _alike(first: receptive.Window | None, other: receptive.Window) -> receptive.Window:
    """A layer of several convolutions shows the first one's window, and groups only where they
    agree.
    """
    return (
        other
        if first is None
        else first
        if first.groups == other.groups
        else first._replace(groups=None)
    )


@cache
def _arguments(func) -> tuple[tuple[str, object], ...]:
    return tuple((a.name, a.default_value) for a in func._schema.arguments)


def _by_name(func, args: tuple, kwargs: dict) -> dict:
    names = _arguments(func)
    return (
        dict(names) | {name: value for (name, _), value in zip(names, args, strict=False)} | kwargs
    )
