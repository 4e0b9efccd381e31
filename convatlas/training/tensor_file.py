"""A safetensors file that is written tensor by tensor, in any order, and read so: no byte of it is
put together in memory first, and equal tensors give the bytes that safetensors itself would write.
"""

import hashlib
import io
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from convatlas import strict_json
from convatlas.training.plain_files import created, flush_folder, replace, token

PIECE = 2**22  # bytes that are written, or read again, at a time
LARGEST_HEADER = 4_000_000  # bytes of names and shapes before the tensors of a file
MOST_DIMENSIONS = 8  # of a tensor that is read
ALIGNED = 8  # the header ends at a multiple of it
KINDS = {  # as the format calls them, in the order in which safetensors writes them
    torch.uint64: "U64",
    torch.int64: "I64",
    torch.float64: "F64",
    torch.complex64: "C64",
    torch.float32: "F32",
    torch.uint32: "U32",
    torch.int32: "I32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.uint16: "U16",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
ORDER = {kind: place for place, kind in enumerate(KINDS)}


class TensorFile:
    """A new file for these tensors. While it is entered they are put in, some now and some later;
    what was put in may change afterwards. OSError from every method where the disk refuses.
    """

    def __init__(self, path: Path, tensors: Mapping[str, Tensor]):
        self.path, self.tensors = path, tensors
        self.places: dict[str, int] = {}  # of the first byte of each
        header, end = {}, 0
        for name in sorted(tensors, key=lambda name: (ORDER[tensors[name].dtype], name)):
            tensor = tensors[name]
            begin, end = end, end + tensor.numel() * tensor.element_size()
            header[name] = {
                "dtype": KINDS[tensor.dtype],
                "shape": list(tensor.shape),
                "data_offsets": [begin, end],
            }
        text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
        text += b" " * (-len(text) % ALIGNED)
        self.start = len(text).to_bytes(8, "little") + text
        self.size = len(self.start) + end
        for name, described in header.items():
            self.places[name] = len(self.start) + described["data_offsets"][0]

    def __enter__(self) -> "TensorFile":
        self.file = io.FileIO(created(self.path, os.O_RDWR), "r+")
        return self

    def __exit__(self, *_) -> None:
        self.file.close()

    def put(self, names: Iterable[str]) -> None:
        """The values that these tensors have now, into the file. They are in the system's hands
        when this returns, and on the disk after `flushed`.
        """
        for place, piece in self.pieces(names):
            self.write(place, content(piece))

    def pieces(self, names: Iterable[str]) -> Iterator[tuple[int, Tensor]]:
        """Views of these tensors, of at most PIECE bytes where their layout allows it, and where
        in the file each belongs.
        """
        for name in sorted(names, key=self.places.__getitem__):
            place = self.places[name]
            for piece in _pieces(self.tensors[name]):
                yield place, piece
                place += piece.numel() * piece.element_size()

    def write(self, place: int, content: np.ndarray) -> None:
        """These bytes there. They are in the system's hands when this returns."""
        self.file.seek(place)
        _write(self.file, content)

    def flushed(self) -> str:
        """The sha256 of the file, once all of it is on the disk.

        It is read again for that: what is to be hashed may have changed in memory by now.
        """
        digest, piece = hashlib.sha256(self.start), memoryview(bytearray(PIECE))
        self.file.seek(0)
        _write(self.file, self.start)
        while count := self.file.readinto(piece):
            digest.update(piece[:count])
        os.fsync(self.file.fileno())
        return digest.hexdigest()


def read_tensors(file: BinaryIO, size: int) -> dict[str, Tensor]:
    """The tensors of a safetensors file of `size` bytes, each in memory of its own. ValueError,
    before any is allocated, unless its header describes these bytes and no others.
    """
    length = int.from_bytes(file.read(8), "little")
    if length > LARGEST_HEADER:
        raise ValueError("its header is too long")
    places = _places(file.read(length))
    end = 8 + length
    for begin, after, name, kind, shape in places:
        width = torch.empty((), dtype=kind).element_size()
        fits = math.prod(max(1, count) for count in shape) <= size
        if 8 + length + begin != end or not fits or after - begin != width * math.prod(shape):
            raise ValueError(f"{name!a:.100} is not where it is said to be")
        end += after - begin
    if end != size:
        raise ValueError(f"its tensors need {end:,} bytes, and it has {size:,}")
    tensors = {name: torch.empty(shape, dtype=kind) for _, _, name, kind, shape in places}
    for tensor in tensors.values():
        for piece in _pieces(tensor):
            _fill(file, memoryview(content(piece)))
    return tensors


def _places(header: bytes) -> list[tuple[int, int, str, torch.dtype, list[int]]]:
    """(begin, end, name, dtype, shape) of each tensor, as they follow each other."""
    kinds, found = {text: kind for kind, text in KINDS.items()}, []
    try:
        for name, each in strict_json.loads(header).items():
            kind, shape, (begin, end) = kinds[each["dtype"]], each["shape"], each["data_offsets"]
            if len(shape) > MOST_DIMENSIONS or not all(map(_is_count, (*shape, begin, end))):
                raise ValueError
            found.append((begin, end, name, kind, shape))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError("its header describes no tensors") from None
    return sorted(found, key=itemgetter(0, 1))


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**62


def _fill(file: BinaryIO, piece: memoryview) -> None:
    while piece:
        if not (count := file.readinto(piece)):
            raise ValueError("it ends before its last tensor")
        piece = piece[count:]


def replace_tensors(path: Path, tensors: Mapping[str, Tensor]) -> str:
    """The old file or the new one, never a part of either; the new one's sha256."""
    temporary = path.with_name(f".tmp-{path.name}-{token()}")
    try:
        with TensorFile(temporary, tensors) as file:
            file.put(tensors)
            digest = file.flushed()
        replace(temporary, path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)
    return digest


def _pieces(tensor: Tensor) -> tuple[Tensor, ...]:
    """Views of it, one behind the other; of whole rows where its elements do not lie so."""
    rows = tensor.detach()
    if rows.is_contiguous():
        rows = rows.view(-1)
    width = rows.element_size() * math.prod(rows.shape[1:])
    return rows.split(max(1, PIECE // max(1, width)))


def content(piece: Tensor) -> np.ndarray:
    """Its bytes, row by row, from whatever device and layout: uint8 (bytes,)."""
    return piece.contiguous().cpu().view(-1).view(torch.uint8).numpy()


def _write(file: io.FileIO, content: bytes | np.ndarray) -> None:
    """All of it: the system may take less at a time."""
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]
