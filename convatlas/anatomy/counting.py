"""Counts the layers of any torch.nn.Module: one evaluation pass of a copy, on the meta device
wherever the module allows, which has no numbers.

Multiply-adds come from torch's own formulas (torch.utils.flop_counter), operation by operation, and
go to the module that runs it.
"""

from collections.abc import Sequence
from functools import cache
from typing import Self

import torch
import torch.nn as nn
from torch import Tensor
from torch._ops import HigherOrderOperator
from torch.export import ExportedProgram
from torch.fx import GraphModule
from torch.jit import ScriptModule
from torch.nn import Module
from torch.nn.parameter import is_lazy
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from convatlas.anatomy import layout, receptive
from convatlas.anatomy.inside import Inside, exported_kind
from convatlas.anatomy.multiplying import multiply_adds
from convatlas.anatomy.origins import Origin, Origins, united
from convatlas.anatomy.remarks import Remarks
from convatlas.anatomy.table import Layer, Part, Summary
from convatlas.calling import class_of, given, module_of, name_of, tensors_in, watched
from convatlas.calling.given import Inputs, Size

NORMALISATION = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)
# Where two tensors that depend on the image are multiplied, the deeper one is a gate, computed from
# the other: its layers lie beside the way (squeeze and excitation, selective kernels).
GATES = ("mul", "mul_")
DECLARED = "counted_layers"  # a module's own word for how many layers it counts as in a depth
SLICES = ("slice", "select", "split", "split_with_sizes", "unbind")
PARAMETRIZED = ".parametrizations."  # what computes a layer's weight is part of the layer


def summary(
    net: nn.Module | ExportedProgram,
    input_size: Size | Sequence[Size] | None = None,
    *,
    inputs: Inputs | None = None,
) -> Summary:
    """The layer table and totals of `net` for one image of `input_size`, (C, H, W), or one of each
    size in a list; by default of `net.input_size`. Or for `inputs`, as they are: a tensor, a tuple
    of all arguments in their order (tensors, lists, dicts, ...), or a dict of them by name.

    `net` itself is not run, moved or changed; a lazy module's copy finds its sizes. A row is one
    call of a layer; work that a container does itself (a matrix product, its own parameters) gets a
    row under the container's name. Where a module cannot run without numbers (it reads values, is
    scripted or quantised), a copy runs on them, and `notes` says so; operations whose
    multiply-adds are not known are `uncounted`. Raises ValueError where no input size is known or
    where the network cannot run on it, TypeError for what is no module.
    """
    return Trace.of(net, input_size, inputs).summary


class Call:
    """A running module and what its own operations, not its children's, have added up to."""

    def __init__(self, name: str, module: nn.Module, depth: int):
        self.name = name
        self.module = module
        self.depth = depth
        self.kind = class_of(module)
        self.params = self.macs = 0
        self.window: receptive.Window | None = None
        self.bias = False
        self.part = Part((), None, 0)
        self.inside = Inside() if isinstance(module, ScriptModule | GraphModule) else None


