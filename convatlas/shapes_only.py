"""Networks without storage: what is built inside `shapes_only()` has shapes, and no numbers."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.overrides import TorchFunctionMode

DRAWS = {
    *("normal_", "uniform_", "trunc_normal_"),
    *("kaiming_normal_", "kaiming_uniform_", "xavier_normal_", "xavier_uniform_"),
}


class _NothingDrawn(TorchFunctionMode):
    """Leaves out what would only draw numbers for a tensor that has no room for them: the rules of
    shape that torch works through for each are most of the time a network takes on the meta device.
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        given = kwargs or {}
        if func.__name__ in DRAWS:
            drawn = args[0] if args else given.get("tensor")
            if isinstance(drawn, torch.Tensor) and drawn.is_meta:
                return drawn
        return func(*args, **given)


@contextmanager
def shapes_only() -> Iterator[None]:
    """Tensors that are made inside are on the meta device, and none of their values is drawn."""
    with torch.device("meta"), _NothingDrawn():
        yield
