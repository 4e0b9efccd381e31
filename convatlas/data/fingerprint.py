"""Whether a folder still holds the images that a run was begun with."""

import hashlib
import json
import os
from collections.abc import Iterator

import numpy as np

from convatlas.data import remembered
from convatlas.data.file_status import are_settled
from convatlas.data.split import FileSplit
from convatlas.data.telling import Tally

KEPT_FROM = 1000  # images; the fingerprint of fewer is made again each time
RULE = 2  # counted up whenever a fingerprint is made otherwise
KEPT_AT_MOST = 8  # of one folder

# Of a longer file only some blocks are read: (how many, bytes each), evenly from its middle on, for
# what is compressed differs everywhere, and of plain pixels many, for most may be background.
WHOLE = 2**16
COMPRESSED = (2, 2**12)
PLAIN = (16, 2**14)
PLAIN_KINDS = frozenset({".bmp", ".dib", ".tif", ".tiff", ".ppm", ".pgm", ".pnm", ".pbm"})


def fingerprints(splits: dict[str, FileSplit], looked_at: int = 0) -> tuple[str, str]:
    """(fingerprint, the same by an older rule): sha256, in hex, over parts, names, sizes and
    labels, enough to notice another set without reading all of this one; the newer one also over
    the contents of files of equal size, which could have changed places.

    A set whose files are all of different sizes has the same by both. Of a large set it is kept,
    and given again while each of the files is what it was by its size, times and number; where the
    youngest of them changed just before `looked_at` (nanoseconds), it is not kept.
    """
    splits = {part: split for part, split in splits.items() if len(split)}
    if sum(map(len, splits.values())) < KEPT_FROM:
        return _computed(splits)[:2]
    root, key = next(iter(splits.values())).root, _key(splits)
    known = _known(root)
    if key not in known:
        *found, whole = _computed(splits)
        known[key] = found
        if whole and all(
            are_settled(split.files["changed"], looked_at) for split in splits.values()
        ):
            newest = dict(list(known.items())[-KEPT_AT_MOST:])
            remembered.keep(root, "fingerprints", json.dumps(newest).encode())
    return tuple(known[key])


def _key(splits: dict[str, FileSplit]) -> str:
    digest = hashlib.sha256(f"{RULE}\0".encode())
    for part, split in splits.items():
        digest.update(_encoded(f"{part}\0{len(split)}\0"))
        digest.update(split.labels.numpy().tobytes())
        digest.update(np.ascontiguousarray(split.files["stamp"]).tobytes())
    return digest.hexdigest()


def _known(root) -> dict[str, list[str]]:
    try:
        found = json.loads(remembered.kept(root, "fingerprints") or b"{}")
        return found if isinstance(found, dict) else {}
    except (ValueError, RecursionError):
        return {}


def _computed(splits: dict[str, FileSplit]) -> tuple[str, str, bool]:
    """The two fingerprints, and whether all could be read that goes into the first."""
    digest, whole = hashlib.sha256(), True
    for part, split in splits.items():
        start, rows = (
            _encoded(f"{part}\0"),
            zip(
                split.names.encoded(),
                split.files["length"].tolist(),
                split.labels.tolist(),
                strict=True,
            ),
        )
        for name, length, label in rows:
            digest.update(b"%s%s\0%d\0%d\0" % (start, name, length, label))
    by_names = digest.hexdigest()
    sizes = np.concatenate([split.files["size"] for split in splits.values()] or [np.zeros(0)])
    _, which, counts = np.unique(sizes, return_inverse=True, return_counts=True)
    shared = (counts > 1)[which] & (sizes >= 0)  # no pipe is opened, which would wait for ever
    counter, at = Tally("reading fingerprints", int(shared.sum())), 0
    for part, split in splits.items():
        start, root = _encoded(f"{part}\0"), os.path.join(split.root, "")
        chosen = np.flatnonzero(shared[at : at + len(split)])
        for name, size in zip(
            split.names.take(chosen), split.files["size"][chosen].tolist(), strict=True
        ):
            digest.update(start + _encoded(name) + b"\0")
            try:
                for block in _blocks(root + name, size):
                    digest.update(block)
            except OSError:  # which decoding reports; another time it may be read
                whole = False
            counter.add()
        at += len(split)
    return digest.hexdigest(), by_names, whole


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _blocks(path: str, size: int) -> Iterator[bytes]:
    """Enough of a file to tell it from another of its size. Raises OSError where it may not be
    read.
    """
    file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))  # half the time of open()
    try:
        if size <= WHOLE:
            yield os.read(file, size)
            return
        number, length = PLAIN if os.path.splitext(path)[1].lower() in PLAIN_KINDS else COMPRESSED
        for i in range(number):
            place = (size - length) * (i + 1) // number
            os.lseek(file, place, os.SEEK_SET)
            yield os.read(file, length)
    finally:
        os.close(file)
