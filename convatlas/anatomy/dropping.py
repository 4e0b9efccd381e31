"""Layers that drop something in training and do nothing in evaluation: no graph shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch.nn as nn

DROPS = re.compile(r"drop|stochastic_?depth", re.IGNORECASE)  # in the name of a class
PATHS = re.compile(r"drop ?path|stochastic|drop ?connect")  # one thing under several names


class Drop(NamedTuple):
    """A layer that drops something."""

    place: int  # how many of the operations that were named come before it
    name: str
    kind: str
    own: Mapping[str, object]


def drops(net: nn.Module, names: Sequence[str]) -> Iterator[Drop]:
    """All of a network, in order, among its operations, of which the modules that run them are
    named. A layer stands right before what is registered after it; parts that do not run are left
    out.
    """
    for name, module in net.named_modules():
        if _drops(module) and (place := _place(name, net, names)) is not None:
            yield Drop(place, name, _kind(module), _settings(module))


def _drops(module: nn.Module) -> bool:
    leaf = next(module.children(), None) is None and next(module.parameters(), None) is None
    return leaf and bool(DROPS.search(type(module).__name__)) and any(_rates(module))


def _place(name: str, net: nn.Module, names: Sequence[str]) -> int | None:
    while name:
        parent, _, last = name.rpartition(".")
        within = f"{parent}." if parent else ""
        children = [child for child, _ in net.get_submodule(parent).named_children()]
        place = children.index(last)
        before = {f"{within}{child}" for child in children[:place]}
        behind = {f"{within}{child}" for child in children[place:]}
        inside = [i for i, other in enumerate(names) if f"{other}.".startswith(within)]
        first = max((i + 1 for i in inside if _child(names[i], within) in before), default=0)
        later = [i for i in inside if i >= first and _child(names[i], within) in behind]
        if inside:
            return later[0] if later else first or inside[0]
        if next(net.get_submodule(parent).parameters(), None) is not None:
            return None
        name = parent
    return None


def _child(name: str, within: str) -> str:
    return within + name.removeprefix(within).partition(".")[0]


def _kind(module: nn.Module) -> str:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(module).__name__).lower()
    return "stochastic depth" if PATHS.search(name) else name


def _rates(module: nn.Module) -> list[float]:
    return [value for value in vars(module).values() if isinstance(value, float)]


def _settings(module: nn.Module) -> dict[str, object]:
    """The rate, and how large a block is; one of all images at once is another thing."""
    own: dict[str, object] = {"p": _rates(module)[0]}
    if isinstance(block := getattr(module, "block_size", None), int):
        own["block"] = block
    if getattr(module, "mode", "") == "batch":
        own["of"] = "batch"
    return own
