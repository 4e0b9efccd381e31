"""Copies of a network to run, so that its own tensors, lists and hooks stay as they are."""

import copy
from collections import OrderedDict
from collections.abc import Callable, Iterator, KeysView
from contextlib import suppress
from types import CellType, FunctionType, MethodType

import torch
import torch.nn as nn
from torch import Tensor
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter, UninitializedTensorMixin

from convatlas.calling.given import PLAIN, parts_of

CONTAINERS = list | tuple | dict | set | frozenset
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
    memo |= {id(each): _rebound(each) for each in held if _closes_over_something(each)}
    try:
        done = dict(memo)
        twin = copy.deepcopy(net, done)
    except Exception:
        _share_what_cannot_be_copied(held, memo)
        done = dict(memo)
        twin = copy.deepcopy(net, done)
    for function in filter(_closes_over_something, held):
        for cell, old in zip(done[id(function)].__closure__, function.__closure__, strict=True):
            with suppress(Exception):  # of what cannot be copied it keeps what it has
                cell.cell_contents = copy.deepcopy(old.cell_contents, done)
    _hook_again(dict(zip(map(id, modules_of(net)), modules_of(twin), strict=True)), net)
    return _evaluating(twin)


def _closes_over_something(function: object) -> bool:
    """A function that is made inside another and uses its modules, tensors or lists: `self.act =
    lambda x: self.conv(x)`. Copies share it otherwise, and with it the original's.
    """
    if not isinstance(function, FunctionType):
        return False
    used = [_content(cell) for cell in function.__closure__ or ()]
    return any(isinstance(each, nn.Module | Tensor | list | dict | FunctionType) for each in used)


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _rebound(function: FunctionType) -> FunctionType:
    """The same function over cells of its own."""
    twin = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        tuple(CellType(_content(cell)) for cell in function.__closure__ or ()),
    )
    twin.__kwdefaults__ = function.__kwdefaults__
    vars(twin).update(vars(function))
    return twin


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
        elif _closes_over_something(each):
            waiting += map(_content, each.__closure__)
        elif not isinstance(each, Tensor):
            waiting += parts_of(each)


def _share_what_cannot_be_copied(held: list[object], memo: dict[int, object]) -> None:
    """Locks, open files, modules of Python, running generators: the copy uses the same one. First
    what holds nothing else, then what cannot be copied though all that it holds can.
    """
    others = [each for each in held if not isinstance(each, nn.Module | Tensor | CONTAINERS)]
    for whole in (False, True):
        for each in reversed(others):
            try:
                copy.deepcopy(each, dict(memo))
            except Exception:
                if whole or not parts_of(each):
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
