"""What can be packed: images with a class and a name each, whose bytes are read by number."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from convatlas.data.fingerprint import Splits, fingerprint_of, older_fingerprints
from convatlas.data.folder import channels_of, parts_of
from convatlas.data.image_file import unreadable
from convatlas.data.names import Names
from convatlas.data.packed.index import PARTS
from convatlas.data.packed.place import is_packed
from convatlas.data.split import Split
from convatlas.data.survey import oversized
from convatlas.errors import DataError


class Contents(Split):
    """n images on their way into a packed set, all parts one after the other."""

    def content(self, i: int) -> bytes:
        """The bytes of image i. Raises DataError, naming it."""
        raise NotImplementedError


class FolderContents(Contents):
    """Files under `root`."""

    def __init__(self, root, labels: torch.Tensor, names: Names):
        super().__init__(labels, names)
        self.root = root

    def called(self, i: int) -> str:
        return str(self.root / self.names[i])

    def content(self, i: int) -> bytes:
        path = self.called(i)
        try:
            if not os.path.isfile(path):  # opening a pipe would wait for ever
                raise unreadable(path, "is not a file; give the path of an image")
            if reason := oversized(path):
                raise unreadable(path, reason)
            with open(path, "rb") as file:
                return file.read()
        except OSError as fault:
            raise unreadable(
                path, f"cannot be read ({fault.strerror}); copy it again or delete it"
            ) from None


@dataclass(frozen=True, eq=False)
class ToPack:
    """A set that is to be packed. `channels` 0 and no fingerprints: they follow from its images."""

    name: str
    classes: tuple[str, ...]
    contents: Contents
    parts: np.ndarray  # int64 (n,): the number in PARTS
    channels: int = 0
    # by which images are asked for as the test set: by today's rule and by the older ones
    fingerprints: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    size: int = 0  # bytes, as far as is known


def of_folder(path: str, missing_classes: str, max_megapixels: float) -> ToPack:
    """A folder of class folders, by the rules of open_data."""
    found = parts_of(path, missing_classes, max_megapixels)
    parts = [part for part in PARTS if part in found.splits]
    splits = [found.splits[part] for part in parts]
    by_test = {"auto": _fingerprints(found.splits, found.begun)}
    if "val" in parts and "test" not in parts:
        renamed = {"train": found.splits["train"], "test": found.splits["val"]}
        by_test["val"] = _fingerprints(renamed, found.begun)
    return ToPack(
        found.top.path.name,
        found.arrangement.classes,
        FolderContents(
            splits[0].root,
            torch.cat([split.labels for split in splits]),
            Names.joined([split.names for split in splits]),
        ),
        np.repeat([PARTS.index(part) for part in parts], [len(split) for split in splits]),
        channels_of(found.splits["train"]),
        by_test,
        sum(int(np.maximum(split.files["size"], 0).sum()) for split in splits),
    )


def _fingerprints(splits: Splits, begun: int) -> tuple[str, ...]:
    return fingerprint_of(splits, begun), *older_fingerprints(splits, begun)


def of_sources(
    places: Sequence[str | os.PathLike], missing_classes: str, max_megapixels: float, scratch: Path
) -> ToPack:
    """A folder, or WebDataset's tars, or the Parquet files of a Hugging Face set. What cannot be
    read by number is unpacked into the new file `scratch` first. Raises DataError.
    """
    from convatlas.data.packed import parquet, tars

    names = [os.path.expanduser(os.fspath(place)) for place in places]
    kinds = {os.path.splitext(name)[1].lower() for name in names}
    if missing := [name for name in names if not os.path.exists(name)]:
        raise DataError(f"{missing[0]!r} does not exist; check the path")
    if packed := [name for name in names if is_packed(name)]:
        raise DataError(f"{packed[0]!r} is packed already; pack the folder that it was made of")
    if len(names) == 1 and os.path.isdir(names[0]):
        return of_folder(names[0], missing_classes, max_megapixels)
    if kinds == {".tar"}:
        return tars.of_tars(names)
    if kinds == {".parquet"}:
        return parquet.of_parquet(names, scratch)
    raise DataError(
        f"{', '.join(map(repr, names[:3]))}{' ...' if len(names) > 3 else ''} cannot be packed "
        "together; give one folder of class folders, or files that are all .tar (WebDataset, not "
        "compressed) or all .parquet (Hugging Face)"
    )
