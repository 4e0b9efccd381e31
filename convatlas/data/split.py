"""A set of labelled images, whether they lie in memory or on disk, and how one set is parted into
several.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from convatlas.data import keyed_random
from convatlas.data.errors import NAMED_AT_MOST, broken_images
from convatlas.data.file_status import statuses
from convatlas.data.finding import Finding
from convatlas.data.image_file import MAX_MEGAPIXELS, deep_range, read_header, read_image
from convatlas.data.names import Names
from convatlas.data.telling import Tally
from convatlas.data.walk import kinds
from convatlas.errors import DataError
from convatlas.printable import printable

STATUSES = "reading sizes and times"
TEST_SHARE = 1 / 5  # of train, where there is no test set


class Split:
    """n labelled images: `labels`, int64 (n,), and `names`, one for each. Three kinds: files of a
    folder, packed into a few large ones, and in memory.
    """

    def __init__(self, labels: Tensor, names: Sequence[str]):
        self.labels, self.names = labels, names

    def __len__(self) -> int:
        return len(self.names)

    def called(self, i: int) -> str:
        """What image i is called in a sentence."""
        return self.names[i]

    def read(self, i: int, at_least: int = 0, white: float | None = None) -> Tensor:
        """The image upright: uint8 (C, H, W), as it is; a large JPEG perhaps smaller, one of more
        than 8 bits by what is white in its set, see read_image.
        """
        raise NotImplementedError

    def size(self, i: int) -> tuple[int, int]:
        """The two sides of image i in pixels, in no particular order, without decoding it."""
        raise NotImplementedError

    def deep_range(self, i: int) -> tuple[float, float, str] | None:
        """(lowest, highest, mode) of an image of more than 8 bits, as image_file.deep_range."""
        return None

    def order(self, seed: int, epoch: int) -> np.ndarray:
        """The order of a training epoch: a permutation of 0..n-1 as int64 (n,), a function of
        (seed, epoch) and of the images alone.
        """
        return keyed_random.order(len(self), seed, epoch)

    def relabelled(self, labels: Tensor) -> "Split":
        """The same images with other labels."""
        raise NotImplementedError

    def fitted(
        self, indices: Tensor, prep, reading: Callable[[int], None] = lambda i: None
    ) -> Tensor:
        """These images as `prep` fits them: uint8 (len, channels, side, side). Calls reading(i)
        before each file.

        Raises one DataError for all those that cannot be read.
        """
        images = torch.empty(len(indices), prep.channels, prep.side, prep.side, dtype=torch.uint8)

        def use(row: int, i: int) -> None:
            images[row] = prep.fit_image(self.read(i, white=prep.white))

        self.each(indices, use, reading)
        return images

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
    """Images on disk, none of more than `max_megapixels`; `names` are paths relative to `root`."""

    def __init__(
        self,
        root: Path,
        labels: Tensor,
        names: Sequence[str],
        max_megapixels: float = MAX_MEGAPIXELS,
        files: np.ndarray | None = None,
    ):
        super().__init__(labels, Names.of(names))
        self.root, self.max_megapixels = root, max_megapixels
        self._files = files

    @property
    def files(self) -> np.ndarray:
        """What file_status.STATUS says of each, as it was when the folder was opened; where nobody
        has looked yet, as it is now, and zeros where one is gone.
        """
        if self._files is None:
            counter = Tally(STATUSES, len(self))
            self._files = statuses(self.root, self.names, counter, strict=False)
        return self._files

    @classmethod
    def joined(cls, parts: Sequence["FileSplit"]) -> "FileSplit":
        """Several splits of one folder, one after the other."""
        known = [part._files for part in parts]
        return cls(
            parts[0].root,
            torch.cat([part.labels for part in parts]),
            Names.joined([part.names for part in parts]),
            parts[0].max_megapixels,
            None if any(each is None for each in known) else np.concatenate(known),
        )

    def called(self, i: int) -> str:
        return str(self.root / self.names[i])

    def read(self, i: int, at_least: int = 0, white: float | None = None) -> Tensor:
        return read_image(self.root / self.names[i], at_least, white, self.max_megapixels)

    def size(self, i: int) -> tuple[int, int]:
        return read_header(self.root / self.names[i])[1:]

    def deep_range(self, i: int) -> tuple[float, float, str] | None:
        return deep_range(self.root / self.names[i], self.max_megapixels)

    def relabelled(self, labels: Tensor) -> "FileSplit":
        return FileSplit(self.root, labels, self.names, self.max_megapixels)

    def subset(self, indices: np.ndarray) -> "FileSplit":
        indices = np.asarray(indices, np.int64)
        files = None if self._files is None else self._files[indices]
        names = self.names.take(indices)
        return FileSplit(self.root, self.labels[indices], names, self.max_megapixels, files)


class ArraySplit(Split):
    """Images of one size in memory: uint8 (n, C, H, W)."""

    def __init__(self, images: Tensor, labels: Tensor, names: Sequence[str]):
        super().__init__(labels, names)
        self.images = images

    def read(self, i: int, at_least: int = 0, white: float | None = None) -> Tensor:
        return self.images[i]

    def size(self, i: int) -> tuple[int, int]:
        return tuple(self.images.shape[2:])

    def fitted(
        self, indices: Tensor, prep, reading: Callable[[int], None] = lambda i: None
    ) -> Tensor:
        return prep.fit_images(self.images[indices])

    def relabelled(self, labels: Tensor) -> "ArraySplit":
        return ArraySplit(self.images, labels, self.names)

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
    # the same by the rules of earlier versions, found out only where it is asked for
    older_fingerprints: Callable[[], Sequence[str]] = tuple
    packed_earlier: bool = False  # which knows no fingerprint by the rule of today
    problems: tuple[Finding, ...] = ()  # images left out, or in two classes
    notes: tuple[Finding, ...] = ()  # what may not be meant so
    splits: Mapping[str, str] = field(default_factory=dict)  # where val and test are from, in words

    @property
    def ignored_kinds(self) -> str:
        """How many files of each kind are ignored: "58 .txt, 2 .xml"."""
        return kinds(self.ignored)

    def are_of(self, recorded: str) -> bool:
        """Whether these images have that fingerprint, by the rule of today or an older one."""
        return recorded == self.fingerprint or recorded in self.older_fingerprints()

    @property
    def unless_packed_earlier(self) -> str:
        """What else may be the reason where the images have not the fingerprint that is expected,
        with its remedy, as a part of a sentence.
        """
        if not self.packed_earlier:
            return ""
        return " (or an older convatlas packed them, which made fingerprints otherwise: pack again)"

    def counts(self) -> list[int]:
        """Training images of each class."""
        return self.train.labels.bincount(minlength=len(self.classes)).tolist()


def complete(
    parts: Mapping[str, Split], classes: Sequence[str], seed: int, val_fraction: float
) -> tuple[Split, Split, Split]:
    """(train, val, test) of the parts that there are: what is not parted is held out of train."""
    held_out = ("test" not in parts) + ("val" not in parts and val_fraction > 0)
    require_enough(parts["train"], classes, parts=1 + held_out)
    train, test = parts["train"], parts.get("test")
    if test is None:
        train, test = hold_out(train, classes, TEST_SHARE * len(train), seed=0)
    val = parts.get("val")
    if val is None:
        train, val = hold_out(train, classes, val_fraction * len(train), seed)
    return train, val, test


def origins(parts: Mapping[str, Split], val_fraction: float) -> dict[str, str]:
    """Where the validation and test images that `complete` gives come from, in words."""
    homes = {part: printable(_home(split.names)) for part, split in parts.items()}
    rest = homes["train"] if len(parts) > 1 else "all images"
    drawn = {"val": f"{val_fraction:g} of {rest}, by lot", "test": f"a fifth of {rest}"}
    return {part: homes.get(part, drawn[part]) for part in ("val", "test")}


def _home(names: Sequence[str]) -> str:
    """The folder of these names, or the first and the last of several files."""
    first, last = (names[i].partition("/")[0] for i in (0, -1))
    return f"{first}/" if first == last else f"{first} ... {last}"


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
        named, more = short[:NAMED_AT_MOST], len(short) - NAMED_AT_MOST
        rest = f", and {more:,} others have too few" if more > 0 else ""
        raise DataError(
            f"too few images to part into {parts} sets: class {', class '.join(named)}{rest}; "
            f"every class needs {parts} or more. Add images, or remove the class"
        )
