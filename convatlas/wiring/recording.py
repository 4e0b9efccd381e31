"""Lays a node for an operation.

One that is not in the tables is a node of aten's own name with every argument: nothing is dropped.
"""

from uuid import uuid4

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map_only

from convatlas.wiring import elementwise, layers, moving, norms
from convatlas.wiring.movements import Seen
from convatlas.wiring.operations import Operation

UNTOLD = {"layout", "device", "pin_memory", "memory_format", "non_blocking"}
DROPPING = "dropout_p"  # the only draw of an attention, off in evaluation
TABLE = elementwise.HANDLERS | layers.HANDLERS | norms.HANDLERS | moving.HANDLERS


def record(operation: Operation) -> None:
    """Lays the nodes of an operation and says what its results hold."""
    storages = operation.storages
    handler = TABLE.get(operation.name) if _ordinary(operation) else None
    answer = handler(operation) if handler else None
    if answer is None:
        answers = list(_unknown(operation))
    else:
        answers = [(operation.written[0] if operation.written else operation.first, answer)]
    for t, value in answers:
        if operation.written:
            storages.write(t, value)
        elif isinstance(value, Tensor):
            storages.hold_codes(t, value)
        else:
            storages.hold(t, value.place, value.axes)
    if isinstance(answer, Seen) and not operation.written:
        _others(operation, answer.place)


def _ordinary(operation: Operation) -> bool:
    """Whether the numbers stay of one kind: whole ones wrap, and a change of kind is rounding."""
    out = operation.written[0] if operation.written else operation.first
    if out is None:
        return False
    known = [t for t in operation.tensors if operation.storages.knows(t)]
    same = all(t.dtype == out.dtype for t in known)
    return same and (out.dtype.is_floating_point or operation.name in moving.HANDLERS)


def _others(operation: Operation, place: int) -> None:
    """Further results of a known operation, such as where a maximum was."""
    results = [t for t in tree_leaves(operation.out) if isinstance(t, Tensor)]
    for i, t in enumerate(results[1:], start=1):
        if t.numel():
            shape = tuple(t.shape)
            own = {"number": i, "of": tuple(operation.tensors[0].shape[1:])}
            other = operation.lay("result", own, (place,), shape=shape)
            operation.storages.hold(t, other)


def _unknown(operation: Operation):
    """A node for each result, with every argument."""
    results = operation.written or [t for t in tree_leaves(operation.out) if isinstance(t, Tensor)]
    for i, t in enumerate(results):
        yield t, Seen(_plain(operation, i, tuple(t.shape)), tuple(t.shape))


def _plain(operation: Operation, result: int, shape: tuple[int, ...]) -> int:
    reads = []

    def edge(t: Tensor) -> str:
        reads.append(operation.at(t))
        kind = "" if t.dtype == operation.storages.kind else f" {t.dtype}"
        return f"{len(reads)}: {tuple(t.shape)}{kind}"

    told = {name: value for name, value in operation.args.items() if name not in UNTOLD}
    if operation.args.get("dtype") == operation.kind:
        told["dtype"] = None
    own = {name: _fixed(tree_map_only(Tensor, edge, value)) for name, value in told.items()}
    own["results"] = result
    _settle_axes(operation, own)
    alone = draws(operation.func, operation.args)
    name = str(operation.func).removesuffix(".default")
    return operation.lay(name, own, tuple(reads), shape=shape, alone=alone)


def _settle_axes(operation: Operation, own: dict) -> None:
    """Axes from the front; scales only where the sizes do not tell them."""
    if not operation.tensors or operation.first is None:
        return
    sides = operation.tensors[0].shape
    for name in ("dim", "dims"):
        value = own.get(name)
        if isinstance(value, int) and sides:
            own[name] = value % len(sides)
        elif isinstance(value, tuple) and sides:
            own[name] = tuple(
                each % len(sides) if isinstance(each, int) else each for each in value
            )
    if operation.name.startswith("upsample_"):
        ratio = [out / side for out, side in zip(operation.shape, sides, strict=True)]
        names = [name for name in own if name.startswith("scales")]
        for name, exact in zip(names, ratio[len(ratio) - len(names) :], strict=True):
            own[name] = None if own[name] == exact else own[name]


def _fixed(value: object) -> object:
    """A setting that can be told from others and does not change."""
    if isinstance(value, list | tuple):
        return tuple(map(_fixed, value))
    if isinstance(value, bool | int | float | str | None):
        return value
    told = isinstance(value, torch.dtype | torch.device | torch.layout | torch.memory_format)
    return str(value) if told else f"{type(value).__name__} {uuid4().hex}"  # what is in it?


def draws(func, args: dict) -> bool:
    """Whether random numbers are drawn."""
    return torch.Tag.nondeterministic_seeded in func.tags and args.get(DROPPING) != 0
