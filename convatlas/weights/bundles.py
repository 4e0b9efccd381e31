"""TensorFlow's checkpoints as they are published: NAME.index, a sorted table of names, and
NAME.data-00000-of-00001, the numbers. The table is LevelDB's, its values are protocol buffers
(tensorflow/core/util/tensor_bundle.proto); nothing of TensorFlow is needed to read them.
"""

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from convatlas.errors import WeightsError
from convatlas.regular_file import without_waiting
from convatlas.weights.archives import Archive
from convatlas.weights.protobuf import Message, integers, varint
from convatlas.weights.stored import SIZES, Storage, Stored, proved

BUNDLE = re.compile(r"(?P<prefix>.+)\.(?:index|data-\d{5}-of-\d{5})")
LARGEST_INDEX = 8_000_000  # bytes; Inception-ResNet-v2's has 60,000
MAGIC = 0xDB4775248B80FB57
FOOTER = 48  # bytes
TRAILER = 5  # bytes after a block: how it is compressed, and a checksum
# tensorflow/core/framework/types.proto
DTYPES = {
    **{1: "float32", 2: "float64", 14: "bfloat16", 19: "float16", 10: "bool"},
    **{9: "int64", 3: "int32", 5: "int16", 6: "int8", 4: "uint8", 17: "uint16"},
}


def data_of(path: Path) -> Path:
    """The file with the numbers, where a path is one of a checkpoint's files or what their names
    begin with; else the path itself.
    """
    named = BUNDLE.fullmatch(path.name)
    if not named and (path.exists() or not path.with_name(f"{path.name}.index").is_file()):
        return path
    prefix = named["prefix"] if named else path.name
    data = path.with_name(f"{prefix}.data-00000-of-00001")
    if not data.is_file():
        raise WeightsError(f"beside {path} there is no {data.name}; keep both files in one folder")
    return data


def open_bundle(data: Path, file: BinaryIO, size: int) -> Archive:
    """The variables whose numbers are in `file`, the one at `data`, by the index beside it."""
    index = data.with_name(f"{BUNDLE.fullmatch(data.name)['prefix']}.index")
    try:
        with open(index, "rb", opener=without_waiting) as opened:
            table = opened.read(LARGEST_INDEX + 1)
    except OSError as error:
        raise WeightsError(
            f"needs {index.name} beside it ({error.strerror}); keep both files in one folder"
        ) from None
    if len(table) > LARGEST_INDEX:
        raise WeightsError(f"has an index of more than {LARGEST_INDEX:,} bytes; do not use it")
    held: dict[str, Stored] = {}
    places = {}
    for key, value in _entries(table):
        name = key.decode()
        found = _stored(name, value, size) if name else None  # "" describes the whole
        if found:
            place, held[name] = found
            places[name] = place, None
    return Archive(file, held, places)


def _stored(name: str, value: bytes, size: int) -> tuple[int, Stored] | None:
    """Where a variable begins, and what it is; None for one that holds texts."""
    fields = dict(Message(value).fields())
    dtype = DTYPES.get(fields.get(1, 0))
    if dtype is None:
        return None
    if 7 in fields or fields.get(3, 0):
        raise WeightsError(f"holds {name!a:.100} in several parts; write the checkpoint as one")
    shape = integers(
        dict(dim.fields()).get(1, 0)
        for number, dim in fields.get(2, Message(b"")).fields()
        if number == 2
    )
    begin, length = fields.get(4, 0), fields.get(5, 0)
    if begin + length > size:
        raise ValueError(f"{name!a:.40} ends outside the file")
    numbers = length // SIZES[dtype]
    steps = [1]
    for count in reversed(shape[1:]):
        steps.append(steps[-1] * count)
    strides = tuple(reversed(steps[: len(shape)]))
    stored = proved(Storage(name, dtype, numbers, 0, numbers), dtype, 0, shape, strides)
    return begin, stored


def _entries(table: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values, in order."""
    (magic,) = struct.unpack("<Q", table[-8:])
    if magic != MAGIC:
        raise ValueError("its index is no table")
    footer = table[-FOOTER:]
    _, at = _handle(footer, 0)
    (begin, length), _ = _handle(footer, at)
    for _, value in _block(table, begin, length):
        (begin, length), _ = _handle(value, 0)
        yield from _block(table, begin, length)


def _handle(buffer: bytes, at: int) -> tuple[tuple[int, int], int]:
    """Where a block begins and how long it is; and where the next thing begins."""
    begin, at = varint(buffer, at, len(buffer))
    length, at = varint(buffer, at, len(buffer))
    return (begin, length), at


def _block(table: bytes, begin: int, length: int) -> Iterator[tuple[bytes, bytes]]:
    """Each key says how much of the last one it begins with."""
    block = table[begin : begin + length]
    if len(table) < begin + length + TRAILER or length < 4:
        raise ValueError("its index is cut short")
    if table[begin + length]:
        raise WeightsError("has a compressed index, which TensorFlow never writes; do not use it")
    restarts = int.from_bytes(block[-4:], "little")
    end = length - 4 * (restarts + 1)
    at, key = 0, b""
    while at < end:
        shared, at = varint(block, at, end)
        own, at = varint(block, at, end)
        size, at = varint(block, at, end)
        if shared > len(key) or at + own + size > end:
            raise ValueError("its index is damaged")
        key = key[:shared] + block[at : at + own]
        yield key, block[at + own : at + own + size]
        at += own + size
