"""Layers that drop something in training and do nothing in evaluation: no graph shows them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import torch.nn as nn

DROPS = re.compile(r"drop|stochastic_?depth", re.IGNORECASE)  # in the name of a class


class Drop(NamedTuple):
    """A layer that drops something."""

    place: int  # how many of the operations that were named come before it
    name: str
    kind: str
    own: Mapping[str, object]


def drops(net: nn.Module, names: Sequence[str]) -> Iterator[Drop]:
    """All of a network, in order, among its operations, of which the modules that run them are
    named. A layer stands after what is registered before it; parts that do not run are left out.
    """
    for name, module in net.named_modules():
        if _drops(module) and (place := _place(name, net, names)) is not None:
            kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(module).__name__).lower()
            yield Drop(place, name, kind, attributes(module))


def _drops(module: nn.Module) -> bool:
    leaf = next(module.children(), None) is None and next(module.parameters(), None) is None
    rates = [value for value in attributes(module).values() if isinstance(value, float)]
    return leaf and bool(DROPS.search(type(module).__name__)) and any(rates)


def _place(name: str, net: nn.Module, names: Sequence[str]) -> int | None:
    while name:
        parent, _, last = name.rpartition(".")
        within = f"{parent}." if parent else ""
        children = [child for child, _ in net.get_submodule(parent).named_children()]
        before = {f"{within}{child}" for child in children[: children.index(last)]}
        inside = [i for i, other in enumerate(names) if f"{other}.".startswith(within)]
        earlier = [i for i in inside if _child(names[i], within) in before]
        if inside:
            return earlier[-1] + 1 if earlier else inside[0]
        if next(net.get_submodule(parent).parameters(), None) is not None:
            return None
        name = parent
    return None


def _child(name: str, within: str) -> str:
    return within + name.removeprefix(within).partition(".")[0]


def attributes(module: nn.Module) -> dict[str, object]:
    """Settings of a layer that are plain values."""
    return {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in vars(module).items()
        if key not in ("training", "inplace") and key[0] != "_" and _is_plain(value)
    }


def _is_plain(value: object) -> bool:
    return isinstance(value, bool | int | float | str) or (
        isinstance(value, tuple | list)
        and all(isinstance(item, bool | int | float) for item in value)
    )
