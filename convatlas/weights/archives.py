"""The two kinds of file that torch.save writes: a zip archive, and before PyTorch 1.6 pickles with
the numbers after them. Every number is found in the file before memory is taken for it.
"""

import io
import math
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping
from typing import Any, BinaryIO

import torch
from torch import Tensor

from convatlas.errors import WeightsError
from convatlas.weights.pickles import DAMAGED, KNOWN_FORMATS, Machine, Made
from convatlas.weights.stored import SIZES, Storage, Stored

LARGEST_DIRECTORY = 8_000_000  # bytes; an archive of 30,000 tensors has 3 million
LARGEST_PICKLE = 64_000_000
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_VERSION = 1001
LOCAL_HEADER = struct.Struct("<4s22xHH")
SHARED = 4  # how often the numbers of a file may be used, by weights that several layers share


class Archive:
    """A file's pickle, read, and its numbers, to be read where they are wanted."""

    def __init__(self, file: BinaryIO, held: Any, places: Mapping[str, tuple[int, int | None]]):
        self.held = held
        self._file = file
        self._places = places  # of a storage's bytes: where they begin, their checksum or None
        self._read: dict[str, bytearray] = {}

    def tensors(self, stored: Mapping[str, Stored | Made], size: int) -> dict[str, Tensor]:
        """The tensors, as views of the file's numbers in memory. Raises WeightsError where they ask
        for more than the file holds.
        """
        total = 0
        for name, part in stored.items():
            if isinstance(part, Made):
                raise WeightsError(f"holds {name} as {part.kind}; save it as plain floating point")
            needed = math.prod(part.shape) * SIZES[part.dtype]
            total += needed
            if needed > part.storage.elements * SIZES[part.storage.dtype] or total > SHARED * size:
                raise WeightsError(
                    f"holds {name}, {part.shape}, in fewer bytes than it has; do not use it"
                )
        return {name: self._tensor(part) for name, part in stored.items()}

    def _tensor(self, part: Stored) -> Tensor:
        dtype = getattr(torch, part.dtype)
        if not math.prod(part.shape):
            return torch.empty(part.shape, dtype=dtype)
        start = part.storage.start * SIZES[part.storage.dtype]
        held = part.storage.elements * SIZES[part.storage.dtype]
        numbers = torch.frombuffer(
            self._bytes(part.storage), dtype=dtype, offset=start, count=held // SIZES[part.dtype]
        )
        return numbers.as_strided(part.shape, part.stride, part.offset)

    def _bytes(self, storage: Storage) -> bytearray:
        if storage.key not in self._read:
            place, checksum = self._places[storage.key]
            buffer = bytearray(storage.whole * SIZES[storage.dtype])
            self._file.seek(place)
            if self._file.readinto(buffer) != len(buffer):
                raise ValueError("it is cut short")
            if checksum is not None and zlib.crc32(buffer) != checksum:
                raise ValueError(f"the checksum of data/{storage.key:.20} differs")
            self._read[storage.key] = buffer
        return self._read[storage.key]


