"""One pass of a copy of a network: on the meta device, which has no numbers, or where that cannot
go, a real one.
"""

import inspect
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Generic, NamedTuple, Protocol, TypeVar

import torch
import torch.nn as nn
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.parameter import is_lazy

from convatlas.calling.copying import in_memory, left_out, modules_of, on_meta
from convatlas.calling.given import Given, Image, name_of, turned

LONGEST = 200  # letters of another library's message


class Watcher(Protocol):
    """What looks on: a torch dispatch mode."""

    def start(self, values: tuple[tuple, dict]) -> None:
        """Told what the copy is about to be called on, (args, kwargs)."""

    @property
    def where(self) -> str:
        """The path of the module that runs now."""

    def __enter__(self): ...

    def __exit__(self, kind, error, trace): ...


W = TypeVar("W", bound=Watcher)


class Pass(NamedTuple, Generic[W]):
    """A pass that went through."""

    watcher: W
    notes: tuple[str, ...]  # what has to be said of it beside its figures


def watched(net: nn.Module, given: Given, watch: Callable[[nn.Module], W]) -> Pass[W]:
    """`net` called once on `given`, in evaluation, under the watcher that `watch` makes of the copy
    that is run; `net` itself is not run, moved or changed.

    On the meta device first: it needs no memory and no time. Where a network reads values, holds
    constants that lie elsewhere or uses operations without a form there, on a real copy, where its
    own tensors are. Raises ValueError, one sentence, where it runs on neither.
    """
    with torch.inference_mode(False), torch.no_grad():
        try:  # outside inference mode: it keeps linear layers whole, which have no formula
            with torch.device("meta"):
                return Pass(_once(net, given, watch, on_meta), _notes(net))
        except _Failed as failed:
            first = failed
        if _is_final(first.cause) or any(tensor.is_meta for tensor in _tensors(net)):
            raise ValueError(_sentence(net, given, first)) from first.cause
        try:
            with _plain_kernels():
                note = f"counted on a real pass: without numbers, {_reason(first.cause)}"
                return Pass(_once(net, given, watch, in_memory), (note, *_notes(net)))
        except _Failed as failed:
            raise ValueError(_sentence(net, given, failed)) from failed.cause


class _Failed(Exception):
    def __init__(self, cause: Exception, where: str, called: bool):
        super().__init__(cause)
        self.cause = cause
        self.where = where
        self.called = called  # the network, not only copied


def _is_final(error: Exception) -> bool:
    """Torch itself refuses these shapes: numbers would change nothing."""
    of_device = isinstance(error, NotImplementedError) or "meta" in str(error).lower()
    return isinstance(error, RuntimeError) and not of_device


def _once(net: nn.Module, given: Given, watch: Callable[[nn.Module], W], copied: Callable) -> W:
    watcher = None
    try:
        twin = copied(net)
        if any(map(is_lazy, _tensors(twin))):
            args, kwargs = _made(given, twin)
            twin(*args, **kwargs)
        args, kwargs = _made(given, twin)
        watcher = watch(twin)
        watcher.start((args, kwargs))
        with watcher:
            given_out = twin(*args, **kwargs)
            if inspect.isgenerator(given_out):  # nothing of it has run
                deque(given_out, maxlen=0)
    except Exception as error:
        raise _Failed(error, watcher.where if watcher else "", watcher is not None) from error
    return watcher


def _made(given: Given, net: nn.Module) -> tuple[tuple, dict]:
    """The arguments for this copy: tensors of their own, where its tensors are."""
    held = [tensor for tensor in _tensors(net) if not is_lazy(tensor)]
    device = torch.empty(0).device  # meta where all that is made is
    if device.type != "meta" and held:
        device = held[0].device
    numbers = (t.dtype for t in held if t.is_floating_point() or t.is_complex())
    dtype = next(numbers, None)

    def turn(each: Tensor | Image) -> Tensor:
        if isinstance(each, Image):
            return each.made(device, dtype)
        if device.type == "meta":
            return torch.empty_like(each, device=device, requires_grad=False)
        return each.detach().clone()

    return turned((given.args, given.kwargs), turn)


@contextmanager
def _plain_kernels() -> Iterator[None]:
    """Convolutions and matrix products one by one: a fused recurrent or attention kernel does not
    tell them. Random draws of the pass do not move the caller's generator.
    """
    fast = torch.backends.mha.get_fastpath_enabled()
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=range(torch.cuda.device_count())))
        stack.enter_context(torch.backends.mkldnn.flags(enabled=False))
        stack.enter_context(torch.backends.cudnn.flags(enabled=False))
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        stack.callback(torch.backends.mha.set_fastpath_enabled, fast)
        torch.backends.mha.set_fastpath_enabled(False)
        yield


def _tensors(net: nn.Module) -> Iterator[Tensor]:
    for module in modules_of(net):
        yield from module.parameters(recurse=False)
        yield from module.buffers(recurse=False)


def _notes(net: nn.Module) -> tuple[str, ...]:
    hooks = left_out(net)
    if not hooks:
        return ()
    return (f"run without {hooks} forward hook{'s' * (hooks > 1)} of the caller",)


def _sentence(net: nn.Module, given: Given, failed: _Failed) -> str:
    where = f" at {failed.where}" if failed.where else ""
    said = f"{name_of(net)} does not run on {given.text}{where}: {_reason(failed.cause)}"
    return said + (_remedy(given, failed.cause) if failed.called else "")


def _remedy(given: Given, error: Exception) -> str:
    """Where a size was given that was no image's, or a module that takes something else."""
    batched = next((size for size in given.sizes if len(size) == 4 and size[0] == 1), None)
    if batched:
        return f"; give the size without the batch: {batched[1:]}"
    other = isinstance(error, TypeError | AttributeError | KeyError)
    if given.sizes and (other or any(word in str(error) for word in ("indices", "Long", "unpack"))):
        return (
            "; give what its forward takes: summary(net, inputs=(tensor, ...)), or a dict by name"
        )
    return ""


def _reason(error: Exception) -> str:
    """The first sentence of the message, with the kind of error where it alone says little."""
    told = " ".join(str(error).split()).split(". ")[0].rstrip(".")
    told = told if len(told) <= LONGEST else f"{told[:LONGEST]}..."
    kind = type(error).__name__
    if kind in ("RuntimeError", "ValueError", "NotImplementedError") and told:
        return told
    return f"{kind}: {told}" if told else kind
