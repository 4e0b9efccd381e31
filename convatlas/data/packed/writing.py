"""Packing a set: every image is decoded once, perhaps made smaller, and written, all of it or
nothing.
"""

import contextlib
import errno
import hashlib
import io
import os
import re
import shutil
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import numpy as np
from filelock import FileLock, Timeout
from PIL import Image

from convatlas.data import keyed_random
from convatlas.data.errors import broken_images
from convatlas.data.image_file import (
    BEGINNINGS,
    MAX_MEGAPIXELS,
    deep_range,
    read_header,
    read_pixels,
    require_limit,
    unreadable,
)
from convatlas.data.packed.contents import Contents, ToPack, of_sources
from convatlas.data.packed.index import FORMAT, OLDER, TESTED, Index, digest_of, packed
from convatlas.data.packed.place import INDEX
from convatlas.data.readers import TIMEOUT, forks, stream
from convatlas.data.survey import SKIPPED_AT_MOST
from convatlas.data.telling import Tally
from convatlas.errors import DataError
from convatlas.machine import cores

TOGETHER = 16  # images that a worker packs at a time
QUALITY = 90  # of a JPEG that was made smaller
SHARD = 2**29  # bytes of a file, about
MEMBERS = 2048  # bytes of a tar for each image beside its own, and those of the index


@dataclass(frozen=True)
class Packed:
    """What was written."""

    images: int
    shards: int
    bytes: int
    smaller: int  # images that were made smaller
    skipped: tuple[str, ...]  # a sentence for each image that cannot be read


@dataclass(frozen=True)
class _Row:
    """One image as it is written; or why it cannot be."""

    i: int
    content: bytes = b""
    height: int = 0
    width: int = 0
    grey: bool = False
    deep: bool = False
    smaller: bool = False
    broken: str = ""
    extension: str = ".jpg"  # of a file that was made smaller


def pack(
    sources: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    size: int = 0,
    quality: int = QUALITY,
    bad_images: str = "error",
    workers: int = 0,
    missing_classes: str = "error",
    max_megapixels: float = MAX_MEGAPIXELS,
) -> Packed:
    """Writes the images of a folder, of tars or of Parquet files into the new folder `out`.

    With `size`, images whose shorter side is longer are scaled down to it and saved as JPEG of this
    `quality`; all others, and all without it, keep their bytes. `workers` processes decode, 0 is
    one for each core. Raises DataError naming every image that cannot be read, unless `bad_images`
    is "skip" and they are at most 1 %; for a folder `out` that is not empty; and where there is too
    little room. `out` is complete, or not there.
    """
    _require_sense(size, quality, bad_images)
    require_limit(max_megapixels)
    out = Path(os.path.realpath(os.path.expanduser(out)))
    _require_apart(out, sources)
    with _beside(out) as beside:
        found = of_sources(sources, missing_classes, max_megapixels, beside / "unpacked")
        _require_room(out, found, size)
        done = _written(
            found, beside / "packed", size, quality, bad_images, workers, max_megapixels
        )
        with contextlib.suppress(FileNotFoundError):
            out.rmdir()  # it is empty
        os.replace(beside / "packed", out)
    return done


def _require_sense(size: int, quality: int, bad_images: str) -> None:
    if size and not 16 <= size <= 4096:
        raise DataError(f"--size {size} is not allowed; give the shorter side, from 16 to 4096")
    if not 1 <= quality <= 100:
        raise DataError(f"--quality {quality} is not allowed; give 1 to 100, such as {QUALITY}")
    if quality != QUALITY and not size:
        raise DataError(
            f"--quality {quality} has no effect, for no image is saved anew without --size; leave "
            "it out"
        )
    if bad_images not in ("error", "skip"):
        raise DataError(f"bad_images = {bad_images!r} is not allowed: error | skip")


def _require_apart(out: Path, sources: Sequence[str | os.PathLike]) -> None:
    """DataError where the set would lie in the folder that it is made of, a class of it then; and
    for the root of a disk, which nothing that was written beside it can replace.
    """
    for source in sources:
        folder = os.path.realpath(os.path.expanduser(source))
        if os.path.isdir(folder) and out.is_relative_to(folder):
            raise DataError(
                f"{str(out)!r} is in {folder!r}, which is to be packed; name a new folder elsewhere"
            )
    if os.path.ismount(out):
        raise DataError(f"{str(out)!r} is a whole disk; name a new folder in it to pack into")


