"""Modules that a paper explains as one operation though torch runs several: LeNet's squashing,
subsampling, table of connections and distances to drawn characters.
"""

from torch import nn


def is_leaf(module: nn.Module) -> bool:
    return type(module).__name__ in WRITERS


def written(module: nn.Module, path: str) -> dict:
    """The operation, with its settings and the names of its weights."""
    return WRITERS[type(module).__name__](module, path)


def _squash(module: nn.Module, path: str) -> dict:
    return {"op": "squash"}


def _subsampling(module: nn.Module, path: str) -> dict:
    return {
        "op": "subsampling",
        "kernel": [module.kernel_size] * 2,
        "stride": [module.stride] * 2,
        "coefficient": f"{path}.coefficient",
        "bias": f"{path}.bias",
    }


def _table_conv(module: nn.Module, path: str) -> dict:
    side = module.weight.shape[-1]
    return {
        "op": "conv",
        "weight": f"{path}.weight",
        "bias": f"{path}.bias",
        "kernel": [side, side],
        "stride": [module.stride] * 2,
        "padding": [0, 0],
        "dilation": [1, 1],
        "groups": 1,
        "table": [list(maps) for maps in module.table],
    }


def _rbf(module: nn.Module, path: str) -> dict:
    return {"op": "rbf", "codes": f"{path}.codes"}


WRITERS = {
    "Squash": _squash,
    "Subsampling": _subsampling,
    "TableConv2d": _table_conv,
    "RBF": _rbf,
}
