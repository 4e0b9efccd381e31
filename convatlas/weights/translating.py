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
    if twin.side(twin.name(key)):
        tensor = tensor.flatten(1)
    for dim, places in _reorderings(twin, key, tensor):
        tensor = tensor.index_select(dim, places)
    return tensor


def to_theirs(twin: Twin, key: str, tensor: Tensor) -> Tensor:
    """Our weight in their order and shape; `key` is its name here."""
    for dim, places in _reorderings(twin, key, tensor):
        tensor = tensor.index_select(dim, places.argsort())
    return tensor.reshape(twin.shape(twin.name(key), tuple(tensor.shape)))


def translated(twin: Twin, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """All our weights as they are there."""
    return {name: to_theirs(twin, key, state[key]) for key, name in twin.names(state).items()}


def _reorderings(twin: Twin, key: str, tensor: Tensor) -> list[tuple[int, Tensor]]:
    return [
        (dim, torch.tensor(places, device=tensor.device))
        for pattern, dim, places in twin.reordered
        if re.search(pattern, key)
    ]
