"""One pass of a network, written down as a graph of operations.

The pass runs on a copy, on images without numbers; what does not depend on them is computed as it
is, so that constants are known by their content. Where a network cannot run so, the images have
numbers.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from uuid import uuid4

import torch
import torch.nn as nn
from torch import Tensor
from torch.export import ExportedProgram
from torch.nn import Module
from torch.nn.parameter import is_lazy
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves, tree_map_only

from convatlas.calling import given, module_of, name_of, tensors_in
from convatlas.calling.copying import in_memory, with_its_constants
from convatlas.wiring.building import Builder
from convatlas.wiring.constants import Constants
from convatlas.wiring.graph import Graph, Weight, bare
from convatlas.wiring.hooks import answering
from convatlas.wiring.movements import Seen, Storages
from convatlas.wiring.operations import Operation
from convatlas.wiring.recording import draws, record
from convatlas.wiring.rewriting import finished

BATCHES = (3, 2, 1)  # several images show what is done across them; some modules take no three
SHAPED = {  # new tensors that take no more from another one than its shape or kind
    *("new_zeros", "new_ones", "new_full", "new_empty", "new_empty_strided"),
    *("zeros_like", "ones_like", "full_like", "empty_like"),
}
EMPTY = {"empty", "empty_like", "new_empty", "new_empty_strided", "empty_strided"}
OTHER_NUMBERS = {"view_as_real", "view_as_complex", "_conj", "_neg_view"}  # in the same storage
READING = {"_local_scalar_dense", "is_nonzero", "equal", "nonzero"}  # Python sees numbers


def of(
    net: nn.Module | ExportedProgram,
    input_size: tuple[int, ...] | None = None,
    *,
    fold: bool = False,
) -> Graph:
    """The operations of `net` in evaluation, for images of `input_size`, (C, H, W); by default
    `net.input_size`.

    `net` itself is not run, moved or changed. With `fold` a batch norm behind a convolution or a
    linear layer counts as part of it, as in a network whose norms have been folded. What Python
    decides by numbers of the pass makes a graph that is no other's equal. Raises ValueError where
    no input size is known or where the network cannot run on it.
    """
    module = module_of(net)
    kind = name_of(module)
    called = given(module, input_size, example="wiring.of(net, input_size=(C, H, W))")
    if len(called.sizes) != 1:
        raise ValueError(f"input_size lists {len(called.sizes)} sizes; a graph is of one image")
    size = called.size
    tracer, outputs = _traced(module, kind, size)
    return finished(tracer.build, kind, size, tracer.inputs, outputs, fold=fold)


def _traced(net: nn.Module, kind: str, size: tuple[int, ...]) -> tuple["Tracer", tuple[int, ...]]:
    """The first of several ways to run it that goes through: without numbers before with them."""
    hooks = answering(net)
    first: tuple[Exception, str] | None = None
    found: tuple[Tracer, tuple[int, ...]] | None = None
    with torch.inference_mode(False), torch.no_grad(), torch.device("cpu"):
        for real, batch in product((False, True), BATCHES):
            tracer = None
            if found and not real:
                continue
            try:
                twin, x = _made(net, (batch, *size), real)
                tracer = Tracer(twin, x, real, hooks)
                answer = tracer, tracer.run(twin, x)
            except Exception as error:
                first = first or (error, tracer.where if tracer else "")
                continue
            found = answer if real else found or answer
            if not tracer.storages.lost:
                break
    if found:
        return found
    error, path = first
    where = f" at {path}" if path else ""
    by = "x".join(map(str, size))
    raise ValueError(f"{kind} does not run on an input of {by}{where}: {error}") from error


def _made(net: nn.Module, shape: tuple[int, ...], real: bool) -> tuple[nn.Module, Tensor]:
    """A copy to run, and images for it."""
    twin = (in_memory if real else with_its_constants)(net)
    if any(map(is_lazy, twin.parameters())):
        twin = in_memory(net)
        twin(torch.zeros(shape))
        twin = (in_memory if real else with_its_constants)(twin)
    kind = next((p.dtype for p in twin.parameters() if p.is_floating_point()), None)
    if real:
        draw = torch.Generator().manual_seed(0)
        return twin, torch.rand(shape, generator=draw).to(kind)
    return twin, torch.empty(shape, dtype=kind, device="meta")


class Tracer(TorchDispatchMode):
    """Follows a pass, operation by operation, and lays a node for each."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Else torch would import its compiler, half a second, to keep it out of this."""
        return False

    def __init__(self, net: nn.Module, x: Tensor, real: bool, hooks: dict[str, str]):
        super().__init__()
        self.build = Builder(x.shape[0])
        self.storages = Storages(self.build, x.dtype)
        self.real = real
        self.hooks = hooks
        self.stack: list[str] = []
        self.decided: list[int] = []
        place = self.build.lay("input", shape=tuple(x.shape), batched=True, alone=True)
        self.inputs = (place,)
        self.storages.hold(x, place)
        for name, tensor in Module.named_parameters(net):
            self._own(name, tensor)
        for name, tensor in Module.named_buffers(net):
            self.storages.name(name, tensor)
        for name, module in Module.named_modules(net):
            self._watch(name, module)

    @property
    def where(self) -> str:
        """The path of the module that runs."""
        return self.stack[-1] if self.stack else ""

    def _own(self, name: str, tensor: Tensor) -> None:
        weight = Weight(name, tuple(tensor.shape))
        self.build.unpaid[name] = tensor.numel()
        place = self.build.lay(
            "parameter", weights=(weight,), shape=tuple(tensor.shape), batched=False
        )
        self.storages.hold(tensor, place)

    def _watch(self, name: str, module: nn.Module) -> None:
        def enter(_, args):
            self._settle(args)
            self.stack.append(name)
            self.build.where = name

        def leave(_, args, output):
            self._settle(output)
            if name in self.hooks:
                self._hooked(name, output)
            self.stack.pop()
            self.build.where = self.where

        Module.register_forward_pre_hook(module, enter, prepend=True)
        Module.register_forward_hook(module, leave)

    def _hooked(self, name: str, values: object) -> None:
        """The caller's hook may have answered in the module's place."""
        with _disable_current_modes(), torch.device("cpu"):
            for t in tensors_in(values):
                seen = self.storages.see(t)
                own = {"hook": self.hooks[name]}
                shape = tuple(t.shape)
                place = self.build.lay("forward hook", own, (seen.place,), shape=shape)
                self.storages.write(t, Seen(place, shape))

    def _settle(self, values: object) -> None:
        """What a module moves is its own doing, whichever module reads it."""
        with _disable_current_modes(), torch.device("cpu"):
            for t in tensors_in(values):
                if self.storages.knows(t) and self.storages.whole(t, axes=True) is None:
                    self.storages.settle(self.storages.codes(t))

    def run(self, net: nn.Module, x: Tensor) -> tuple[int, ...]:
        """The places of what the network answers with, and of what Python read of its numbers."""
        with Constants(), self:
            answer = net(x)
        found = list(self._answers(answer))
        if not found:
            raise TypeError(f"its answer, {type(answer).__name__}, holds no tensor")
        return (*found, *self.decided)

    def _answers(self, answer: object) -> Iterator[int]:
        """One for each tensor; of several in a dict their names count."""
        if not isinstance(answer, Mapping) or len(answer) < 2:
            yield from map(self._answer, tensors_in(answer))
            return
        for name, value in answer.items():
            for place in self._answers(value):
                full = self.build.full[place]
                yield self.build.lay("answer", {"name": str(name)}, (place,), shape=full)

    def _answer(self, t: Tensor) -> int:
        """An answer in another shape than its last operation gives it is another answer."""
        seen = self.storages.see(t)
        place = seen.place
        if seen.shape == bare(self.build.full[place]):
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
            if kwargs.get("device") is not None and not any(t.is_meta for t in tensors):
                kwargs["device"] = "cpu"  # a constant keeps its numbers
            return func(*args, **kwargs)
        if _is_view(func):
            return func(*args, **kwargs)
        if name in READING:
            return self._read(func, args, kwargs, tensors)
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

    def _read(self, func, args: tuple, kwargs: dict, tensors: list[Tensor]):
        """Numbers that Python may decide by: what follows holds for these images only."""
        out = func(*args, **kwargs)
        reads = tuple(self.storages.see(t).place for t in tensors if self.storages.knows(t))
        own = {"decides": uuid4().hex}
        self.decided.append(self.build.lay("numbers read", own, reads, shape=(1,)))
        return out

    def _step(self, func, args: tuple, kwargs: dict):
        ghosts = (args, kwargs) if self.real else tree_map_only(Tensor, _shadow, (args, kwargs))
        out = func(*ghosts[0], **ghosts[1])
        written = any(r.alias_info is not None for r in func._schema.returns)
        if not written:
            out = tree_map_only(Tensor, self._apart, out)
        operation = Operation(self.build, self.storages, func, args, kwargs, out)
        record(operation)
        if not operation.written:
            return out
        return operation.written[0] if isinstance(out, Tensor) else tuple(operation.written)

    def _apart(self, t: Tensor) -> Tensor:
        """A result that is no view has a storage of its own, whatever this kernel does."""
        if not self.storages.knows(t):
            return t
        return _fresh(t) if t.is_meta else t.resolve_conj().resolve_neg().clone()


def _shadow(t: Tensor) -> Tensor:
    if t.is_meta:
        return t
    return _fresh(t)


def _fresh(t: Tensor) -> Tensor:
    return torch.empty_strided(t.shape, t.stride(), dtype=t.dtype, device="meta")


def _is_view(func) -> bool:
    """Whether the answer lies in the storage of the input, unchanged."""
    if torch.Tag.inplace_view in func.tags:
        return True
    returns = func._schema.returns
    aliases = [r.alias_info for r in returns if r.alias_info is not None]
    name = func.overloadpacket.__name__
    if name in ("_unsafe_view", "lift_fresh"):
        return True
    if not aliases or any(alias.is_write for alias in aliases):
        return False
    return func != torch.ops.aten.view.dtype and name not in OTHER_NUMBERS
