"""From which distribution each parameter of a network is drawn: read off the operations that fill
it while the network is built on the meta device, which costs next to nothing.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple
from unittest import mock

import torch
import torch.nn as nn
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

FRESH = ("normal_", "uniform_", "fill_", "zero_", "trunc_normal_")  # forget what was there
FACTORIES = {"zeros": 0.0, "zeros_like": 0.0, "ones": 1.0, "ones_like": 1.0}


class Drawn(NamedTuple):
    """normal(deviation), uniform(bound) and truncated(deviation, cut), all of mean 0, or
    constant(value); for anything else `kind` spells the operations out.
    """

    kind: str
    numbers: tuple[float, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}({', '.join(f'{number:.6g}' for number in self.numbers)})"


class Write(NamedTuple):
    operation: str
    numbers: tuple[float, ...]
    begin: int  # elements of the storage that are written
    end: int


class Recorder(TorchDispatchMode):
    """What was written to each storage since it was last overwritten as a whole."""

    def __init__(self):
        super().__init__()
        self.writes: dict[int, list[Write]] = {}
        self.kept: list[torch.UntypedStorage] = []  # alive, so that no address is used twice

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name.endswith("_"):
            defaults = {a.name: a.default_value for a in func._schema.arguments}
            given = dict(zip(defaults, args, strict=False)) | (kwargs or {})
            self.note(args[0], name, (defaults | given).values())
        elif name in FACTORIES:
            self.note(out, "fill_", (FACTORIES[name],))
        return out

    def note(self, t: Tensor, operation: str, arguments: Iterable) -> None:
        storage = t.untyped_storage()
        self.kept.append(storage)
        numbers = tuple(float(x) for x in arguments if isinstance(x, int | float))
        begin = t.storage_offset()
        write = Write(operation, numbers, begin, begin + t.numel())
        whole = t.numel() * t.element_size() == storage.nbytes()
        if operation in FRESH and whole:
            self.writes[storage._cdata] = []
        self.writes.setdefault(storage._cdata, []).append(write)

    def drawn(self, t: Tensor) -> list[Drawn]:
        """The distributions of a parameter's parts, in order; of most, the one of the whole."""
        writes = self.writes.get(t.untyped_storage()._cdata, [])
        parts = [write for write in writes if write.end - write.begin < t.numel()]
        begins = [0, *(write.end for write in parts)]
        tiled = [write.begin for write in parts] == begins[:-1] and begins[-1] == t.numel()
        return [distribution([write]) for write in parts] if tiled else [distribution(writes)]


def distribution(writes: list[Write]) -> Drawn:
    operations = [write.operation for write in writes]
    numbers = writes[0].numbers if writes else ()
    match operations, numbers:
        case ["normal_"], (0.0, deviation):
            return Drawn("normal", (deviation,))
        case ["uniform_"], (low, high) if low == -high:
            return Drawn("uniform", (high,))
        case ["trunc_normal_"], (0.0, deviation, low, high) if low == -high:
            return Drawn("truncated", (deviation, high))
        case ["fill_"], (value,):
            return Drawn("constant", (value,))
        case ["zero_"], ():
            return Drawn("constant", (0.0,))
    return Drawn(" then ".join(f"{w.operation}{w.numbers}" for w in writes) or "nothing at all")


def record(make: Callable[[], nn.Module]) -> tuple[nn.Module, Recorder]:
    """A network without storage, and the recorder that watched it come into being."""
    recorder = Recorder()
    return recording(recorder, make), recorder


def recording(recorder: Recorder, act: Callable):
    """act(), watched. torch leaves tensors without storage alone where it truncates a normal
    distribution, so that this is seen at the call.
    """

    def truncate(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, generator=None):
        recorder.note(tensor, "trunc_normal_", (mean, std, a, b))
        return tensor

    with mock.patch.object(nn.init, "trunc_normal_", truncate), torch.device("meta"), recorder:
        return act()
