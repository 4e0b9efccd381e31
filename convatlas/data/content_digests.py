"""A digest of what is in each file of a folder, kept with the file's stamp: after a change only
new and changed files are read.

What is kept is one block of records, in the order of their stamps: 128 bits of what a look at the
file says, and the digest. A record speaks of no other file and of no other state of this one.
"""

import os
from hashlib import sha256

import numpy as np

from convatlas.data import remembered
from convatlas.data.file_status import are_settled
from convatlas.data.split import FileSplit
from convatlas.data.telling import Tally

NAME, RULES = "contents", b"contents by rule 3\n"  # another whenever digests are made otherwise
DIGEST = 16  # bytes of the sha256
RECORD = np.dtype([("stamp", "<u8", 2), ("digest", "V16")])

# Of a longer file only some blocks are read: (how many, bytes each), evenly from its middle on, for
# what is compressed differs everywhere, and of plain pixels many, for most may be background.
WHOLE = 2**16
COMPRESSED = (2, 2**12)
PLAIN = (16, 2**14)
PLAIN_KINDS = frozenset({".bmp", ".dib", ".tif", ".tiff", ".ppm", ".pgm", ".pnm", ".pbm"})


def of(split: FileSplit, chosen: np.ndarray, keeping: bool, looked_at: int) -> tuple[bytes, bool]:
    """(DIGEST bytes for each file, zeros for those not `chosen`, bool (n,), or not to be read;
    whether all that are chosen could be read).

    With `keeping` those of an earlier time are used, and these kept for another, but for files that
    changed just before `looked_at`.
    """
    digests, known = np.zeros(len(split), RECORD["digest"]), np.zeros(len(split), bool)
    if keeping:
        digests, known = _looked_up(_records(split.root), split.files["stamp"])
    left = np.flatnonzero(chosen & ~known)
    digests[left], known[left] = _read(split, left)
    known &= chosen
    digests[~known] = np.zeros(1, RECORD["digest"])
    if keeping and len(left):
        sure = known & are_settled(split.files["changed"], looked_at)
        records = np.empty(int(sure.sum()), RECORD)
        records["stamp"], records["digest"] = split.files["stamp"][sure], digests[sure]
        records = records[np.argsort(records["stamp"][:, 0], kind="stable")]
        remembered.keep(split.root, NAME, RULES + records.tobytes())
    return digests.tobytes(), bool(known[chosen].all())


def _records(root: str | os.PathLike) -> np.ndarray:
    """RECORD (m,), as they were kept; none where they are damaged or by other rules."""
    found = remembered.kept(root, NAME) or b""
    if found[: len(RULES)] != RULES or (len(found) - len(RULES)) % RECORD.itemsize:
        return np.zeros(0, RECORD)
    return np.frombuffer(found, RECORD, offset=len(RULES))


def _looked_up(records: np.ndarray, stamps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(the digests of the files with these stamps, uint64 (n, 2); which of them are known)."""
    if not len(records):
        return np.zeros(len(stamps), RECORD["digest"]), np.zeros(len(stamps), bool)
    order = np.argsort(stamps[:, 0])  # sorted ones are found in half the time
    at = np.searchsorted(np.ascontiguousarray(records["stamp"][:, 0]), stamps[order, 0])
    found = records[np.minimum(at, len(records) - 1)]
    digests, known = np.empty(len(stamps), RECORD["digest"]), np.empty(len(stamps), bool)
    digests[order], known[order] = found["digest"], (found["stamp"] == stamps[order]).all(1)
    return digests, known


def _read(split: FileSplit, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(the digests of these files, whether each could be read)."""
    digests, readable = bytearray(), np.ones(len(numbers), bool)
    root, counter = os.path.join(split.root, ""), Tally("reading fingerprints", len(numbers))
    names, sizes = split.names.take(numbers), split.files["size"][numbers].tolist()
    for i, (name, size) in enumerate(zip(names, sizes, strict=True)):
        try:
            digests += sha256(content(root + name, size)).digest()[:DIGEST]
        except OSError:  # which decoding reports; another time it may be read
            digests += bytes(DIGEST)
            readable[i] = False
        counter.add()
    return np.frombuffer(digests, RECORD["digest"]), readable


def content(path: str, size: int) -> bytes:
    """Enough of a file to tell it from another of its size. Raises OSError where it may not be
    read.
    """
    file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))  # half the time of open()
    try:
        if size <= WHOLE:
            return os.read(file, size)
        number, length = PLAIN if os.path.splitext(path)[1].lower() in PLAIN_KINDS else COMPRESSED
        blocks = []
        for i in range(number):
            os.lseek(file, (size - length) * (i + 1) // number, os.SEEK_SET)
            blocks.append(os.read(file, length))
        return b"".join(blocks)
    finally:
        os.close(file)
