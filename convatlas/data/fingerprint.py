"""Whether a folder still holds the images that a run was begun with."""

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterator

from convatlas.data.split import FileSplit

# Of a longer file only some blocks are read: (how many, bytes each), evenly from its middle on, for
# what is compressed differs everywhere, and of plain pixels many, for most may be background.
WHOLE = 2**16
COMPRESSED = (2, 2**12)
PLAIN = (16, 2**14)
PLAIN_KINDS = frozenset({".bmp", ".dib", ".tif", ".tiff", ".ppm", ".pgm", ".pnm", ".pbm"})


def fingerprints(splits: dict[str, FileSplit]) -> tuple[str, str]:
    """(fingerprint, the same by an older rule): sha256, in hex, over parts, names, sizes and
    labels, enough to notice another set without reading all of this one; the newer one also over
    the contents of files of equal size, which could have changed places.

    A set whose files are all of different sizes has the same by both.
    """
    digest = hashlib.sha256()
    sizes: dict[tuple[str, str], int] = {}
    for part, split in splits.items():
        for name, label in zip(split.names, split.labels.tolist(), strict=True):
            path = os.path.join(split.root, name)
            status = os.lstat(path)
            digest.update(_encoded(f"{part}\0{name}\0{status.st_size}\0{label}\0"))
            if stat.S_ISLNK(status.st_mode):
                status = os.stat(path) if os.path.exists(path) else status
            if stat.S_ISREG(status.st_mode):  # nothing else is opened: a pipe would wait for ever
                sizes[part, name] = status.st_size
    by_names = digest.hexdigest()
    count = Counter(sizes.values())
    for (part, name), size in sizes.items():
        if count[size] > 1:
            digest.update(_encoded(f"{part}\0{name}\0"))
            for block in _blocks(os.path.join(splits[part].root, name), size):
                digest.update(block)
    return digest.hexdigest(), by_names


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _blocks(path: str, size: int) -> Iterator[bytes]:
    """Enough of a file to tell it from another of its size. None of one that may not be read, which
    decoding reports.
    """
    number, length = PLAIN if os.path.splitext(path)[1].lower() in PLAIN_KINDS else COMPRESSED
    places = [(size - length) * (i + 1) // number for i in range(number)]
    try:
        with open(path, "rb", buffering=0) as file:
            if size <= WHOLE:
                yield file.read(size)
                return
            for place in places:
                file.seek(place)
                yield file.read(length)
    except OSError:
        return
