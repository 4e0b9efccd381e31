"""Layers inside a module that runs as one, such as a scripted module or an exported graph: told
apart by the weights that are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

if TYPE_CHECKING:
    from convatlas.anatomy.counting import Call

KINDS = {
    "convolution": "Conv{}d",
    "addmm": "Linear",
    "mm": "Linear",
    "native_layer_norm": "LayerNorm",
    "native_group_norm": "GroupNorm",
    "embedding": "Embedding",
    "_prelu_kernel": "PReLU",
}


class Inside:
    """The layers that have run inside one call of such a module, by path."""

    def __init__(self):
        self.layers: dict[str, Call] = {}
        self._owners = WeakTensorKeyDictionary()  # of what was computed from weights alone

    def owner(self, inputs: list[Tensor], names: dict[int, str]) -> str | None:
        """The path of the module whose weights an operation reads; None where it reads none."""
        for t in inputs:
            if id(t) in names:
                return names[id(t)].rpartition(".")[0]
            if t in self._owners:
                return self._owners[t]
        return None

    def keep(self, owner: str, made: list[Tensor]) -> None:
        for t in made:
            self._owners[t] = owner


def exported_kind(func, before: str, inputs: list[Tensor]) -> str:
    """The class of torch's layer that an operation is of; `before` where none is."""
    op = func.overloadpacket.__name__
    kind = "BatchNorm{}d" if "batch_norm" in op else KINDS.get(op, before)
    return kind.format(max(1, inputs[0].ndim - 2))