class _Directory:
    """The file for zipfile, which would read a table of contents of any length into memory."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int = -1) -> bytes:
        if size > LARGEST_DIRECTORY:
            raise WeightsError(
                f"lists its contents in more than {LARGEST_DIRECTORY:,} bytes, which no checkpoint "
                "of a network of the atlas does; do not use it"
            )
        return self._file.read(LARGEST_DIRECTORY if size < 0 else size)


def entries_of(file: BinaryIO) -> list[zipfile.ZipInfo]:
    """The table of contents of a zip archive; WeightsError where a name stands there twice."""
    entries = zipfile.ZipFile(_Directory(file)).infolist()
    twice = [name for name, times in Counter(e.filename for e in entries).items() if times > 1]
    if twice:
        raise WeightsError(f"holds {twice[0]!a:.100} twice; {DAMAGED}")
    return entries


def open_zip(file: BinaryIO, entries: list[zipfile.ZipInfo], size: int) -> Archive:
    """What torch.save writes today. Other archives are refused by what they are."""
    _refuse_others(entries, size)
    there = {entry.filename.partition("/")[2]: entry for entry in entries}
    if "byteorder" in there and _content(file, there["byteorder"], size) != b"little":
        raise WeightsError(
            "has its bytes in another order than this machine; save it again as .safetensors "
            "where it was made"
        )
    machine = Machine()
    held = machine.run(io.BytesIO(_content(file, there["data.pkl"], size)))
    places = {}
    for key, storage in machine.storages.items():
        entry = there[f"data/{key}"]
        if entry.file_size != storage.whole * SIZES[storage.dtype]:
            raise ValueError(f"data/{key:.20} has another size than promised")
        places[key] = place_of(file, entry, size), entry.CRC or None  # 0 where torch left it out
    return Archive(file, held, places)


def _refuse_others(entries: list[zipfile.ZipInfo], size: int) -> None:
    """Exported programs and TorchScript run code when they are opened; bombs unpack to more."""
    names = {entry.filename.partition("/")[2] or entry.filename for entry in entries}
    if "archive_format" in names or any(
        name.startswith(("models/", "data/aotinductor")) for name in names
    ):
        raise WeightsError(f"is an exported program (.pt2), which holds code; {KNOWN_FORMATS}")
    if "constants.pkl" in names or any(name.startswith("code/") for name in names):
        raise WeightsError(f"is a TorchScript program, which holds code; {KNOWN_FORMATS}")
    if "data.pkl" not in {entry.filename.partition("/")[2] for entry in entries}:
        raise WeightsError(f"is a zip archive, but no PyTorch checkpoint; {KNOWN_FORMATS}")
    if len({entry.filename.partition("/")[0] for entry in entries}) > 1:
        raise WeightsError(f"holds more than one checkpoint; {DAMAGED}")
    refuse_bombs(entries, size)
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise WeightsError("is compressed, which torch.save never does; do not use it")


def refuse_bombs(entries: list[zipfile.ZipInfo], size: int) -> None:
    """Raises WeightsError for an archive that unpacks to more than the file has."""
    if sum(entry.file_size for entry in entries) > size:
        raise WeightsError("unpacks to more than its size; do not use it")


def place_of(file: BinaryIO, entry: zipfile.ZipInfo, size: int) -> int:
    """Where the content of an entry begins, of which all must be in the file."""
    file.seek(entry.header_offset)
    magic, name, extra = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
    begin = entry.header_offset + LOCAL_HEADER.size + name + extra
    if magic != b"PK\x03\x04" or file.read(name) != entry.orig_filename.encode():
        raise ValueError(f"{entry.filename!a:.40} is not where it is said to be")
    if begin + entry.file_size > size:
        raise ValueError("it is cut short")
    return begin


def _content(file: BinaryIO, entry: zipfile.ZipInfo, size: int) -> bytes:
    if entry.file_size > LARGEST_PICKLE:
        raise WeightsError(f"describes itself in {entry.file_size:,} bytes; {DAMAGED}")
    file.seek(place_of(file, entry, size))
    content = file.read(entry.file_size)
    if entry.CRC and zlib.crc32(content) != entry.CRC:
        raise ValueError(f"the checksum of {entry.filename!a:.40} differs")
    return content


def open_legacy(file: BinaryIO, size: int) -> Archive:
    """The format before PyTorch 1.6: magic, version, system, object and keys, each a pickle, then
    the numbers of each key with their count before them.
    """
    file.seek(0)
    machine = Machine()
    try:
        is_torch = machine.run(file) == LEGACY_MAGIC
    except (ValueError, LookupError, TypeError, AttributeError):
        is_torch = False
    if not is_torch:
        raise WeightsError(f"is a pickle, which can hold code; {KNOWN_FORMATS}")
    if machine.run(file) != LEGACY_VERSION:
        raise ValueError("it is of another version")
    machine.run(file)
    held = machine.run(file)
    keys = machine.run(file)
    begin = file.tell()
    places = {}
    for key in keys:
        storage = machine.storages[key]
        file.seek(begin)
        (count,) = struct.unpack("<q", file.read(8))
        bytes_there = storage.whole * SIZES[storage.dtype]
        if begin + 8 + bytes_there > size:
            raise WeightsError(
                f"promises {storage.whole:,} values in {size:,} bytes; download or copy it again"
            )
        if count != storage.whole or key in places:
            raise ValueError(f"storage {key:.20} in two sizes")
        places[key] = begin + 8, None
        begin += 8 + bytes_there
    return Archive(file, held, places)
