"""The Parquet files of a Hugging Face set, with the images' bytes in them: unpacked into a table
first, for Parquet is not read by number.
"""

import json
import os
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from convatlas.data.names import Names
from convatlas.data.packed.contents import Contents, ToPack
from convatlas.data.packed.table import Table, is_of_lance, libraries, reason_of, short
from convatlas.data.packed.tars import common_name, part_of
from convatlas.data.telling import Tally
from convatlas.data.walk import natural
from convatlas.errors import DataError

IMAGES = ("image", "img", "jpg", "png", "bytes", "picture")
LABELS = ("label", "labels", "class", "target", "fine_label", "coarse_label", "cls")
ROWS = 256  # of a file that are in memory at a time


class TableContents(Contents):
    """Images in the rows of a table."""

    def __init__(self, labels, names: Names, table: Table, rows: np.ndarray):
        super().__init__(labels, names)
        self.table, self.rows = table, rows

    def content(self, i: int) -> bytes:
        return self.table.take(self.rows[i : i + 1])[0]


def of_parquet(paths: Sequence[str], scratch: str) -> ToPack:
    """Parts are what the names of the files say, train where they say nothing. Raises DataError."""
    lance, pyarrow = libraries(scratch)
    paths = sorted(paths, key=natural)
    described = _described(paths[0])
    schema = pyarrow.schema([("image", pyarrow.large_binary())])
    labels, names, parts = [], [], []

    def batches() -> Iterator:
        tally = Tally("reading Parquet files", len(paths))
        for path in paths:
            stem, before = os.path.basename(path).removesuffix(".parquet"), len(labels)
            for images, some in _rows(path, described):
                names.extend(f"{stem}/{len(labels) - before + i}" for i in range(len(some)))
                labels.extend(some)
                parts.extend([part_of(path)] * len(some))
                yield pyarrow.record_batch(
                    [pyarrow.array(images, pyarrow.large_binary())], schema=schema
                )
            tally.add()

    try:
        reader = pyarrow.RecordBatchReader.from_batches(schema, batches())
        lance.write_dataset(reader, scratch)
    except BaseException as fault:
        if isinstance(fault, KeyboardInterrupt) or not is_of_lance(fault):
            raise
        raise DataError(
            f"the Parquet files could not be unpacked ({short(reason_of(fault))}); copy them "
            "again, and see that the disk has twice their room"
        ) from None
    return _to_pack(paths, described, scratch, labels, names, parts)


def _to_pack(paths, described, scratch: str, labels: list, names: list, parts: list) -> ToPack:
    if 0 not in parts:
        raise DataError(
            f"{paths[0]!r} and its like hold no images for training, by their names; name one of "
            "them train-….parquet"
        )
    texts = [described.text(label) for label in labels]
    classes = described.classes or tuple(sorted(set(texts), key=natural))
    numbers = {name: number for number, name in enumerate(classes)}
    if unknown := [text for text in texts if text not in numbers]:
        raise DataError(f"{paths[0]!r} has a label {unknown[0]!r} that is no class; copy it again")
    order = np.argsort(parts, kind="stable")
    found = torch.tensor([numbers[text] for text in texts])[torch.from_numpy(order)]
    contents = TableContents(
        found, Names.of([names[i] for i in order.tolist()]), Table(scratch), order
    )
    size = sum(map(os.path.getsize, paths))
    return ToPack(common_name(paths), classes, contents, np.asarray(parts)[order], size=size)


class _Described:
    """Which columns hold images and labels, and what the classes are called."""

    def __init__(self, image: str, label: str, classes: tuple[str, ...]):
        self.image, self.label, self.classes = image, label, classes

    def text(self, label) -> str:
        """The class of a label as it stands in the file."""
        if self.classes and type(label) is int and 0 <= label < len(self.classes):
            return self.classes[label]
        return str(label)


def _described(path: str) -> _Described:
    schema = _opened(path).schema_arrow
    image = _column(schema, IMAGES, lambda kind: "struct" in str(kind) or "binary" in str(kind))
    label = _column(schema, LABELS, lambda kind: "int" in str(kind) or "string" in str(kind))
    if not image or not label:
        raise DataError(
            f"{path!r} has the columns {', '.join(schema.names[:20])}; one with the bytes of "
            f"images ({', '.join(IMAGES)}) and one with labels ({', '.join(LABELS)}) are needed"
        )
    return _Described(image, label, _class_names(schema.metadata or {}, label))


def _column(schema, names: Sequence[str], fits) -> str:
    there = (name for name in names if name in schema.names and fits(schema.field(name).type))
    return next(there, "")


def _class_names(metadata: dict, label: str) -> tuple[str, ...]:
    """What the Hugging Face library has written beside the columns; () for nothing."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        names = features[label]["names"]
        right = isinstance(names, list) and all(type(name) is str and name for name in names)
        return tuple(names) if right and len(set(names)) == len(names) else ()
    except (KeyError, ValueError, TypeError, RecursionError):
        return ()


def _opened(path: str):
    import pyarrow.parquet

    try:
        return pyarrow.parquet.ParquetFile(path)
    except (OSError, ValueError) as fault:
        raise DataError(
            f"{path!r} cannot be read as Parquet ({short(' '.join(str(fault).split()))}); copy it "
            "again"
        ) from None


def _rows(path: str, described: _Described) -> Iterator[tuple[list, list]]:
    """(bytes of images, labels), some at a time."""
    columns = [described.image, described.label]
    for batch in _opened(path).iter_batches(ROWS, columns=columns):
        images, labels = (batch.column(name).to_pylist() for name in columns)
        contents = [one.get("bytes") if isinstance(one, dict) else one for one in images]
        if None in contents or None in labels:
            raise DataError(
                f"{path!r} holds images that are only named, or labels that are missing; save it "
                "with the images' bytes in it"
            )
        yield contents, labels
