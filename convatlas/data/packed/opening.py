"""From a packed set's table to its three sets of images."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from convatlas import strict_json
from convatlas.data.image_file import MAX_MEGAPIXELS
from convatlas.data.names import Names
from convatlas.data.packed.block_cache import BlockCache
from convatlas.data.packed.shelf import DIGEST, Shelf
from convatlas.data.packed.split import PackedSplit
from convatlas.data.packed.table import Table
from convatlas.data.split import Data
from convatlas.errors import DataError

FORMAT = 1  # of the columns and of what is said of the whole
KEY = "convatlas"  # under which that stands in the table's metadata, as JSON
PARTS = ("train", "val", "test")
NUMBERS = ("part", "place", "label", "length", "height", "width", "deep")
COLUMNS = (*NUMBERS, "digest", "name")
WIDEST = 2**30  # pixels of a side
AGAIN = "copy it again, or pack the set again"

Complete = Callable[[dict[str, PackedSplit], tuple[str, ...]], tuple]


@dataclass(frozen=True, eq=False)
class Index:
    """What is known of each image beside its bytes: arrays of length n, in the rows' order."""

    part: np.ndarray  # the number in PARTS
    place: np.ndarray  # int64, its rank within its part
    label: np.ndarray
    length: np.ndarray  # of its bytes
    sides: np.ndarray  # int32 (n, 2)
    deep: np.ndarray  # whether it has more than 8 bits a channel
    digest: np.ndarray  # uint8 (n, DIGEST)
    names: Names

    def fingerprint(self) -> str:
        """sha256, in hex, of all of it."""
        whole = hashlib.sha256()
        numbers = (self.part, self.place, self.label, self.length, self.sides, self.deep)
        for column in numbers:
            whole.update(np.ascontiguousarray(column, "<i8").tobytes())
        whole.update(self.digest.tobytes())
        whole.update(np.ascontiguousarray(self.names.ends, "<i8").tobytes())
        whole.update(self.names.block)
        return whole.hexdigest()


def read_index(table: Table) -> Index:
    """Raises DataError for columns that cannot be of a set of images."""
    columns = table.columns(COLUMNS)
    try:
        numbers = {name: columns[name].to_numpy().astype(np.int64) for name in NUMBERS}
        digests = b"".join(columns["digest"].to_pylist())
        names = columns["name"].to_pylist()
        return Index(
            numbers["part"],
            numbers["place"],
            numbers["label"],
            numbers["length"],
            np.stack([numbers["height"], numbers["width"]], axis=1).astype(np.int32),
            numbers["deep"] != 0,
            np.frombuffer(digests, np.uint8).reshape(len(names), DIGEST),
            Names(b"".join(names), np.cumsum([*map(len, names)], dtype=np.int64)),
        )
    except (KeyError, ValueError, TypeError):
        raise damaged(table, "a column holds what no image has") from None


def damaged(table: Table, why: str) -> DataError:
    return DataError(f"the packed set {table.place!r} is damaged ({why}); {AGAIN}")


def open_packed(place: str, complete: Complete, max_megapixels: float = MAX_MEGAPIXELS) -> Data:
    """The three sets of a packed set in a folder or an object store. complete(parts, classes) gives
    them from the parts that it has, as it does for a folder's. Raises DataError where it is none,
    is not there, or is damaged.
    """
    table = Table(place)
    said = _said(table)
    index = read_index(table)
    if index.fingerprint() != said["index"]:
        raise damaged(table, "what it says of its images is not what was packed")
    _require_sound(table, index, len(said["classes"]))
    cache = BlockCache(said["index"]) if table.remote else None
    shelf = Shelf(table, index.length, index.digest, cache)
    parts = {}
    for number, part in enumerate(PARTS):
        rows = np.flatnonzero(index.part == number)
        rows = rows[np.argsort(index.place[rows], kind="stable")]
        if len(rows):
            labels = torch.from_numpy(index.label[rows])
            names, facts = index.names.take(rows), (index.sides[rows], index.deep[rows])
            parts[part] = PackedSplit(shelf, labels, names, rows, *facts, max_megapixels)
    classes = tuple(said["classes"])
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


def _said(table: Table) -> dict:
    """What is said of the set as a whole."""
    text = table.metadata().get(KEY.encode())
    if text is None:
        raise DataError(
            f"{table.place!r} is a Lance table that convatlas did not pack; `convatlas pack FOLDER "
            "OUT` makes one of a folder of images"
        )
    try:
        said = strict_json.loads(text)
        made_by = said["format"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise damaged(table, "what it says of itself cannot be read") from None
    if made_by != FORMAT:
        raise DataError(
            f"the packed set {table.place!r} is of format {made_by!r}, and this version of "
            f"convatlas reads {FORMAT}; pack it again, or use the version that packed it"
        )
    kinds = {
        **dict.fromkeys(("name", "fingerprint", "older_fingerprint", "index"), str),
        **{"channels": int, "classes": list},
    }
    right = all(type(said.get(name)) is kind for name, kind in kinds.items())
    if not right or said["channels"] not in (1, 3) or not _are_names(said["classes"]):
        raise damaged(table, "what it says of itself makes no sense")
    return said


def _are_names(classes: list) -> bool:
    texts = all(type(name) is str and name for name in classes)
    return texts and 0 < len(classes) == len(set(classes))


def _require_sound(table: Table, index: Index, classes: int) -> None:
    within = (
        (index.part, 0, len(PARTS) - 1),
        (index.label, 0, classes - 1),
        (index.sides, 1, WIDEST),
        (index.length, 1, 2**40),
    )
    sound = all(((low <= column) & (column <= high)).all() for column, low, high in within)
    if not sound or not (index.part == 0).any():
        raise damaged(table, "what it says of its images makes no sense")
