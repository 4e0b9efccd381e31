"""A set of labelled pictures, whether they lie in memory or on disk, and how one set is parted into several."""
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from convatlas.data import keyed
from convatlas.data.errors import DataError, broken_pictures
from convatlas.data.pictures import read_header, read_picture


class Split:
    """n labelled pictures: `labels`, int64 (n,), and `names`, one for each. Two kinds: on disk, and in memory."""

    def __init__(self, labels: Tensor, names: Sequence[str]):
        self.labels, self.names = labels, names
        self.decoded: tuple | None = None       # (geometry, uint8 (n, C, S, S)): kept by decode.py, shared by all Feeds
        self.sources: tuple | None = None       # (at_least, [uint8 (C, H, W), ...]): the same for crops

    def __len__(self) -> int:
        return len(self.names)

    def __getstate__(self) -> dict:
        return self.__dict__ | {"decoded": None, "sources": None}    # a worker that reads files needs no copy of them

    def read(self, i: int, at_least: int = 0) -> Tensor:
        """The picture upright: uint8 (C, H, W), as it is; a large JPEG perhaps smaller, see pictures.read_picture."""
        raise NotImplementedError

    def size(self, i: int) -> tuple[int, int]:
        """The two sides of picture i in pixels, in no particular order, without decoding it."""
        raise NotImplementedError

    def fitted(self, indices: Tensor, prep, reading: Callable[[int], None] = lambda i: None) -> Tensor:
        """These pictures as `prep` fits them: uint8 (len, channels, side, side). Calls reading(i) before each file.

        Raises one DataError for all those that cannot be read.
        """
        raise NotImplementedError

    def each(self, indices: Tensor, use: Callable[[int, int], object], reading=lambda i: None) -> None:
        """use(row, index) for each index; one DataError for all the pictures that cannot be read."""
        broken = []
        for row, i in enumerate(indices.tolist()):
            reading(i)
            try:
                use(row, i)
            except DataError as fault:
                broken.append(str(fault))
        if broken:
            raise broken_pictures(broken)

    def subset(self, indices: np.ndarray) -> "Split":
        """The same pictures, fewer."""
        raise NotImplementedError


class FileSplit(Split):
    """Pictures on disk; `names` are paths relative to `root`."""

    def __init__(self, root: Path, labels: Tensor, names: Sequence[str]):
        super().__init__(labels, names)
        self.root = root

    def read(self, i: int, at_least: int = 0) -> Tensor:
        return read_picture(self.root / self.names[i], at_least)

    def size(self, i: int) -> tuple[int, int]:
        return read_header(self.root / self.names[i])[1:]

    def fitted(self, indices: Tensor, prep, reading: Callable[[int], None] = lambda i: None) -> Tensor:
        pictures = torch.empty(len(indices), prep.channels, prep.side, prep.side, dtype=torch.uint8)
        self.each(indices, lambda row, i: pictures[row].copy_(prep.fit_picture(self.read(i))), reading)
        return pictures

    def subset(self, indices: np.ndarray) -> "FileSplit":
        return FileSplit(self.root, self.labels[indices], [self.names[i] for i in indices])


class ArraySplit(Split):
    """Pictures of one size in memory: uint8 (n, C, H, W)."""

    def __init__(self, pictures: Tensor, labels: Tensor, names: Sequence[str]):
        super().__init__(labels, names)
        self.pictures = pictures

    def read(self, i: int, at_least: int = 0) -> Tensor:
        return self.pictures[i]

    def size(self, i: int) -> tuple[int, int]:
        return tuple(self.pictures.shape[2:])

    def fitted(self, indices: Tensor, prep, reading: Callable[[int], None] = lambda i: None) -> Tensor:
        return prep.fit_pictures(self.pictures[indices])

    def subset(self, indices: np.ndarray) -> "ArraySplit":
        return ArraySplit(self.pictures[indices], self.labels[indices], [self.names[i] for i in indices])


@dataclass(frozen=True, eq=False)
class Data:
    """Three sets of pictures of the same classes: `train` teaches, `val` chooses, `test` is touched once, last."""
    name: str
    classes: tuple[str, ...]
    channels: int                       # 1: grey, 3: RGB
    train: Split
    val: Split
    test: Split
    fingerprint: str                    # sha256, in hex, of what was read
    ignored: tuple[str, ...] = ()       # files of a folder that are no pictures, or that were reached twice

    def counts(self) -> list[int]:
        """Training pictures of each class."""
        return self.train.labels.bincount(minlength=len(self.classes)).tolist()


def hold_out(split: Split, classes: Sequence[str], count: float, seed: int) -> tuple[Split, Split]:
    """(what stays, what is held out): about `count` pictures, drawn by lot so that every class keeps its share.

    Each class gives its share to within one picture, but at least one, and keeps at least one; nothing is held out when
    count is 0. A picture's lot depends on its name and the seed alone, so a set that grows keeps most of its parting.
    """
    labels = split.labels.numpy()
    quotas = _quotas(np.bincount(labels, minlength=len(classes)), count)
    lots = keyed.ranks(split.names, seed)
    chosen = np.zeros(len(split), bool)
    for label, quota in enumerate(quotas):
        members = np.flatnonzero(labels == label)
        chosen[members[np.argsort(lots[members], kind="stable")[:quota]]] = True
    return split.subset(np.flatnonzero(~chosen)), split.subset(np.flatnonzero(chosen))


def _quotas(sizes: np.ndarray, count: float) -> np.ndarray:
    """How many each class gives: largest remainders (Hamilton's method), then at least one and not the last."""
    if count == 0:
        return np.zeros(len(sizes), np.int64)
    shares = sizes * count / sizes.sum()
    quotas = np.floor(shares).astype(np.int64)
    left = round(count) - quotas.sum()
    quotas[np.argsort(quotas - shares, kind="stable")[:left]] += 1
    return np.clip(quotas, 1, np.maximum(sizes - 1, 1)) * (sizes > 1)


def require_enough(split: Split, classes: Sequence[str], parts: int) -> None:
    """Raises DataError, naming each class with fewer pictures than the parts that it must be divided into."""
    sizes = np.bincount(split.labels.numpy(), minlength=len(classes))
    short = [f"{name!r} has {size}" for name, size in zip(classes, sizes, strict=True) if size < parts]
    if short:
        raise DataError(f"too few pictures to part into {parts} sets: class {', class '.join(short)}; "
                        f"every class needs {parts} or more. Add pictures, or remove the class")
