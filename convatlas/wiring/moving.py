"""Copies, and what takes elements to other places: nothing is computed."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map_only

from convatlas.wiring.elementwise import Handler
from convatlas.wiring.movements import SHIFT, Seen
from convatlas.wiring.operations import Operation


def _copied(o: Operation) -> Seen | Tensor | None:
    """The same elements in a new storage; numbers of another kind are another value."""
    x = o["self"]
    if o.first.dtype != x.dtype:
        return None
    return o.storages.whole(x, axes=True) or o.storages.codes(x)


def _copied_into(o: Operation) -> Seen | Tensor:
    there, source = o["self"], o["src"]
    if tuple(there.shape) == tuple(source.shape) and o.storages.knows(source):
        return o.storages.whole(source, axes=True) or o.storages.codes(source)
    return o.storages.codes(source).expand(there.shape)


def _filled(value: str | float) -> Handler:
    def handler(o: Operation) -> Tensor | None:
        number = o.number(o[value] if isinstance(value, str) else value)
        if number is None or not (number.is_integer() or o.written[0].is_floating_point()):
            return None
        return _all(o, number)

    return handler


def _all(o: Operation, number: float) -> Tensor:
    place = o.storages.constant(torch.tensor(number))
    return torch.full(o.shape, place << SHIFT, dtype=torch.int64)


def _carried(*tensors: str) -> Handler:
    """Does with the elements' codes what the operation does with the elements; `tensors` are the
    arguments that only say where from, and must be constant.
    """

    def handler(o: Operation) -> Tensor | None:
        index = [t for name in tensors for t in tree_leaves(o[name]) if isinstance(t, Tensor)]
        if any(map(o.storages.knows, index)) or any(t.is_meta for t in index):
            return None
        kept = {id(t) for t in index}

        def code(t: Tensor) -> Tensor:
            return t if id(t) in kept else o.storages.codes(t).double()

        args, kwargs = tree_map_only(Tensor, code, o.raw)
        return o.func(*args, **kwargs).long()

    return handler


def _padded(o: Operation) -> Tensor | None:
    number = o.number(o["value"])
    if number is None:
        return None
    fill = o.storages.constant(torch.tensor(number)) << SHIFT
    codes = o.storages.codes(o["self"])
    return torch.constant_pad_nd(codes, o["pad"], fill)


def _joined(o: Operation) -> Seen | Tensor:
    """Tensors one behind the other: a concat of what each of them is."""
    tensors = [t for t in o["tensors"] if t.numel()]
    return _together(o, tensors, lambda parts: torch.cat(parts, o["dim"]))


def _stacked(o: Operation) -> Seen | Tensor:
    return _together(o, o["tensors"], lambda parts: torch.stack(parts, o["dim"]))


def _together(
    o: Operation, tensors: list[Tensor], join: Callable[[list[Tensor]], Tensor]
) -> Seen | Tensor:
    """Where several are more than numbers, each is settled first: the parts of a concat are read
    as they come.
    """
    moving = [t for t in tensors if o.number(t) is None]
    if len(moving) < 2 or _of_one(o, tensors):
        return join([o.storages.codes(t) for t in tensors])
    seen = {id(t): o.see(t) for t in moving}
    axis = o["dim"] % tensors[0].ndim
    plain = len(moving) == len(tensors) and o.name == "cat" and axis > 0
    if plain and all(o.full(s.place) == s.shape for s in seen.values()):
        return Seen(o.storages.concat([seen[id(t)].place for t in tensors], axis), o.shape)
    return join([
        o.storages.codes_of(seen[id(t)].place).reshape(t.shape)
        if id(t) in seen
        else o.storages.codes(t)
        for t in tensors
    ])  # fmt: skip


def _of_one(o: Operation, tensors: list[Tensor]) -> bool:
    """Whether all are parts of one node, or that node: then it is moved, and nothing is joined."""
    sources = set()
    for t in tensors:
        if not o.storages.knows(t):
            return False
        whole = o.storages.whole(t, axes=True)
        places = [whole.place] if whole else (o.storages.codes(t) >> SHIFT).unique().tolist()
        sources.update(places)
        if len(sources) > 1:
            return False
    return True


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("clone", "_to_copy", "contiguous"), _copied),
    "copy": _copied_into,
    "fill": _filled("value"),
    "zero": _filled(0.0),
    "constant_pad_nd": _padded,
    "cat": _joined,
    "stack": _stacked,
    **dict.fromkeys(
        (
            *("flip", "roll", "repeat", "channel_shuffle", "native_channel_shuffle"),
            *("pixel_shuffle", "pixel_unshuffle", "reflection_pad1d", "reflection_pad2d"),
            *("replication_pad1d", "replication_pad2d", "upsample_nearest2d"),
        ),
        _carried(),
    ),
    "index": _carried("indices"),
    "index_select": _carried("index"),
    "gather": _carried("index"),
}
