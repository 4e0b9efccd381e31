"""Keeps the numbers of constants that torch would make where the images are, without numbers."""

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

MADE = {torch.tensor, torch.as_tensor, torch.asarray}


class Constants(TorchFunctionMode):
    """Lists of numbers that become tensors do so in memory: those that index, too."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func in MADE:
            kwargs["device"] = "cpu"
        if func in (Tensor.__getitem__, Tensor.__setitem__):
            args = (args[0], _index(args[1]), *args[2:])
        return func(*args, **kwargs)


def _index(index: object) -> object:
    if isinstance(index, tuple):
        return tuple(map(_index, index))
    plain = isinstance(index, list) and index and all(isinstance(each, int) for each in index)
    return torch.tensor(index) if plain else index
