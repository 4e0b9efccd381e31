"""From a packed set's index to its three sets of images."""

from functools import partial

import numpy as np
import torch

from convatlas.data.image_file import MAX_MEGAPIXELS
from convatlas.data.packed import index
from convatlas.data.packed.block_cache import BlockCache
from convatlas.data.packed.index import OLDER
from convatlas.data.packed.place import place_of
from convatlas.data.packed.shelf import Shelf
from convatlas.data.packed.split import PackedSplit
from convatlas.data.split import Data, complete, origins
from convatlas.errors import DataError


def open_packed(
    place: str,
    seed: int,
    val_fraction: float,
    max_megapixels: float = MAX_MEGAPIXELS,
    test_from: str = "auto",
) -> Data:
    """The three sets of a packed set in a folder or an object store, by the rules of open_data.
    Raises DataError where it is none, is not there, or is damaged.
    """
    where = place_of(place)
    found, said = index.read(where)
    cache = BlockCache(found) if where.remote else None
    parts = _parts(Shelf(where, said["shards"], found, cache), max_megapixels)
    if test_from == "val":
        parts = _tested_on_val(where.name, parts)
    classes = tuple(said["classes"])
    fingerprint, before = said["fingerprints"][test_from]
    still_older = said.get(OLDER, {}).get(test_from, [])
    return Data(
        said["name"],
        classes,
        said["channels"],
        *complete(parts, classes, seed, val_fraction),
        fingerprint,
        older_fingerprints=partial(list, [one for one in (before, *still_older) if one]),
        packed_earlier=OLDER not in said and bool(before),
        splits=origins(parts, val_fraction),
    )


def _parts(shelf: Shelf, max_megapixels: float) -> dict[str, PackedSplit]:
    """The parts that there are, each in the order that it had before it was packed."""
    found, names, parts = shelf.index, shelf.index.called(), {}
    for number, part in enumerate(index.PARTS):
        rows = np.flatnonzero(found.part == number)
        rows = rows[np.argsort(found.number[rows], kind="stable")]
        if len(rows):
            labels = torch.from_numpy(found.label[rows]).long()
            parts[part] = PackedSplit(shelf, rows, labels, names.take(rows), max_megapixels)
    return parts


def _tested_on_val(name: str, parts: dict[str, PackedSplit]) -> dict[str, PackedSplit]:
    """val as the test set, as of the folder that was packed."""
    if "test" in parts or "val" not in parts:
        why = "has a test set of its own" if "test" in parts else "has no val to test on"
        raise DataError(f'{name!r} {why}; leave --test-from val (test_from="val") out')
    return {"train": parts["train"], "test": parts["val"]}
