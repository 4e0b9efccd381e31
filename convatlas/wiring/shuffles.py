"""The field's words for a movement of elements: which channels, which rows, in which order."""

from itertools import pairwise, permutations

import torch
from torch import Tensor

MANY = 1 << 22  # elements beyond which no order of axes is looked for


def said(
    places: Tensor, numbers: Tensor, shapes: list[tuple[int, ...]], sources: tuple[int, ...]
) -> str:
    """What one image's movement is, in short. `places` and `numbers`: for each element its source
    and which element of it; `shapes` are the sources'.
    """
    if len(sources) != 1:
        return f"elements of {len(sources)}"
    shape = shapes[0]
    if numbers.ndim != len(shape):
        return _turned(numbers, shape) or "elements"
    axes = _by_axis(numbers, shape)
    if axes is None:
        return _turned(numbers, shape) or "elements"
    words = [
        _one_axis(picked, side, _name(axis, len(shape)))
        for axis, (picked, side) in enumerate(zip(axes, shape, strict=True))
    ]
    return ", ".join(filter(None, words)) or "elements"


def _by_axis(numbers: Tensor, shape: tuple[int, ...]) -> list[Tensor] | None:
    """For each axis which lines are picked, in order, if the movement is just that."""
    step = 1
    found = []
    for axis in reversed(range(len(shape))):
        line = numbers[tuple(slice(None) if i == axis else 0 for i in range(len(shape)))]
        found.append(line // step % shape[axis])
        step *= shape[axis]
    found.reverse()
    whole = torch.zeros((), dtype=torch.int64)
    for picked, side in zip(found, shape, strict=True):
        whole = whole.unsqueeze(-1) * side + picked
    return found if torch.equal(whole, numbers) else None


def _name(axis: int, rank: int) -> str:
    return {0: "channel", 1: "row", 2: "column"}.get(axis, "place") if rank > 1 else "channel"


def _one_axis(picked: Tensor, side: int, name: str) -> str:
    lines = picked.tolist()
    if lines == list(range(side)):
        return ""
    if len(lines) == 1:
        return f"{name} {lines[0]}"
    steps = {b - a for a, b in pairwise(lines)}
    if steps == {1}:
        return f"{name}s {lines[0]} to {lines[-1]}"
    if steps == {-1} and len(lines) == side:
        return f"{name}s mirrored"
    if len(steps) == 1 and (step := steps.pop()) > 1 and lines[0] < step:
        return f"every {_nth(step)} {name}{f' from {lines[0]}' if lines[0] else ''}"
    if groups := _groups(picked, side):
        part = "" if len(lines) == side else f", {name}s {_part(picked, side, groups)}"
        return f"{name} shuffle, {groups} groups{part}"
    return f"{name}s in another order"


def _nth(step: int) -> str:
    return {2: "2nd", 3: "3rd"}.get(step, f"{step}th")


def _groups(picked: Tensor, side: int) -> int | None:
    """Of a shuffle, whole or a run of it."""
    if len(picked) < 3:
        return None
    for groups in range(2, side):
        if side % groups == 0 and _run(picked, _shuffled(side, groups)) is not None:
            return groups
    return None


def _part(picked: Tensor, side: int, groups: int) -> str:
    first = _run(picked, _shuffled(side, groups))
    return f"{first} to {first + len(picked) - 1}"


def _shuffled(side: int, groups: int) -> Tensor:
    return torch.arange(side).view(groups, -1).t().reshape(-1)


def _run(picked: Tensor, order: Tensor) -> int | None:
    """Where the run begins in the order."""
    first = int((order == picked[0]).nonzero())
    part = order[first : first + len(picked)]
    return first if torch.equal(part, picked) else None


def _turned(numbers: Tensor, shape: tuple[int, ...]) -> str:
    """Axes in another order, the shape afterwards whatever it is."""
    whole = torch.arange(torch.Size(shape).numel()).reshape(shape)
    if whole.numel() != numbers.numel() or len(shape) > 4 or whole.numel() > MANY:
        return ""
    for order in permutations(range(len(shape))):
        if torch.equal(whole.permute(order).reshape(-1), numbers.reshape(-1)):
            return f"axes in the order {', '.join(map(str, order))}"
    return ""
