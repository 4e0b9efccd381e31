"""The images of a packed set, or of a part of one, as a Loader reads them."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from convatlas.data.errors import broken_images
from convatlas.data.image_file import MAX_MEGAPIXELS, deep_range, read_pixels, unreadable
from convatlas.data.names import Names
from convatlas.data.packed import order
from convatlas.data.packed.shelf import Shelf
from convatlas.data.split import Split
from convatlas.errors import DataError

TOGETHER = 64  # images whose bytes are in memory at a time


class PackedSplit(Split):
    """n images in rows of a packed set: `rows` int64 (n,)."""

    def __init__(
        self,
        shelf: Shelf,
        rows: np.ndarray,
        labels: Tensor,
        names: Sequence[str],
        max_megapixels: float = MAX_MEGAPIXELS,
    ):
        super().__init__(labels, Names.of(names))
        self.shelf, self.rows, self.max_megapixels = shelf, rows, max_megapixels
        self._held: dict[int, bytes | None] = {}
        self._neighbours = bool((np.diff(rows) == 1).all())  # are read soon after each other

    @classmethod
    def joined(cls, parts: Sequence["PackedSplit"]) -> "PackedSplit":
        """Several parts of one set, one after the other."""
        return cls(
            parts[0].shelf,
            np.concatenate([part.rows for part in parts]),
            torch.cat([part.labels for part in parts]),
            Names.joined([part.names for part in parts]),
            parts[0].max_megapixels,
        )

    def called(self, i: int) -> str:
        return f"{self.shelf.place.name}/{self.names[i]}"

    def read(self, i: int, at_least: int = 0, white: float | None = None) -> Tensor:
        return self._read(
            i, lambda content: read_pixels(content, at_least, white, self.max_megapixels)
        )

    def _read(self, i: int, use: Callable):
        """use(the bytes of image i), with the image's name in what it raises."""
        if i not in self._held:
            self._hold([i])
        content = self._held[i]
        try:
            if content is None:
                row = int(self.rows[i])
                raise DataError(
                    reason=f"is damaged in its shard {self.shelf.file_of(row)!r}: these are "
                    "not the bytes that were packed; copy the shard again, or pack the set again"
                )
            found = use(content)
        except DataError as fault:
            raise unreadable(self.called(i), fault.reason) from None
        return torch.from_numpy(found) if isinstance(found, np.ndarray) else found

    def _hold(self, indices: list[int]) -> None:
        contents = self.shelf.take(self.rows[indices], self._neighbours)
        self._held = dict(zip(indices, contents, strict=True))

    def size(self, i: int) -> tuple[int, int]:
        return tuple(self.shelf.index.sides[self.rows[i]].tolist())

    def deep_range(self, i: int) -> tuple[float, float, str] | None:
        if not self.shelf.index.deep[self.rows[i]]:
            return None
        return self._read(i, lambda content: deep_range(content, self.max_megapixels))

    def order(self, seed: int, epoch: int) -> np.ndarray:
        self._neighbours |= len(self) > order.FULLY  # from now on; a sample drawn before is not
        return order.order(self.rows, seed, epoch)

    def each(
        self, indices: Tensor, use: Callable[[int, int], object], reading=lambda i: None
    ) -> None:
        """As Split.each, but many images are fetched at once."""
        broken = []
        for start in range(0, len(indices), TOGETHER):
            some = indices[start : start + TOGETHER]
            reading(int(some[0]))
            self._hold(some.tolist())
            try:
                super().each(some, lambda row, i, start=start: use(start + row, i), reading)
            except DataError as fault:
                broken += fault.reasons
        self._held = {}
        if broken:
            raise broken_images(broken)

    def subset(self, indices: np.ndarray) -> "PackedSplit":
        indices = np.asarray(indices, np.int64)
        labels, names = self.labels[indices], self.names.take(indices)
        return PackedSplit(self.shelf, self.rows[indices], labels, names, self.max_megapixels)

    def relabelled(self, labels: Tensor) -> "PackedSplit":
        return PackedSplit(self.shelf, self.rows, labels, self.names, self.max_megapixels)
