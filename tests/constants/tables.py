"""The tables: for every network file one of convatlas/nets, what its layers hold besides their
shapes.

`tables/FAMILY.toml` has rows by kind of layer:

    conv = [{at = ["conv10.*"], weight = "normal(0.01)", bias = "constant(0)", place = "..."}, ...]

The first row of its kind that fits a layer's path (`at`, wildcards; left out, any path) in a
network (`of`, likewise) is the layer's, and states all of its parameters. `place` says where the
paper, or what decides in its stead, has it. Every row must be some layer's in each of its networks.

    conv, linear         the distribution of each parameter, below
    norm                 the same, eps and momentum; silent: which of the two the paper leaves open
    dropout              rate
    lrn                  size, alpha, beta, k: a / (k + alpha * sum of a^2 over size channels)^beta
    NameOfClass          any other layer that has parameters or drops something
"""

import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from math import sqrt
from pathlib import Path
from typing import NamedTuple

import torch.nn as nn
from recording import Drawn
from torch import Tensor

FOLDER = Path(__file__).parent / "tables"
DROPPING = ("StochasticDepth", "DropBlock", "ScheduledDropPath")


class Row(NamedTuple):
    kind: str
    stated: dict
    number: int

    def fits(self, name: str, path: str) -> bool:
        return self.of(name) and any(
            fnmatchcase(path, pattern) for pattern in self.stated.get("at", ["*"])
        )

    def of(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.stated.get("of", ["*"]))

    def __str__(self) -> str:
        return f"row {self.number} of {self.kind!r}"


class Settled(NamedTuple):
    """A layer and its row; `index` of the `count` layers that have it."""

    path: str
    layer: nn.Module
    row: Row
    index: int
    count: int


@cache
def table(family: str) -> list[Row]:
    file = FOLDER / f"{family}.toml"
    assert file.is_file(), (
        f"convatlas/nets/{family}.py has no table of its constants and initial weights: type one "
        f"from the paper and PAPER.silent as tests/constants/tables/{family}.toml; "
        "tests/constants/tables.py says how"
    )
    written = tomllib.loads(file.read_text(encoding="utf-8"))
    return [
        Row(kind, stated, number)
        for kind, rows in written.items()
        for number, stated in enumerate(rows, start=1)
    ]


def kind(layer: nn.Module) -> str:
    """What the tables call a layer; "" of one that holds nothing to state."""
    kinds = {
        "norm": nn.modules.batchnorm._BatchNorm,
        "lrn": nn.LocalResponseNorm,
        "dropout": nn.modules.dropout._DropoutNd,
        "linear": nn.Linear,
    }
    for name, parent in kinds.items():
        if isinstance(layer, parent):
            return name
    own = type(layer).__name__
    if isinstance(layer, nn.Conv2d):
        return "conv"
    return own if own in DROPPING or next(layer.parameters(recurse=False), None) is not None else ""


def settled(family: str, name: str, net: nn.Module) -> Iterator[Settled]:
    """Every layer of a network that holds anything, with its row.  AssertionError for a layer
    without one, and for a row without a layer.
    """
    rows = [row for row in table(family) if row.of(name)]
    found: dict[int, list[tuple[str, nn.Module]]] = {i: [] for i in range(len(rows))}
    for path, layer in net.named_modules():
        if not kind(layer):
            continue
        fitting = [
            i for i, row in enumerate(rows) if row.kind == kind(layer) and row.fits(name, path)
        ]
        assert fitting, (
            f"{name}: no row of tests/constants/tables/{family}.toml holds {path}, a {kind(layer)}"
        )
        found[fitting[0]].append((path, layer))
    idle = [str(rows[i]) for i, layers in found.items() if not layers]
    assert not idle, f"{name}: {', '.join(idle)} of {family}.toml holds no layer"
    for i, layers in found.items():
        for index, (path, layer) in enumerate(layers):
            yield Settled(path, layer, rows[i], index, len(layers))


def stated(one: Settled, parameter: str) -> list[Drawn]:
    """What the row says of a parameter, in the layer's own numbers: one distribution, or one for
    each unit where the row lists their `fan_in`.

    fan_in: the products in one sum; fan_out: output channels times the window, as PyTorch counts;
    channels: those that a unit reads.
    """
    weight = getattr(one.layer, "weight", None)
    fan_ins = one.row.stated.get("fan_in", [None])
    return [
        evaluate(one.row.stated[parameter], weight, fan_in, getattr(one.layer, "groups", 1))
        for fan_in in fan_ins
    ]


def evaluate(written: str, weight: Tensor | None, fan_in: int | None, groups: int) -> Drawn:
    names: dict = {
        "sqrt": sqrt,
        "groups": groups,
        "constant": lambda value: Drawn("constant", (value,)),
        "normal": lambda deviation: Drawn("normal", (deviation,)),
        "uniform": lambda bound: Drawn("uniform", (bound,)),
        "truncated": lambda deviation, cut: Drawn("truncated", (deviation, cut)),
    }
    if weight is not None:
        names["fan_in"] = fan_in or weight[0].numel()
        names["channels"] = weight.shape[1:2].numel()
        names["fan_out"] = weight.shape[0] * weight.shape[2:].numel()
    return eval(written, {"__builtins__": {}}, names)
