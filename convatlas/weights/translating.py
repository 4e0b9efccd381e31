"""Weights from the names, shapes and channel orders of one side of a table to those of the other,
bit for bit.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from convatlas.weights.names import Twin


def to_ours(twin: Twin, key: str, tensor: Tensor) -> Tensor:
    """Their weight in our shape and order; `key` is its name here."""
    name = twin.name(key)
    dims = twin.dims(name, tensor.dim())
    if dims != tuple(range(tensor.dim())):
        tensor = tensor.permute([dims.index(dim) for dim in range(tensor.dim())]).contiguous()
    if twin.side(name):
        tensor = tensor.flatten(1)
    tensor = _with_ones(tensor, -twin.more(name))
    for dim, places in _reorderings(twin, key, tensor):
        tensor = tensor.index_select(dim, places)
    return tensor


def to_theirs(twin: Twin, key: str, tensor: Tensor) -> Tensor:
    """Our weight in their order and shape; `key` is its name here."""
    for dim, places in _reorderings(twin, key, tensor):
        tensor = tensor.index_select(dim, places.argsort())
    name, side = twin.name(key), twin.side(twin.name(key))
    if side:
        tensor = tensor.unflatten(1, (-1, side, side))
    tensor = _with_ones(tensor, twin.more(name))
    return tensor.permute(twin.dims(name, tensor.dim())).contiguous()


def translated(twin: Twin, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """All our weights as they are there."""
    return {name: to_theirs(twin, key, state[key]) for key, name in twin.names(state).items()}


def _with_ones(tensor: Tensor, more: int) -> Tensor:
    shape = tensor.shape
    return tensor.reshape(shape[:more] if more < 0 else (*shape, *(1,) * more))


def _reorderings(twin: Twin, key: str, tensor: Tensor) -> list[tuple[int, Tensor]]:
    return [
        (dim, torch.tensor(places, device=tensor.device))
        for pattern, dim, places in twin.reordered
        if re.search(pattern, key)
    ]
