"""HDF5 as a directory of plain arrays: h5py reads what the file says of itself, and each array is
proved to lie in the file before anything is read of it.

Only the file itself is looked into: links that are not plain, storage outside, virtual arrays and
what is cut into chunks (and may be compressed) are refused.
"""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from convatlas.errors import WeightsError
from convatlas.weights.arrays import DTYPES
from convatlas.weights.pickles import DAMAGED, LONGEST_NAME
from convatlas.weights.stored import DIMENSIONS, SIZES, Stored, dense, natural

MAGIC = b"\x89HDF\r\n\x1a\n"
MANY = 50_000  # groups and arrays; Inception-ResNet-v2's file has 2,000
DEEP = 32  # groups in one another
LONGEST_LABEL = 64  # bytes of an attribute that is read; of a text, those of its reference
LABELLED = "/vars"  # groups that Keras 3 calls by the layer's name, in an attribute
PLAIN = "write it plain: h5repack -f NONE -l CONTI FILE plain.h5"


@dataclass
class Directory:
    """The arrays of a file by their paths, where their numbers begin, and the names that Keras gave
    to groups.
    """

    arrays: dict[str, Stored] = field(default_factory=dict)
    places: dict[str, tuple[int, None]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)


class Window(io.RawIOBase):
    """A part of a file as a file of its own."""

    def __init__(self, file: BinaryIO, begin: int, size: int):
        self._file = file
        self._begin = begin
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(start + offset, 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._begin + self._at)
        read = self._file.read(max(min(len(buffer), self._size - self._at), 0))
        buffer[: len(read)] = read
        self._at += len(read)
        return len(read)


def look_through(file: BinaryIO, begin: int, size: int) -> Directory:
    """What the HDF5 file of `size` bytes holds that begins there in `file`."""
    try:
        import h5py
    except ImportError:
        raise WeightsError(
            "is a Keras or HDF5 file, which h5py reads; pip install h5py (the extra "
            "convatlas[keras])"
        ) from None
    found = Directory()
    with h5py.File(Window(file, begin, size), "r") as opened:
        for path, held in _objects(opened):
            if isinstance(held, h5py.Dataset):
                _add(found, path, held, begin, size)
            elif path.endswith(LABELLED) and (label := _label(held)):
                found.labels[path.removesuffix(LABELLED)] = label
    return found


def _objects(root: Any) -> Iterator[tuple[str, Any]]:
    """Every group and array under its path. Raises WeightsError where one is not in the file itself
    or a group is met twice, as in a circle.
    """
    import h5py

    waiting = [("", root)]
    seen = {h5py.h5o.get_info(root.id).addr}
    count = 0
    while waiting:
        above, group = waiting.pop()
        for name in group.id:
            path = f"{above}/{name.decode()}" if above else name.decode()
            count += 1
            if count > MANY or len(path) > LONGEST_NAME or path.count("/") > DEEP:
                raise WeightsError(
                    f"holds more than a network's layers at {path!a:.100}; {DAMAGED}"
                )
            if group.id.links.get_info(name).type != h5py.h5l.TYPE_HARD:
                raise WeightsError(
                    f"holds {path!a:.100} as a link, which may lead out of the file; do not use it"
                )
            held = group[name]
            yield path, held
            if isinstance(held, h5py.Group):
                address = h5py.h5o.get_info(held.id).addr
                if address in seen:
                    raise WeightsError(f"holds the group {path!a:.100} in two places; {DAMAGED}")
                seen.add(address)
                waiting.append((path, held))


def _add(found: Directory, path: str, array: Any, begin: int, size: int) -> None:
    """One array, which must lie in one piece in the file; texts are left out."""
    import h5py

    settings = array.id.get_create_plist()
    if settings.get_external_count() or settings.get_layout() == h5py.h5d.VIRTUAL:
        raise WeightsError(f"keeps the numbers of {path!a:.100} in other files; do not use it")
    if settings.get_layout() != h5py.h5d.CONTIGUOUS or settings.get_nfilters():
        raise WeightsError(f"holds {path!a:.100} in chunks or compressed; {PLAIN}")
    kind = array.id.get_type()
    if isinstance(kind, h5py.h5t.TypeStringID) or array.shape is None:
        return
    dtype = DTYPES.get(array.dtype.str)
    if dtype is None:
        raise WeightsError(
            f"holds {path!a:.100} as numbers of kind {array.dtype.str!a:.20}; save it as plain "
            "floating point"
        )
    shape = tuple(map(natural, array.shape))
    if len(shape) > DIMENSIONS:
        raise ValueError("a tensor of an unknown form")
    needed = math.prod(shape) * SIZES[dtype]
    place = array.id.get_offset()
    if needed and (place is None or place + needed > size):
        raise WeightsError(f"holds {path!a:.100}, {shape}, outside the file; {DAMAGED}")
    found.arrays[path] = dense(path, dtype, shape)
    found.places[path] = begin + (place or 0), None


def _label(group: Any) -> str:
    """The name that Keras 3 gave to a group of variables; "" for none."""
    import h5py

    if not h5py.h5a.exists(group.id, b"name"):
        return ""
    attribute = h5py.h5a.open(group.id, b"name")
    if attribute.shape or attribute.get_storage_size() > LONGEST_LABEL:
        return ""
    label = group.attrs["name"]
    return label if isinstance(label, str) and len(label) <= LONGEST_NAME else ""
