"""A set of labelled images, whether they lie in memory or on disk, and how one set is parted into
several.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from convatlas.data import keyed_random
from convatlas.data.errors import broken_images
from convatlas.data.finding import Finding
from convatlas.data.image_file import read_header, read_image
from convatlas.data.walk import kinds
from convatlas.errors import DataError


class Split:
    """n labelled images: `labels`, int64 (n,), and `names`, one for each. Two kinds: on disk, and
    in memory.
    """

    def __init__(self, labels: Tensor, names: Sequence[str]):
        self.labels, self.names = labels, names

    def __len__(self) -> int:
        return len(self.names)

    def read(self, i: int, at_least: int = 0) -> Tensor:
        """The image upright: uint8 (C, H, W), as it is; a large JPEG perhaps smaller, see
        images.read_image.
        """
        raise NotImplementedError

    def size(self, i: int) -> tuple[int, int]:
        """The two sides of image i in pixels, in no particular order, without decoding it."""
        raise NotImplementedError

    def fitted(
        self, indices: Tensor, prep, reading: Callable[[int], None] = lambda i: None
    ) -> Tensor:
        """These images as `prep` fits them: uint8 (len, channels, side, side). Calls reading(i)
        before each file.

        Raises one DataError for all those that cannot be read.
        """
        raise NotImplementedError

    def each(
        self, indices: Tensor, use: Callable[[int, int], object], reading=lambda i: None
    ) -> None:
        """use(row, index) for each index; one DataError for all the images that cannot be read."""
        broken = []
        for row, i in enumerate(indices.tolist()):
            reading(i)
            try:
                use(row, i)
            except DataError as fault:
                broken.append(str(fault))
        if broken:
            raise broken_images(broken)

    def subset(self, indices: np.ndarray) -> "Split":
        """The same images, fewer."""
        raise NotImplementedError


class FileSplit(Split):
    """Images on disk; `names` are paths relative to `root`."""

    def __init__(self, root: Path, labels: Tensor, names: Sequence[str]):
        super().__init__(labels, names)
        self.root = root

    def read(self, i: int, at_least: int = 0) -> Tensor:
        return read_image(self.root / self.names[i], at_least)

    def size(self, i: int) -> tuple[int, int]:
        return read_header(self.root / self.names[i])[1:]

    def fitted(
        self, indices: Tensor, prep, reading: Callable[[int], None] = lambda i: None
    ) -> Tensor:
        images = torch.empty(len(indices), prep.channels, prep.side, prep.side, dtype=torch.uint8)
        self.each(indices, lambda row, i: images[row].copy_(prep.fit_image(self.read(i))), reading)
        return images

    def subset(self, indices: np.ndarray) -> "FileSplit":
        return FileSplit(self.root, self.labels[indices], [self.names[i] for i in indices])


class ArraySplit(Split):
    """Images of one size in memory: uint8 (n, C, H, W)."""

    def __init__(self, images: Tensor, labels: Tensor, names: Sequence[str]):
        super().__init__(labels, names)
        self.images = images

    def read(self, i: int, at_least: int = 0) -> Tensor:
        return self.images[i]

    def size(self, i: int) -> tuple[int, int]:
        return tuple(self.images.shape[2:])

    def fitted(
        self, indices: Tensor, prep, reading: Callable[[int], None] = lambda i: None
    ) -> Tensor:
        return prep.fit_images(self.images[indices])

    def subset(self, indices: np.ndarray) -> "ArraySplit":
        return ArraySplit(
            self.images[indices], self.labels[indices], [self.names[i] for i in indices]
        )


@dataclass(frozen=True, eq=False)
class Data:
    """Three sets of images of the same classes: `train` teaches, `val` chooses, `test` is touched
    once, last.
    """

    name: str
    classes: tuple[str, ...]
    channels: int  # 1: grey, 3: RGB
    train: Split
    val: Split
    test: Split
    fingerprint: str  # sha256, in hex, of what was read
    ignored: tuple[str, ...] = ()  # files of a folder that are in no split
    older_fingerprint: str = ""  # by the rule of earlier versions, for runs that recorded it
    problems: tuple[Finding, ...] = ()  # images left out, or in two classes
    notes: tuple[Finding, ...] = ()  # what may not be meant so

    @property
    def ignored_kinds(self) -> str:
        """How many files of each kind are ignored: "58 .txt, 2 .xml"."""
        return kinds(self.ignored)

    def counts(self) -> list[int]:
        """Training images of each class."""
        return self.train.labels.bincount(minlength=len(self.classes)).tolist()


def hold_out(split: Split, classes: Sequence[str], count: float, seed: int) -> tuple[Split, Split]:
    """(what stays, what is held out): about `count` images, drawn by lot so that every class keeps
    its share.

    Each class gives its share to within one image, but at least one, and keeps at least one;
    nothing is held out when count is 0. An image's lot depends on its name and the seed alone, so a
    set that grows keeps most of its parting.
    """
    labels = split.labels.numpy()
    quotas = _quotas(np.bincount(labels, minlength=len(classes)), count)
    lots = keyed_random.ranks(split.names, seed)
    chosen = np.zeros(len(split), bool)
    for label, quota in enumerate(quotas):
        members = np.flatnonzero(labels == label)
        chosen[members[np.argsort(lots[members], kind="stable")[:quota]]] = True
    return split.subset(np.flatnonzero(~chosen)), split.subset(np.flatnonzero(chosen))


def _quotas(sizes: np.ndarray, count: float) -> np.ndarray:
    """How many each class gives: largest remainders (Hamilton's method), then at least one and not
    the last.
    """
    if count == 0:
        return np.zeros(len(sizes), np.int64)
    shares = sizes * count / sizes.sum()
    quotas = np.floor(shares).astype(np.int64)
    left = round(count) - quotas.sum()
    quotas[np.argsort(quotas - shares, kind="stable")[:left]] += 1
    return np.clip(quotas, 1, np.maximum(sizes - 1, 1)) * (sizes > 1)


def require_enough(split: Split, classes: Sequence[str], parts: int) -> None:
    """Raises DataError, naming each class with fewer images than the parts that it must be divided
    into.
    """
    sizes = np.bincount(split.labels.numpy(), minlength=len(classes))
    short = [
        f"{name!r} has {size}" for name, size in zip(classes, sizes, strict=True) if size < parts
    ]
    if short:
        raise DataError(
            f"too few images to part into {parts} sets: class {', class '.join(short)}; "
            f"every class needs {parts} or more. Add images, or remove the class"
        )
