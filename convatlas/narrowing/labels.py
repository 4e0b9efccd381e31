"""Labels of channels: channels of the same label can only be removed together, and those of a fixed
one not at all.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor


class Channels(NamedTuple):
    """The labels of a tensor along its one dimension of channels; along all others they repeat."""

    axis: int | None  # None: the whole tensor has one label
    labels: Tensor  # int64 (size of the axis,), or (1,)

    def along(self, axis: int, size: int) -> Tensor | None:
        """The labels along `axis`, int64 (size,); None where they lie along another."""
        if self.axis is None:
            return self.labels.expand(size)
        return self.labels if self.axis == axis else None

    def spread(self, shape: torch.Size) -> Tensor:
        """A label for each element of a tensor of that shape, in the memory of one dimension."""
        if self.axis is None:
            return self.labels.view([1] * len(shape)).expand(shape)
        ones = [1] * len(shape)
        ones[self.axis] = -1
        return self.labels.view(ones).expand(shape)


class Labels:
    """Which labels belong together, and why those that are fixed cannot go."""

    def __init__(self):
        self._parent: list[int] = []
        self._fixed: dict[int, str] = {}  # by root
        self._tied: dict[int, str] = {}  # what made one atom of them, where it was no sum

    def fresh(self, count: int) -> Tensor:
        """`count` new labels, int64 (count,)."""
        first = len(self._parent)
        self._parent += range(first, first + count)
        return torch.arange(first, first + count)

    def constant(self, why: str) -> Channels:
        """What no filter makes, such as an image."""
        label = self.fresh(1)
        self._fixed[int(label)] = why
        return Channels(None, label)

    def root(self, label: int) -> int:
        parent = self._parent
        while parent[label] != label:
            parent[label] = parent[parent[label]]
            label = parent[label]
        return label

    def roots(self, labels: Tensor) -> Tensor:
        """The atom that each label belongs to."""
        if not labels.numel():
            return labels
        found, where = labels.unique(return_inverse=True)
        return torch.tensor([self.root(label) for label in found.tolist()])[where]

    def unite(self, some: Tensor, others: Tensor, why: str = "") -> None:
        """Each of `some` goes with the one beside it. `why` is kept where it is no sum."""
        pairs = {(a, b) for a, b in zip(some.tolist(), others.tolist(), strict=True) if a != b}
        for a, b in sorted(pairs):
            first, other = sorted((self.root(a), self.root(b)))
            if first != other:
                self._parent[other] = first
                for kept in (self._fixed, self._tied):
                    if other in kept:
                        kept.setdefault(first, kept.pop(other))
                if why:
                    self._tied.setdefault(first, why)

    def unite_rows(self, rows: Tensor, why: str) -> None:
        """The same places of all rows, int64 (rows, places), go together."""
        self.unite(rows[:1].expand_as(rows).flatten(), rows.flatten(), why)

    def fix(self, labels: Tensor, why: str) -> None:
        """They stay, because of the function `why`."""
        for label in labels.unique().tolist():
            self._fixed.setdefault(self.root(label), why)

    def reason(self, label: int) -> str:
        """Why it stays; "" where it may go."""
        return self._fixed.get(self.root(label), "")

    def tie(self, labels: Iterable[int]) -> str:
        """What made one of them; "" where only sums did."""
        return next(filter(None, (self._tied.get(self.root(one), "") for one in labels)), "")
