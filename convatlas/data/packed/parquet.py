"""The Parquet files of a Hugging Face set, with the images' bytes in them: unpacked into one
file first, for Parquet is not read by number.
"""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from convatlas.data.names import Names
from convatlas.data.packed.contents import ToPack
from convatlas.data.packed.tars import TarContents, common_name, part_of
from convatlas.data.telling import Tally
from convatlas.data.walk import natural
from convatlas.errors import DataError

IMAGES = ("image", "img", "jpg", "png", "bytes", "picture")
LABELS = ("label", "labels", "class", "target", "fine_label", "coarse_label", "cls")
ROWS = 256  # of a file that are in memory at a time


def of_parquet(paths: Sequence[str], scratch: Path) -> ToPack:
    """Parts are what the names of the files say, train where they say nothing. Raises DataError;
    OSError where `scratch` cannot be written.
    """
    paths = sorted(paths, key=natural)
    described, tally = _described(paths[0]), Tally("reading Parquet files", len(paths))
    labels, names, parts, lengths = [], [], [], []
    with open(scratch, "wb") as file:
        for path in paths:
            stem, before = os.path.basename(path).removesuffix(".parquet"), len(labels)
            part = part_of(path)
            for image, label in _rows(path, described):
                names.append(f"{stem}/{len(labels) - before}")
                labels.append(label)
                parts.append(part)
                lengths.append(len(image))
                file.write(image)
            tally.add()
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
    ends = np.cumsum(lengths, dtype=np.int64)
    spans = np.stack([np.zeros(len(ends), np.int64), ends - lengths, lengths], axis=1)[order]
    contents = TarContents(
        torch.tensor([numbers[text] for text in texts])[torch.from_numpy(order)],
        Names.of([names[i] for i in order.tolist()]),
        [str(scratch)],
        spans,
    )
    return ToPack(
        common_name(paths), classes, contents, np.asarray(parts)[order], size=int(ends[-1])
    )


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
    try:
        import pyarrow.parquet
    except ImportError:
        raise DataError(
            f"{path!r} is read by pyarrow, which is not installed: pip install pyarrow"
        ) from None
    try:
        return pyarrow.parquet.ParquetFile(path)
    except Exception as fault:  # of a library that reads hostile bytes
        raise DataError(
            f"{path!r} cannot be read as Parquet ({' '.join(str(fault).split())[:200]}); copy it "
            "again"
        ) from None


def _rows(path: str, described: _Described) -> Iterator[tuple[bytes, object]]:
    """(bytes, label) of each image."""
    columns = [described.image, described.label]
    try:
        for batch in _opened(path).iter_batches(ROWS, columns=columns):
            for image, label in zip(
                *(batch.column(name).to_pylist() for name in columns), strict=True
            ):
                content = image.get("bytes") if isinstance(image, dict) else image
                if not isinstance(content, bytes) or label is None:
                    raise DataError(
                        f"{path!r} holds images that are only named, or labels that are missing; "
                        "save it with the images' bytes in it"
                    )
                yield content, label
    except DataError:
        raise
    except Exception as fault:  # of a library that reads hostile bytes
        raise DataError(
            f"{path!r} is damaged ({' '.join(str(fault).split())[:200]}); copy it again"
        ) from None
