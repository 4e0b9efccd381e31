"""A safetensors file that is written tensor by tensor, in any order: no byte of it is put together
in memory first, and equal tensors give the bytes that safetensors itself would write.
"""

import hashlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor

from convatlas.training.plain_files import created, flush_folder, replace, token

PIECE = 2**22  # bytes that are written, or read again, at a time
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
        _write(self.file, self.start)
        return self

    def __exit__(self, *_) -> None:
        self.file.close()

    def put(self, names: Iterable[str]) -> None:
        """The values that these tensors have now, into the file. They are in the system's hands
        when this returns, and on the disk after `flushed`.
        """
        for name in sorted(names, key=self.places.__getitem__):
            self.file.seek(self.places[name])
            for piece in _pieces(self.tensors[name]):
                _write(self.file, piece)

    def flushed(self) -> str:
        """The sha256 of the file, once all of it is on the disk.

        It is read again for that: what is to be hashed may have changed in memory by now.
        """
        digest, piece = hashlib.sha256(), memoryview(bytearray(PIECE))
        self.file.seek(0)
        while count := self.file.readinto(piece):
            digest.update(piece[:count])
        os.fsync(self.file.fileno())
        return digest.hexdigest()


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


def _pieces(tensor: Tensor) -> Iterator[memoryview]:
    """Its bytes, row by row, from whatever device and layout."""
    flat = tensor.detach().contiguous().view(-1)
    for piece in flat.split(PIECE // flat.element_size()):
        yield memoryview(piece.cpu().view(torch.uint8).numpy())


def _write(file: io.FileIO, content: bytes | memoryview) -> None:
    """All of it: the system may take less at a time."""
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]
