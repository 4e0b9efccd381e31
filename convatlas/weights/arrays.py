"""NumPy's .npz, as np.savez writes it: a zip archive of plain arrays, each with a header of its
own. An array of objects, which is a pickle, is refused, and so is what is compressed.
"""

import ast
import math
import zipfile
from typing import BinaryIO

from convatlas.errors import WeightsError
from convatlas.weights.archives import Archive, place_of, refuse_bombs
from convatlas.weights.stored import SIZES, Storage, Stored, proved

MAGIC = b"\x93NUMPY"
LARGEST_HEADER = 4_096  # bytes; 118 are usual
DTYPES = {
    **{"<f8": "float64", "<f4": "float32", "<f2": "float16", "|b1": "bool"},
    **{"<i8": "int64", "<i4": "int32", "<i2": "int16", "|i1": "int8"},
    **{"<u8": "uint64", "<u4": "uint32", "<u2": "uint16", "|u1": "uint8"},
}
ENDING = ".npy"


def are_arrays(entries: list[zipfile.ZipInfo]) -> bool:
    """Whether an archive with these contents is one of arrays."""
    return bool(entries) and all(entry.filename.endswith(ENDING) for entry in entries)


def open_npz(file: BinaryIO, entries: list[zipfile.ZipInfo], size: int) -> Archive:
    """What np.savez writes: each array under its name."""
    refuse_bombs(entries, size)
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise WeightsError(
            "is compressed, and such a file may unpack to anything; write it plain: "
            "python -c \"import numpy; numpy.savez('plain.npz', **numpy.load('FILE'))\""
        )
    places = {entry.filename: (place_of(file, entry, size), entry.CRC) for entry in entries}
    return Archive(
        file,
        {
            entry.filename.removesuffix(ENDING): _stored(file, places[entry.filename][0], entry)
            for entry in entries
        },
        places,
    )


def _stored(file: BinaryIO, place: int, entry: zipfile.ZipInfo) -> Stored:
    """An array as its header describes it, proved to fill what follows the header."""
    name = entry.filename.removesuffix(ENDING)
    file.seek(place)
    begin = file.read(len(MAGIC) + 2)
    if begin[: len(MAGIC)] != MAGIC or begin[6] not in (1, 2, 3):
        raise ValueError(f"{name!a:.40} is no array")
    wide = 2 if begin[6] == 1 else 4
    length = int.from_bytes(file.read(wide), "little")
    header = len(begin) + wide + length
    if length > LARGEST_HEADER or header > entry.file_size:
        raise ValueError(f"the header of {name!a:.40} has {length:,} bytes")
    dtype, shape, columns_first = _described(name, file.read(length))
    numbers = entry.file_size - header
    if math.prod(shape) * SIZES[dtype] != numbers:
        raise ValueError(f"{name!a:.40} has {numbers:,} bytes for {shape}")
    whole = Storage(entry.filename, "uint8", entry.file_size, header, numbers)
    return proved(whole, dtype, 0, shape, _strides(shape, columns_first))


def _described(name: str, header: bytes) -> tuple[str, tuple[int, ...], bool]:
    """Kind of numbers, shape, and whether the first dimension runs fastest."""
    held = ast.literal_eval(header.decode("latin1").strip())
    descr, shape, columns_first = held["descr"], held["shape"], held["fortran_order"]
    if descr not in DTYPES:
        kind = (
            "objects, which are a pickle" if "O" in str(descr) else f"numbers of kind {descr!a:.20}"
        )
        raise WeightsError(f"holds {name!a:.100} as {kind}; save it as plain floating point")
    return DTYPES[descr], shape, bool(columns_first)


def _strides(shape: tuple[int, ...], columns_first: bool) -> tuple[int, ...]:
    order = range(len(shape)) if columns_first else reversed(range(len(shape)))
    steps = {}
    step = 1
    for dim in order:
        steps[dim] = step
        step *= shape[dim]
    return tuple(steps[dim] for dim in range(len(shape)))