class Trace(TorchDispatchMode):
    """Follows one pass, operation by operation, and closes a row when a module returns."""

    supports_higher_order_operators = True

    def __init__(self, net: nn.Module, kind: str, size: tuple[int, ...]):
        super().__init__()
        self.kind = kind
        self.size = size
        self.called = ""
        self.notes: tuple[str, ...] = ()
        self.rows: list[Layer] = []
        self.parts: dict[str, Part] = {}
        self.stack: list[Call] = []
        self.origins = Origins()
        self.remarks = Remarks(net)
        self.held = {name: p for name, p in net.named_parameters() if not is_lazy(p)}
        self.names = {id(p): name for name, p in self.held.items()}
        self.unread = {id(p): p.numel() for p in self.held.values()}
        self.params = sum(self.unread.values())
        self.modules = dict(net.named_modules())
        for name, module in self.modules.items():
            if PARAMETRIZED not in f".{name}.":  # by the base class: scripted ones refuse their own
                enter = self._enter(name)
                Module.register_forward_pre_hook(module, enter, prepend=True, with_kwargs=True)
                Module.register_forward_hook(module, self._leave)

    @classmethod
    def of(
        cls,
        net: nn.Module | ExportedProgram,
        input_size: Size | Sequence[Size] | None = None,
        inputs: Inputs | None = None,
    ) -> Self:
        """The finished trace of one pass; arguments and errors as for `summary`."""
        module = module_of(net)
        called = given(net if isinstance(net, ExportedProgram) else module, input_size, inputs)
        kind = name_of(module)
        trace, notes = watched(module, called, lambda twin: cls(twin, kind, called.size))
        trace.called = called.called
        trace.notes = notes
        return trace

    @property
    def summary(self) -> Summary:
        """Of a pass that has ended."""
        return Summary(
            self.kind,
            self.size,
            tuple(self.rows),
            self.parts,
            self.params,
            {op: tuple(where) for op, where in self.remarks.uncounted.items()},
            (*self.notes, *self.remarks.told()),
            self.called,
        )

    @property
    def where(self) -> str:
        return self.stack[-1].name if self.stack else ""

    def start(self, values) -> None:
        for x in tensors_in(values):
            image = x.ndim == 4 and (x.is_floating_point() or x.is_complex())
            self.origins.put(x, Origin(layout.pixels(x.shape) if image else None, 0))

    def _enter(self, name: str):
        def hook(module, args, kwargs):
            self.stack.append(Call(name, module, self._depth((args, kwargs))))

        return hook

    def _leave(self, module, args, output) -> None:
        call = self.stack.pop()
        tensors = [*tensors_in(output)]
        self._declare(call, tensors)
        part = self._part(tensors, call.depth)
        self.parts[call.name] = part
        if not call.name:
            self.remarks.lost = not any(t in self.origins for t in tensors)
        for layer in call.inside.layers.values() if call.inside else ():
            self.rows.append(_row(layer, layer.part))
        if call.params or call.macs or (is_layer(module) and tensors):
            self.rows.append(_row(call, part))

    def _part(self, tensors: list[Tensor], depth: int) -> Part:
        first = tensors[0] if tensors else None
        shape = () if first is None else tuple(first.shape[1:])
        depths = [origin.depth for t in tensors if (origin := self.origins.get(t))]
        return Part(shape, self._field(first), max(depths) - depth if depths else 0)

    def _declare(self, call: Call, tensors: list[Tensor]) -> None:
        declared = getattr(call.module, DECLARED, None)
        if isinstance(call.module, nn.RNNBase):  # not one for every step of a sequence
            declared = call.module.num_layers
        for t in tensors if isinstance(declared, int) else ():
            if origin := self.origins.get(t):
                self.origins.put(t, origin._replace(depth=call.depth + declared))

    def _field(self, t: Tensor | None) -> int | None:
        origin = None if t is None else self.origins.get(t)
        return origin.field.size if origin and origin.field else None

    def _depth(self, values) -> int:
        origins = map(self.origins.get, tensors_in(values))
        return max((origin.depth for origin in origins if origin), default=0)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if isinstance(func, HigherOrderOperator):
            return self._of_functions(func, args, kwargs or {})
        if _is_composite(func):  # as inside an operation on functions
            with self:
                out = func.decompose(*args, **(kwargs or {}))
            if out is not NotImplemented:
                return out
        out = func(*args, **(kwargs or {}))
        named = _by_name(func, args, kwargs or {})
        inputs = [t for t in tree_leaves(named) if isinstance(t, Tensor)]
        data = [(t, origin) for t in inputs if (origin := self.origins.get(t))]
        macs = multiply_adds(func, args, kwargs or {}, named, out, bool(data))
        window = receptive.window_of(func.overloadpacket.__name__, named)
        self.remarks.read(func, named, inputs, bool(data), self.where if macs is None else None)
        call = self._caller(func, inputs, data, out)
        if call:
            self._credit(call, inputs, macs or 0, window)
            self._note(self.stack[-1], func, named, inputs, out)
        self._follow(func, named, inputs, data, out, bool(macs), window)
        if call and call is not self.stack[-1]:
            call.part = self._part(_tensors(out), call.depth)
        return out

    def _of_functions(self, func: HigherOrderOperator, args: tuple, kwargs: dict):
        """An operation on functions: the branch that is taken, or a whole that is not seen into."""
        if func is torch.ops.higher_order.cond:
            taken, otherwise, operands = args[1:]
            with self:
                return (taken if args[0] else otherwise)(*operands)
        out = func(*args, **kwargs)
        macs = flop_registry.get(func, lambda *_, **__: None)(*args, **kwargs, out_val=out)
        if macs is None:
            self.remarks.uncounted.setdefault(func.name(), []).append(self.where)
        elif self.stack:
            self.stack[-1].macs += macs // 2
        data = [origin for t in _tensors((args, kwargs)) if (origin := self.origins.get(t))]
        for t in _tensors(out) if data else ():
            self.origins.put(t, united(data, t.shape, everything=True))
        return out

    def _caller(self, func, inputs: list[Tensor], data: list, out) -> Call | None:
        """The running module; inside one that runs as a whole, the layer that holds the weights."""
        if not self.stack or self.stack[-1].inside is None:
            return self.stack[-1] if self.stack else None
        running = self.stack[-1]
        owner = running.inside.owner(inputs, self.names)
        if owner is None or owner == running.name or owner not in self.modules:
            return running
        if not data:
            running.inside.keep(owner, _tensors(out))
        if owner not in running.inside.layers:
            depth = max((origin.depth for _, origin in data), default=running.depth)
            running.inside.layers[owner] = Call(owner, self.modules[owner], depth)
        call = running.inside.layers[owner]
        if type(call.module) is nn.Module:  # of an exported program, which keeps no classes
            call.kind = exported_kind(func, call.kind, inputs)
        return call

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
                call.bias |= _is_bias(self.names[id(t)])
                call.params += self.unread.pop(id(t), 0)

    def _note(self, call: Call, func, named: dict, inputs: list[Tensor], out) -> None:
        """For traces that keep more than rows: an operation, credited to `call`, before its result
        is followed.
        """

    def _follow(
        self, func, named: dict, inputs: list[Tensor], data: list, out, multiplies: bool, window
    ) -> None:
        op = func.overloadpacket.__name__
        outs = _tensors(out)
        if op in SLICES and func.is_view:
            self.origins.cut(op, named, outs)
        if not data or op in receptive.SHAPES_ALONE:
            return
        packed = func.namespace == "quantized"  # its weight is no tensor that is seen
        depth = self._deeper(op, len(inputs) + packed, data, multiplies, window)
        seen = [(t, origin.field) for t, origin in data if origin.field]
        fields = receptive.after(func, named, seen, outs) if seen else [None] * len(outs)
        given = {id(t) for t in inputs}
        for t, field in zip(outs, fields, strict=True):
            keep = self.origins.write if id(t) in given else self.origins.put
            keep(t, Origin(field, depth))

    def _deeper(self, op: str, inputs: int, data: list, multiplies: bool, window) -> int:
        trained_pool = (
            window
            and self.stack
            and next(self.stack[-1].module.parameters(recurse=False), None) is not None
        )
        weighted = (multiplies and len(data) < inputs) or (not multiplies and trained_pool)
        deepest = min if op in GATES else max
        return deepest(origin.depth for _, origin in data) + bool(weighted)


