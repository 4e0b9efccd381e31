"""One pass of a network, written down as a graph of operations.

The pass runs on a copy, on the meta device, which has shapes and no numbers; what does not depend
on the input is computed as it is, so that constants are known by their content.
"""

import copy
from collections import OrderedDict
from collections.abc import Iterator

import torch
import torch.nn as nn
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from convatlas.wiring.building import Builder
from convatlas.wiring.graph import Graph, Weight, bare
from convatlas.wiring.movements import Storages
from convatlas.wiring.operations import Operation
from convatlas.wiring.recording import draws, record
from convatlas.wiring.rewriting import finished

BATCH = 2  # two images show what is done to each, and what is done across them
HOOKS = ("_forward_hooks", "_backward_hooks", "_backward_pre_hooks")
SHAPED = {  # new tensors that take no more from another one than its shape or kind
    *("new_zeros", "new_ones", "new_full", "new_empty", "new_empty_strided"),
    *("zeros_like", "ones_like", "full_like", "empty_like"),
}
EMPTY = {"empty", "empty_like", "new_empty", "new_empty_strided", "empty_strided"}


def of(net: nn.Module, input_size: tuple[int, ...] | None = None, *, fold: bool = False) -> Graph:
    """The operations of `net` in evaluation, for images of `input_size`, (C, H, W); by default
    `net.input_size`.

    `net` itself is not run, moved or changed. With `fold` a batch norm behind a convolution or a
    linear layer counts as part of it, as in a network whose norms have been folded. Raises
    ValueError where no input size is known or where the network cannot run on it.
    """
    size = tuple(input_size or getattr(net, "input_size", ()))
    kind = getattr(net, "name", "") or type(net).__name__
    if not size:
        raise ValueError(
            f"{kind} does not state an input size; give one: wiring.of(net, input_size=(C, H, W))"
        )
    ghost = _on_meta(net)
    floats = (p.dtype for p in ghost.parameters() if p.is_floating_point())
    x = torch.empty(BATCH, *size, dtype=next(floats, None), device="meta")
    with torch.inference_mode(False):
        tracer = Tracer(ghost, x)
        outputs = tracer.run(kind, size, ghost, x)
    return finished(tracer.build, kind, size, tracer.inputs, outputs, fold=fold)


def _on_meta(net: nn.Module) -> nn.Module:
    """A copy for evaluation whose parameters have no storage. Forward hooks stay after: they watch
    the caller's network.
    """
    memo = {
        id(getattr(module, hooks)): OrderedDict() for module in net.modules() for hooks in HOOKS
    }
    memo |= {id(t): _ghost(t) for t in _trained(net)}
    return copy.deepcopy(net, memo).eval()


def _trained(net: nn.Module) -> Iterator[Tensor]:
    yield from net.parameters()
    for module in net.modules():
        yield from (value for value in vars(module).values() if isinstance(value, Tensor))


def _ghost(tensor: Tensor) -> Tensor:
    if not isinstance(tensor, nn.Parameter):
        return tensor.detach().clone()
    empty = torch.empty_like(tensor, device="meta", requires_grad=False)
    return nn.Parameter(empty, requires_grad=tensor.requires_grad)


class Tracer(TorchDispatchMode):
    """Follows a pass, operation by operation, and lays a node for each."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Else torch would import its compiler, half a second, to keep it out of this."""
        return False

    def __init__(self, net: nn.Module, x: Tensor):
        super().__init__()
        self.build = Builder(BATCH)
        self.storages = Storages(self.build)
        self.stack: list[str] = []
        self.x = x
        place = self.build.lay("input", shape=tuple(x.shape), batched=True, alone=True)
        self.inputs = (place,)
        self.storages.hold(x, place)
        for name, tensor in net.named_parameters():
            self._own(name, tensor)
        for name, tensor in net.named_buffers():
            self.storages.names[tensor.untyped_storage()._cdata] = name
        for name, module in net.named_modules():
            self._watch(name, module)

    def _own(self, name: str, tensor: Tensor) -> None:
        weight = Weight(name, tuple(tensor.shape))
        self.build.unpaid[name] = tensor.numel()
        place = self.build.lay(
            "parameter", weights=(weight,), shape=tuple(tensor.shape), batched=False
        )
        self.storages.hold(tensor, place)

    def _watch(self, name: str, module: nn.Module) -> None:
        def enter(*_):
            self.stack.append(name)
            self.build.where = name

        def leave(*_):
            self.stack.pop()
            self.build.where = self.stack[-1] if self.stack else ""

        module.register_forward_pre_hook(enter, prepend=True)
        module.register_forward_hook(leave)

    def run(self, kind: str, size: tuple[int, ...], net: nn.Module, x: Tensor) -> tuple[int, ...]:
        """The places of what the network answers with."""
        try:
            with torch.no_grad(), self:
                answer = net(x)
        except (RuntimeError, NotImplementedError) as error:
            where = f" at {self.stack[-1]}" if self.stack and self.stack[-1] else ""
            by = "x".join(map(str, size))
            raise ValueError(f"{kind} does not run on an input of {by}{where}: {error}") from error
        return tuple(self._answer(t) for t in tree_leaves(answer) if isinstance(t, Tensor))

    def _answer(self, t: Tensor) -> int:
        """An answer in another shape than its last operation gives it is another answer."""
        seen = self.storages.see(t)
        place = seen.place
        full = self.build.full[place]
        if bare(seen.shape) == bare(full) and len(seen.shape) == len(full):
            return place
        own = {"to": seen.shape[1:]}
        return self.build.lay("reshape", own, (place,), shape=seen.shape)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        name = func.overloadpacket.__name__
        tensors = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        if name in SHAPED or not tensors:
            return self._new(func, name, args, kwargs)
        if not any(map(self.storages.knows, tensors)) and not draws(func, kwargs):
            return func(*args, **kwargs)
        if _is_view(func):
            return func(*args, **kwargs)
        return self._step(func, args, kwargs)

    def _new(self, func, name: str, args: tuple, kwargs: dict):
        """A tensor of known content, or of drawn numbers."""
        if "device" in {a.name for a in func._schema.arguments}:
            kwargs["device"] = "cpu"
        args = tree_map_only(Tensor, lambda t: torch.empty_like(t, device="cpu"), args)
        out = func(*args, **kwargs)
        if draws(func, kwargs):
            record(Operation(self.build, self.storages, func, args, kwargs, out))
        return out.zero_() if name in EMPTY else out

    def _step(self, func, args: tuple, kwargs: dict):
        ghosts = tree_map_only(Tensor, _shadow, (args, kwargs))
        out = func(*ghosts[0], **ghosts[1])
        operation = Operation(self.build, self.storages, func, args, kwargs, out)
        record(operation)
        if not operation.written:
            return out
        return operation.written[0] if isinstance(out, Tensor) else tuple(operation.written)


def _shadow(t: Tensor) -> Tensor:
    return (
        t if t.is_meta else torch.empty_strided(t.shape, t.stride(), dtype=t.dtype, device="meta")
    )


def _is_view(func) -> bool:
    """Whether the answer lies in the storage of the input, unchanged."""
    if torch.Tag.inplace_view in func.tags:
        return True
    returns = func._schema.returns
    aliases = [r.alias_info for r in returns if r.alias_info is not None]
    if func.overloadpacket.__name__ in ("_unsafe_view", "lift_fresh"):
        return True
    if not aliases or any(alias.is_write for alias in aliases):
        return False
    return func not in (torch.ops.aten.view.dtype, torch.ops.aten.view_as_real.default)
