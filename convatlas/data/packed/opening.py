"""From a packed set's index to its three sets of images."""

from collections.abc import Callable

import numpy as np
import torch

from convatlas.data.image_file import MAX_MEGAPIXELS
from convatlas.data.packed import index
from convatlas.data.packed.block_cache import BlockCache
from convatlas.data.packed.place import place_of
from convatlas.data.packed.shelf import Shelf
from convatlas.data.packed.split import PackedSplit
from convatlas.data.split import Data

Complete = Callable[[dict[str, PackedSplit], tuple[str, ...]], tuple]


def open_packed(place: str, complete: Complete, max_megapixels: float = MAX_MEGAPIXELS) -> Data:
    """The three sets of a packed set in a folder or an object store. complete(parts, classes) gives
    them from the parts that it has, as it does for a folder's. Raises DataError where it is none,
    is not there, or is damaged.
    """
    where = place_of(place)
    found, said = index.read(where)
    lie = (found.shard, found.offset, found.length)
    cache = BlockCache(said["index"], lie) if where.remote else None
    shelf = Shelf(where, said["shards"], *lie, found.digest, cache)
    names, classes, parts = found.called(), tuple(said["classes"]), {}
    for number, part in enumerate(index.PARTS):
        rows = np.flatnonzero(found.part == number)
        rows = rows[np.argsort(found.number[rows], kind="stable")]
        if len(rows):
            labels = torch.from_numpy(found.label[rows]).long()
            facts = (found.sides[rows], found.deep[rows] != 0)
            parts[part] = PackedSplit(shelf, labels, names.take(rows), rows, *facts, max_megapixels)
    train, val, test = complete(parts, classes)
    return Data(
        said["name"],
        classes,
        said["channels"],
        train,
        val,
        test,
        said["fingerprint"],
        older_fingerprint=said["older_fingerprint"],
    )
