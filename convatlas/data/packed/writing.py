"""Packing a set: every image is decoded once, perhaps made smaller, and written, all of it or
nothing.
"""

import contextlib
import io
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from PIL import Image

from convatlas import strict_json
from convatlas.data import keyed_random
from convatlas.data.errors import broken_images
from convatlas.data.image_file import (
    MAX_MEGAPIXELS,
    deep_range,
    read_header,
    read_pixels,
    require_limit,
    unreadable,
)
from convatlas.data.packed.contents import Contents, ToPack, of_sources
from convatlas.data.packed.opening import FORMAT, KEY, read_index
from convatlas.data.packed.shelf import DIGEST, digest_of
from convatlas.data.packed.table import FULL, Table, is_of_lance, libraries, reason_of, short
from convatlas.data.readers import TIMEOUT, forks, stream
from convatlas.data.survey import SKIPPED_AT_MOST
from convatlas.data.telling import Tally
from convatlas.errors import DataError
from convatlas.machine import cores

TOGETHER = 16  # images that a worker packs at a time
SHARD = 2**29  # bytes of a file, about
SPARE = 1.05  # of the bytes of all images, for what is said of them


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


def pack(
    sources: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    size: int = 0,
    quality: int = 90,
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
    out = Path(os.path.abspath(os.path.expanduser(out)))
    lance, _ = libraries(str(out))
    with _beside(out) as beside:
        scratch = beside / "unpacked"
        found = of_sources(sources, missing_classes, max_megapixels, str(scratch))
        _require_room(out, found, size)
        writer = _Writer(found, size, quality, max_megapixels, workers)
        _write(lance, writer, beside / "packed", out)
        packed = writer.packed(Table(beside / "packed"), bad_images)
        with contextlib.suppress(FileNotFoundError):
            out.rmdir()  # it is empty
        os.replace(beside / "packed", out)
    return packed


def _require_sense(size: int, quality: int, bad_images: str) -> None:
    if size and not 16 <= size <= 4096:
        raise DataError(f"--size {size} is not allowed; give the shorter side, from 16 to 4096")
    if not 1 <= quality <= 100:
        raise DataError(f"--quality {quality} is not allowed; give 1 to 100, such as 90")
    if bad_images not in ("error", "skip"):
        raise DataError(f"bad_images = {bad_images!r} is not allowed: error | skip")


@contextlib.contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """A folder on the same disk, for this process alone, that is gone at the end. What a killed
    process left there is removed.
    """
    if out.is_dir() and any(out.iterdir()):
        raise DataError(f"{str(out)!r} is not empty; name a new folder to pack into")
    if out.exists() and not out.is_dir():
        raise DataError(f"{str(out)!r} is a file; name a new folder to pack into")
    beside = out.parent / f".packing-{out.name}"
    try:
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
        raise DataError(
            f"cannot write {str(out)!r} ({fault.strerror or fault}); name another folder"
        ) from None


def _require_room(out: Path, found: ToPack, size: int) -> None:
    needed, free = found.size * SPARE, shutil.disk_usage(out.parent).free
    if not size and needed > free:
        raise DataError(
            f"{str(out)!r} needs about {needed / 1e9:,.1f} GB, and its disk has {free / 1e9:,.1f} "
            "GB free; make room, name a folder on another disk, or make the images smaller with "
            "--size"
        )


def _write(lance, writer: "_Writer", place: Path, out: Path) -> None:
    import pyarrow

    schema = _schema(pyarrow)
    batches = writer.batches(pyarrow, schema)
    try:
        reader = pyarrow.RecordBatchReader.from_batches(schema, batches)
        lance.write_dataset(reader, str(place), max_bytes_per_file=SHARD)
    except BaseException as fault:
        if writer.fault is not None:  # which Lance has wrapped in its own
            raise writer.fault from None
        if isinstance(fault, KeyboardInterrupt) or not is_of_lance(fault):
            raise
        said = reason_of(fault)
        why = "its disk is full" if FULL.search(said) else short(said)
        raise DataError(
            f"{str(out)!r} cannot be written ({why}); nothing of it is left: make room, or name a "
            "folder on another disk"
        ) from None


def _schema(pyarrow):
    numbers = {"part": "int8", "place": "int64", "label": "int32", "length": "int64"}
    numbers |= {"height": "int32", "width": "int32", "deep": "int8"}
    kinds = {
        "name": pyarrow.binary(),
        **{name: getattr(pyarrow, kind)() for name, kind in numbers.items()},
        "digest": pyarrow.binary(DIGEST),
        "image": pyarrow.large_binary(),
    }
    return pyarrow.schema([pyarrow.field(name, kind, False) for name, kind in kinds.items()])


class _Writer:
    """The rows of a packed set, in the order in which they are written."""

    def __init__(self, found: ToPack, size: int, quality: int, max_megapixels: float, workers: int):
        self.found, self.size = found, size
        self.workers = workers or (cores() if forks() else 0)
        order = _order_of(found.parts)
        blocks = [order[i : i + TOGETHER] for i in range(0, len(order), TOGETHER)]
        self.build = _Build(found.contents, blocks, size, quality, max_megapixels)
        self.broken: dict[int, str] = {}
        self.all_grey, self.smaller, self.bytes = True, 0, 0
        self.fault: BaseException | None = None

    def batches(self, pyarrow, schema) -> Iterator:
        try:
            tally, blocks = Tally("packing", len(self.found.parts)), self.build.blocks
            crew = min(self.workers, len(blocks))
            for rows in stream(self.build, range(len(blocks)), self.found.contents, crew, TIMEOUT):
                if isinstance(rows, DataError):
                    raise rows
                tally.add(len(rows))
                self.broken |= {row.i: row.broken for row in rows if row.broken}
                if sound := [row for row in rows if not row.broken]:
                    yield self._batch(pyarrow, schema, sound)
        except BaseException as fault:
            self.fault = fault
            raise

    def _batch(self, pyarrow, schema, rows: list[_Row]):
        numbers = np.array([row.i for row in rows])
        self.all_grey &= all(row.grey for row in rows)
        self.smaller += sum(row.smaller for row in rows)
        self.bytes += sum(len(row.content) for row in rows)
        names = self.found.contents.names
        columns = {
            "name": [names[row.i].encode(errors="surrogateescape") for row in rows],
            "part": self.found.parts[numbers],
            "place": numbers,
            "label": self.found.contents.labels.numpy()[numbers],
            "length": [len(row.content) for row in rows],
            "height": [row.height for row in rows],
            "width": [row.width for row in rows],
            "deep": [int(row.deep) for row in rows],
            "digest": [digest_of(row.content) for row in rows],
            "image": [row.content for row in rows],
        }
        arrays = [pyarrow.array(columns[field.name], field.type) for field in schema]
        return pyarrow.record_batch(arrays, schema=schema)

    def packed(self, table: Table, bad_images: str) -> Packed:
        """Says of the written table what it is. Raises DataError where images were left out that
        may not be.
        """
        broken = [self.broken[i] for i in sorted(self.broken)]
        few = len(broken) <= SKIPPED_AT_MOST * len(self.found.parts)
        if broken and (bad_images == "error" or not few):
            raise broken_images(broken)
        index = read_index(table)
        as_found = not self.smaller and not broken
        own = index.fingerprint()
        said = {
            "format": FORMAT,
            "name": self.found.name,
            "classes": list(self.found.classes),
            "channels": self.found.channels or (1 if self.all_grey else 3),
            "fingerprint": (as_found and self.found.fingerprint) or own,
            "older_fingerprint": (as_found and self.found.older_fingerprint) or "",
            "index": own,
        }
        dataset = table._dataset()
        dataset.update_schema_metadata({KEY: strict_json.dumps(said)})
        shards = len(dataset.get_fragments())
        return Packed(len(index.part), shards, self.bytes, self.smaller, tuple(broken))


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
        deep = deep_range(content, self.max_megapixels) is not None
        if deep:
            return _Row(i, content, height, width, grey, True)
        pixels = read_pixels(content, self.size, max_megapixels=self.max_megapixels)
        if not self.size or min(pixels.shape[1:]) <= self.size:
            return _Row(i, content, height, width, grey)
        content, height, width = _made_smaller(pixels, self.size, self.quality)
        return _Row(i, content, height, width, grey, smaller=True)


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
