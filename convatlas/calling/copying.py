"""Copies of a network to run, so that its own tensors, lists and hooks stay as they are."""

import copy
import inspect
from collections import OrderedDict
from collections.abc import Callable, Iterator, KeysView
from types import MethodType

import torch
import torch.nn as nn
from torch import Tensor
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter, UninitializedTensorMixin

from convatlas.calling.given import PLAIN, parts_of

HOOKS = ("_forward_hooks", "_backward_hooks", "_backward_pre_hooks")


def on_meta(net: nn.Module) -> nn.Module:
    """A copy for evaluation, without storage. RuntimeError for what keeps its own elsewhere."""
    if any(isinstance(module, torch.jit.ScriptModule) for module in modules_of(net)):
        raise RuntimeError("a scripted module cannot be moved to the meta device")
    return _copied(net, _ghost)


def in_memory(net: nn.Module) -> nn.Module:
    """A copy for evaluation with the same numbers, where they are."""
    return _copied(net, _clone)


def with_its_constants(net: nn.Module) -> nn.Module:
    """A copy for evaluation whose parameters have no storage and all other tensors their numbers;
    a scripted module's parameters have theirs, too.
    """
    modules = modules_of(net)
    scripted = any(isinstance(module, torch.jit.ScriptModule) for module in modules)
    own = [] if scripted else [p for module in modules for p in module.parameters(recurse=False)]
    ghosts = set(map(id, own))
    return _copied(net, lambda tensor: (_ghost if id(tensor) in ghosts else _clone)(tensor))


def modules_of(net: nn.Module) -> list[nn.Module]:
    """All modules, though an attribute of one may hide the method of that name."""
    return [module for _, module in nn.Module.named_modules(net)]


def left_out(net: nn.Module) -> int:
    """Forward hooks that the copies are without: those of the caller, who watches the network."""
    own = {id(module): module for module in modules_of(net)}
    return sum(
        not _is_own(hook, own.keys())
        for module in modules_of(net)
        for hook in module._forward_hooks.values()
    )


def _is_own(hook: Callable, own: KeysView[int]) -> bool:
    """A method of one of the network's modules: part of what it computes, and copied with it."""
    return id(getattr(hook, "__self__", None)) in own


def _copied(net: nn.Module, turned: Callable[[Tensor], Tensor]) -> nn.Module:
    memo: dict[int, object] = {
        id(getattr(module, hooks)): OrderedDict() for module in modules_of(net) for hooks in HOOKS
    }
    held = list(_held(net))
    memo |= {id(each): turned(each) for each in held if isinstance(each, Tensor)}
    try:
        twin = copy.deepcopy(net, dict(memo))
    except Exception:
        for each in reversed(held):
            _share_what_cannot_be_copied(each, memo)
        twin = copy.deepcopy(net, memo)
    _hook_again(dict(zip(map(id, modules_of(net)), modules_of(twin), strict=True)), net)
    return _evaluating(twin)


def _hook_again(twins: dict[int, nn.Module], net: nn.Module) -> None:
    """The network's own hooks, on the copies of the modules that they are methods of."""
    for module in modules_of(net):
        for key, hook in module._forward_hooks.items():
            if _is_own(hook, twins.keys()):
                twins[id(module)].register_forward_hook(
                    MethodType(hook.__func__, twins[id(hook.__self__)]),
                    with_kwargs=key in module._forward_hooks_with_kwargs,
                )


def _held(net: nn.Module) -> Iterator[object]:
    """All objects that a network reaches, itself first: modules and tensors in plain lists too."""
    seen: set[int] = set()
    waiting: list[object] = [net]
    while waiting:
        each = waiting.pop()
        if isinstance(each, PLAIN) or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, nn.Module):
            waiting += list(vars(each).values())
        elif not isinstance(each, Tensor):
            waiting += parts_of(each)


def _share_what_cannot_be_copied(each: object, memo: dict[int, object]) -> None:
    """Locks, open files, modules of Python, running generators: the copy uses the same one."""
    if isinstance(each, nn.Module | Tensor):
        return
    try:
        copy.deepcopy(each, dict(memo))
    except Exception:
        if not parts_of(each) or inspect.isgenerator(each):
            memo[id(each)] = each


def _ghost(tensor: Tensor) -> Tensor:
    if isinstance(tensor, UninitializedTensorMixin):
        return _uninitialised(tensor, torch.device("meta"))
    empty = torch.empty_like(tensor, device="meta", requires_grad=False)
    return _as_parameter(tensor, empty)


def _clone(tensor: Tensor) -> Tensor:
    if isinstance(tensor, UninitializedTensorMixin):
        return _uninitialised(tensor, tensor.device)
    return _as_parameter(tensor, tensor.detach().clone())


def _as_parameter(tensor: Tensor, twin: Tensor) -> Tensor:
    if not isinstance(tensor, nn.Parameter):
        return twin
    return nn.Parameter(twin, requires_grad=tensor.requires_grad)


def _uninitialised(tensor: Tensor, device: torch.device) -> Tensor:
    """Of a lazy layer: its shape is known after the first pass."""
    if isinstance(tensor, UninitializedParameter):
        return UninitializedParameter(tensor.requires_grad, device=device, dtype=tensor.dtype)
    return UninitializedBuffer(device=device, dtype=tensor.dtype)


def _evaluating(net: nn.Module) -> nn.Module:
    try:
        return net.eval()
    except NotImplementedError:  # an exported program's module stays in the mode of its export
        return net
