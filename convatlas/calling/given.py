"""What a module is called on: an image of a size, several, or whatever its forward takes."""

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from operator import index
from types import ModuleType
from typing import NamedTuple

import torch
import torch.nn as nn
from torch import Tensor
from torch.export import ExportedProgram
from torch.nn.utils.parametrize import type_before_parametrizations

Size = tuple[int, ...]
Inputs = Tensor | Sequence | Mapping[str, object]
PLAIN = (str, bytes, int, float, complex, bool, type(None), torch.dtype, torch.device)


class Given(NamedTuple):
    """The arguments of one call. Images that stand for a size have no numbers yet."""

    args: tuple
    kwargs: dict[str, object]
    size: Size  # of the first tensor, without the batch
    sizes: tuple[Size, ...]  # what was asked for; empty where tensors were given

    @property
    def called(self) -> str:
        """ "input 3x8x8", "inputs 3x8x8 and 5", "inputs 2x3x8x8 and mask 2x8x8" """
        told = [_by(size) for size in self.sizes]
        if not told:
            told = [_by(t.shape) or "a number" for t in tensors_in(self.args)]
        for name, value in self.kwargs.items():
            told += [f"{name} {_by(t.shape) or 'a number'}" for t in tensors_in(value)]
        return f"input{'s' * (len(told) > 1)} {_and(told) or 'without a tensor'}"

    @property
    def text(self) -> str:
        """ "an input of 3x8x8", "inputs of 3x8x8 and 5", "the inputs 2x3x8x8 and mask 2x8x8" """
        if not self.sizes:
            return f"the {self.called}"
        article = "an " if len(self.sizes) == 1 else ""
        return article + self.called.replace(" ", " of ", 1)


@dataclass(frozen=True)
class Image:
    """A tensor that is made when the module is called: one image of this size."""

    size: Size

    def made(self, device: torch.device, dtype: torch.dtype | None) -> Tensor:
        """With numbers from 0 to 1, always the same ones; none on the meta device."""
        if device.type == "meta":
            return torch.empty(1, *self.size, dtype=dtype, device=device)
        numbers = torch.rand(1, *self.size, generator=torch.Generator().manual_seed(0))
        return numbers.to(device, dtype)


def given(
    net: nn.Module | ExportedProgram,
    input_size: Size | Sequence[Size] | None = None,
    inputs: Inputs | None = None,
    example: str = "summary(net, input_size=(C, H, W))",
) -> Given:
    """What `net` is called on: `inputs`, else one image of `input_size` or one of each where it
    lists several, else of `net.input_size`, or what an exported program was exported with.

    `inputs` are a tensor, a tuple or list of all arguments in order, or a dict of them by name.
    Raises ValueError where neither is known, where both are given or where a size is none;
    `example` is the remedy named.
    """
    if inputs is not None and input_size is not None:
        raise ValueError("input_size and inputs are both given; give the one that is meant")
    if inputs is not None:
        args, kwargs = _arguments(inputs)
        return _of_tensors(args, kwargs)
    if isinstance(net, ExportedProgram):
        if input_size is None and net.example_inputs:
            return _of_tensors(*net.example_inputs)
        net = net.module()
    asked = input_size or getattr(net, "input_size", ())
    if not asked:
        kind = name_of(net)
        raise ValueError(f"{kind} does not state an input size; give one: {example}")
    sizes = _sizes(asked)
    return Given(tuple(Image(size) for size in sizes), {}, sizes[0], sizes)


def _arguments(inputs: Inputs) -> tuple[tuple, dict[str, object]]:
    if isinstance(inputs, Mapping):
        return (), {str(name): value for name, value in inputs.items()}
    if isinstance(inputs, tuple | list):
        return tuple(inputs), {}
    return (inputs,), {}


def _of_tensors(args: tuple, kwargs: dict[str, object]) -> Given:
    first = next(tensors_in((args, kwargs)), None)
    return Given(args, kwargs, () if first is None else tuple(first.shape[1:]), ())


def _sizes(asked) -> tuple[Size, ...]:
    try:
        several = isinstance(asked[0], Sequence)
        sizes = tuple(tuple(map(index, size)) for size in (asked if several else [asked]))
    except (TypeError, KeyError, IndexError):
        sizes = ()
    if not sizes or not all(sizes) or min(min(size) for size in sizes) < 1:
        raise ValueError(
            f"input_size is {asked!r}, which is no size; give whole numbers above 0 without the "
            "batch, such as (3, 224, 224), or a list of such sizes for a module of several inputs"
        )
    return sizes


def name_of(net: nn.Module) -> str:
    """What a network calls itself, or its class."""
    name = getattr(net, "name", "")
    return name if isinstance(name, str) and name else class_of(net)


def class_of(module: nn.Module) -> str:
    """The class that a module was made of, before it was scripted or given parametrizations."""
    if isinstance(module, torch.jit.ScriptModule):
        return module.original_name
    return type_before_parametrizations(module).__name__


def tensors_in(value, seen: frozenset[int] = frozenset()) -> Iterator[Tensor]:
    """Every tensor in what a module is given or gives out: in tuples, lists, dicts, dataclasses and
    the attributes of plain objects, in their order.
    """
    if isinstance(value, Tensor):
        yield value
    elif not isinstance(value, PLAIN) and id(value) not in seen:
        for part in parts_of(value):
            yield from tensors_in(part, seen | {id(value)})


def parts_of(value) -> list[object]:
    """What a container holds, or a plain object; nothing of a class, a function or a module."""
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, tuple | list | set | frozenset):
        return list(value)
    if isinstance(value, type | nn.Module | ModuleType) or inspect.isroutine(value):
        return []
    if is_dataclass(value):
        return [getattr(value, field.name, None) for field in fields(value)]
    return list(getattr(value, "__dict__", {}).values())


def turned(values, turn: Callable[[Tensor | Image], Tensor]):
    """A copy of `values` with every tensor and image turned, wherever it stands in them."""
    found = [*tensors_in(values), *(each for each in values[0] if isinstance(each, Image))]
    return copy.deepcopy(values, {id(each): turn(each) for each in found})


def module_of(net: nn.Module | ExportedProgram) -> nn.Module:
    """The module to look at: of an exported program, and inside compiled and distributed wrappers.
    TypeError for what is none.
    """
    if isinstance(net, ExportedProgram):
        return net.module()
    if not isinstance(net, nn.Module):
        raise TypeError(
            f"a {type(net).__name__} is no network; give a torch.nn.Module, such as "
            "create_model('resnet50')"
        )
    while isinstance(getattr(net, "_orig_mod", None), nn.Module):
        net = net._orig_mod
    if isinstance(net, nn.DataParallel | nn.parallel.DistributedDataParallel):
        net = net.module
    return net


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _by(size) -> str:
    return "x".join(map(str, size))