@contextlib.contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """A folder on the same disk, for this process alone, that is gone at the end. What a killed
    process left there is removed.
    """
    beside = out.parent / f".packing-{out.name}"
    try:
        if out.is_dir() and any(out.iterdir()):
            raise DataError(f"{str(out)!r} is not empty; name a new folder to pack into")
        if out.exists() and not out.is_dir():
            raise DataError(f"{str(out)!r} is a file; name a new folder to pack into")
        out.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{beside}.lock", timeout=0)
        with lock:
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir()
            try:
                yield beside
            finally:
                shutil.rmtree(beside, ignore_errors=True)
                with contextlib.suppress(OSError):
                    os.unlink(lock.lock_file)
    except Timeout:
        raise DataError(
            f"another process packs into {str(out)!r}; wait for it, or name another folder"
        ) from None
    except OSError as fault:
        full = fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        why = "its disk is full" if full else fault.strerror or str(fault)
        remedy = "make room, or name a folder on another disk" if full else "name another folder"
        raise DataError(
            f"{str(out)!r} cannot be written ({why}), and nothing of it is left; {remedy}"
        ) from None


def _require_room(out: Path, found: ToPack, size: int) -> None:
    needed = found.size + MEMBERS * len(found.parts)
    free = shutil.disk_usage(out.parent).free
    if not size and needed > free:
        raise DataError(
            f"{str(out)!r} needs about {needed / 1e9:,.1f} GB, and its disk has {free / 1e9:,.1f} "
            "GB free; make room, name a folder on another disk, or make the images smaller with "
            "--size"
        )


def _written(
    found: ToPack,
    place: Path,
    size: int,
    quality: int,
    bad_images: str,
    workers: int,
    max_megapixels: float,
) -> Packed:
    order = _order_of(found.parts)
    blocks = [order[i : i + TOGETHER] for i in range(0, len(order), TOGETHER)]
    build = _Build(found.contents, blocks, size, quality, max_megapixels)
    workers = min(workers or (cores() if forks() else 0), len(blocks))
    tally, broken = Tally("packing", len(order)), {}
    place.mkdir()
    with _Shards(place) as shards:
        for rows in stream(build, range(len(blocks)), found.contents, workers, TIMEOUT):
            if isinstance(rows, DataError):
                raise rows
            for row in rows:
                if row.broken:
                    broken[row.i] = row.broken
                else:
                    shards.add(row, int(found.contents.labels[row.i]))
            tally.add(len(rows))
    sentences = [broken[i] for i in sorted(broken)]
    if broken and (bad_images == "error" or len(broken) > SKIPPED_AT_MOST * len(order)):
        raise broken_images(sentences)
    _write_index(found, shards, place, as_found=not (shards.smaller or broken))
    return Packed(len(shards.facts), shards.count, shards.bytes, shards.smaller, tuple(sentences))


def _write_index(found: ToPack, shards: "_Shards", place: Path, as_found: bool) -> None:
    facts = np.array(shards.facts, np.int64).reshape(-1, len(_Shards.FACTS))
    columns = dict(zip(_Shards.FACTS, facts.T, strict=True))
    which = columns.pop("number")
    names = found.contents.names.take(which)
    index = Index(
        part=found.parts[which].astype(np.int8),
        number=which,
        label=found.contents.labels.numpy()[which].astype(np.int32),
        shard=columns["shard"].astype(np.int32),
        offset=columns["offset"],
        length=columns["length"],
        sides=np.stack([columns["height"], columns["width"]], axis=1).astype(np.int32),
        deep=columns["deep"].astype(np.int8),
        digest=np.frombuffer(b"".join(shards.digests), np.uint8).reshape(len(which), -1),
        name_ends=names.ends,
        names=np.frombuffer(names.block, np.uint8),
    )
    own = index.fingerprint()
    made = {"auto": (own, ""), "val": (hashlib.sha256(f"{own} val".encode()).hexdigest(), "")}
    known = made | dict(found.fingerprints if as_found else {})
    said = {
        "format": FORMAT,
        "name": found.name,
        "classes": list(found.classes),
        "channels": found.channels or (1 if columns["grey"].all() else 3),
        "fingerprints": {tested: known[tested][:2] for tested in TESTED},
        OLDER: {tested: known[tested][2:] for tested in TESTED},
        "index": own,
        "shards": shards.names,
    }
    with open(place / INDEX, "wb") as file:
        file.write(packed(index, said))
        file.flush()
        os.fsync(file.fileno())