def is_layer(module: nn.Module) -> bool:
    """Without children, but for what computes its weights."""
    return all(name == "parametrizations" for name, _ in module.named_children())


def _is_bias(name: str) -> bool:
    """Also of a pruned and of a parametrized layer."""
    owner, _, last = name.rpartition(".")
    return last in ("bias", "bias_orig") or f".{owner}.".endswith(f"{PARAMETRIZED}bias.")


def _tensors(out) -> list[Tensor]:
    return [t for t in tree_leaves(out) if isinstance(t, Tensor)]


def _row(call: Call, part: Part) -> Layer:
    kernel, stride, padding, _, groups = call.window or (None,) * 5
    bias = call.bias and not isinstance(call.module, NORMALISATION)
    return Layer(
        call.name,
        call.kind,
        kernel,
        stride,
        padding,
        groups,
        part.output,
        call.params,
        bias and "Norm" not in call.kind,
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
def _is_composite(func) -> bool:
    name = func.name()
    return torch._C._dispatch_has_kernel_for_dispatch_key(name, "CompositeImplicitAutograd")


@cache
def _arguments(func) -> tuple[tuple[str, object], ...]:
    return tuple((a.name, a.default_value) for a in func._schema.arguments)


def _by_name(func, args: tuple, kwargs: dict) -> dict:
    names = _arguments(func)
    return (
        dict(names) | {name: value for (name, _), value in zip(names, args, strict=False)} | kwargs
    )