class _Shards:
    """The tars, one after the other, and where in them each image lies."""

    FACTS = ("number", "shard", "offset", "length", "height", "width", "grey", "deep")

    def __init__(self, place: Path):
        self.place = place
        self.names: list[str] = []
        self.facts: list[tuple[int, ...]] = []
        self.digests: list[bytes] = []
        self.smaller, self.bytes = 0, 0
        self._tar: tarfile.TarFile | None = None

    @property
    def count(self) -> int:
        return len(self.names)

    def __enter__(self) -> "_Shards":
        return self

    def __exit__(self, *fault) -> None:
        self._close(whole=fault[0] is None)

    def add(self, row: "_Row", label: int) -> None:
        """Two files, as WebDataset has them: 000000012.jpg and 000000012.cls."""
        if self._tar is None or self._tar.offset >= SHARD:
            self._close()
            self.names.append(f"{len(self.names):05}.tar")
            path = self.place / self.names[-1]
            self._tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115
        key = f"{len(self.facts):09}"
        offset = self._tar.offset + tarfile.BLOCKSIZE
        self._member(f"{key}{row.extension}", row.content)
        self._member(f"{key}.cls", str(label).encode())
        self.facts.append(
            (
                *(row.i, len(self.names) - 1, offset, len(row.content)),
                *(row.height, row.width, int(row.grey), int(row.deep)),
            )
        )
        self.digests.append(digest_of(row.content))
        self.smaller += row.smaller
        self.bytes += len(row.content)

    def _member(self, name: str, content: bytes) -> None:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        self._tar.addfile(entry, io.BytesIO(content))

    def _close(self, whole: bool = True) -> None:
        if self._tar is None:
            return
        tar, self._tar = self._tar, None
        if not whole:
            tar.fileobj.close()
            return
        tar.close()
        with open(self.place / self.names[-1], "rb") as file:
            os.fsync(file.fileno())


def _order_of(parts: np.ndarray) -> np.ndarray:
    """Training images shuffled once and for all, so that neighbours are a sample of the set; the
    others as they come, for they are read so.
    """
    train = np.flatnonzero(parts == 0)
    shuffled = train[keyed_random.order(len(train), seed=0, epoch=0)]
    return np.concatenate([shuffled, *(np.flatnonzero(parts == part) for part in (1, 2))])


@dataclass(frozen=True)
class _Build:
    """What a worker does for one block."""

    contents: Contents
    blocks: list[np.ndarray]
    size: int
    quality: int
    max_megapixels: float

    def __call__(self, step: int, reading: Callable[[int], None]) -> list[_Row]:
        rows = []
        for i in self.blocks[step].tolist():
            reading(i)
            try:
                rows.append(self._row(i))
            except DataError as fault:
                sentence = (
                    unreadable(self.contents.called(i), fault.reason) if fault.reason else fault
                )
                rows.append(_Row(i, broken=str(sentence)))
        return rows

    def _row(self, i: int) -> _Row:
        content = self.contents.content(i)
        grey, height, width = read_header(content)
        extension = PurePath(self.contents.names[i]).suffix.lower()
        extension = extension or _extension_of(content)
        as_it_is = _Row(i, content, height, width, grey, extension=extension)
        if deep_range(content, self.max_megapixels) is not None:
            return replace(as_it_is, deep=True)
        pixels = read_pixels(content, self.size, max_megapixels=self.max_megapixels)
        larger = min(height, width) > self.size <= min(pixels.shape[1:])
        if not self.size or not larger:
            return as_it_is
        content, height, width = _made_smaller(pixels, self.size, self.quality)
        return _Row(i, content, height, width, grey, smaller=True)


def _extension_of(content: bytes) -> str:
    """Of an image whose name has none, as in Parquet: other programs go by it."""
    start = content[:64]
    kinds = (kind for begins, kind in BEGINNINGS.items() if re.match(begins, start, re.DOTALL))
    return {"": ".img", "JPEG2000": ".jp2"}.get(kind := next(kinds, ""), f".{kind.lower()}")


def _made_smaller(pixels: np.ndarray, size: int, quality: int) -> tuple[bytes, int, int]:
    """(a JPEG, its height, its width) of uint8 (C, H, W), whose shorter side becomes `size`."""
    height, width = pixels.shape[1:]
    short = min(height, width)
    height, width = round(height * size / short), round(width * size / short)
    plane = pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0))
    image = Image.fromarray(plane).resize((width, height), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue(), height, width
