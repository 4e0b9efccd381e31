"""Every file of a set decoded once, and all that is wrong with it said at once. Changes no file of
the user's.
"""

import csv
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import PIL
import torch

from convatlas.data.errors import broken_images
from convatlas.data.finding import Finding
from convatlas.data.image_file import peculiarities, read_header, read_image
from convatlas.data.readers import Reading, forks, stream
from convatlas.data.split import Data, FileSplit, Split
from convatlas.data.twins import Groups, groups_of, twins
from convatlas.errors import DataError
from convatlas.printable import cell

BLOCK = 16  # files that a worker examines at a time
TIMEOUT = 120  # seconds for these
SKIPPED_AT_MOST = 0.01  # share of a set's images that training may do without
FORMAT = 2  # of what is remembered
PIECE = 2**20  # bytes of a file that are in memory at a time
# A file of more bytes than this, and than so many for each pixel, is no image but holds something.
LARGEST = 2**30
BYTES_OF_A_PIXEL = 64


@dataclass(frozen=True)
class Examined:
    """What a worker found out about one file."""

    reason: str = ""  # why it cannot be used; "" if it can
    notes: tuple[str, ...] = ()
    digest: str = ""  # of its bytes


def examine(path: Path) -> Examined:
    """Decodes the file whole, as training would."""
    try:
        if reason := _oversized(path):
            return Examined(reason)
        notes = peculiarities(path)
        read_image(path)
        return Examined("", notes, _digest(path))
    except DataError as fault:
        return Examined(fault.reason)
    except OSError as fault:
        return Examined(f"cannot be read ({fault.strerror}); copy it again or delete it")


def _oversized(path: Path) -> str:
    """What is wrong with a file that is far larger than its pixels could need."""
    if not path.is_file() or (size := path.stat().st_size) <= LARGEST:
        return ""
    _, height, width = read_header(path)
    if size <= BYTES_OF_A_PIXEL * height * width:
        return ""
    return (
        f"is a file of {size / 1e9:,.1f} GB for {width} x {height} pixels; copy it again or delete "
        "it"
    )


def _digest(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


@dataclass(frozen=True)
class Survey:
    """What was found out about the files of a set, by name."""

    reasons: dict[str, str]  # why one cannot be used
    twins: Groups


def survey_of(names: Sequence[str], examined: Sequence[Examined]) -> Survey:
    """What is worth remembering of `examined`, one for each name."""
    results = list(zip(names, examined, strict=True))
    return Survey(
        {name: one.reason for name, one in results if one.reason},
        groups_of((name, one.digest) for name, one in results),
    )


def examine_all(
    split: FileSplit,
    workers: int = 0,
    timeout: float = TIMEOUT,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Examined]:
    """Each file of the split, in order, by `workers` processes. 0 is one for each core where a
    process is a copy of this one; else none, for each would run a script without a main guard.

    A file that kills or hangs the process that decodes it is a finding as any other: the rest goes
    on without it.
    """
    found: dict[int, Examined] = {}
    workers = workers or (os.cpu_count() or 1 if forks() else 0)
    while len(found) < len(split):
        left = [i for i in range(len(split)) if i not in found]
        blocks = [left[i : i + BLOCK] for i in range(0, len(left), BLOCK)]
        crew = min(workers, len(blocks))
        try:
            for result in stream(
                partial(_examine_block, split, blocks), range(len(blocks)), split, crew, timeout
            ):
                found |= result
                progress(len(found))
        except DataError as fault:
            if not fault.reading:
                raise
            culprit = split.names.index(fault.reading)
            found[culprit] = _alone(split, culprit, timeout)
    return [found[i] for i in range(len(split))]


def _examine_block(
    split: FileSplit, blocks: list[list[int]], step: int, reading: Reading
) -> dict[int, Examined]:
    found = {}
    for i in blocks[step]:
        reading(i)
        found[i] = examine(split.root / split.names[i])
    return found


def _alone(split: FileSplit, i: int, timeout: float) -> Examined:
    """One file in a process of its own: it was open when another process failed, with or without
    guilt.
    """
    try:
        return next(stream(partial(_examine_block, split, [[i]]), [0], split, 1, timeout))[i]
    except DataError:
        return Examined("kills or hangs the process that decodes it; delete it")


def usable(
    data: Data,
    bad_images: str = "error",
    workers: int = 0,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[Data, list[Finding]]:
    """The set without the images that cannot be decoded, and those; every file is looked at before
    any is used.

    With "error", one such image is a DataError that lists them all; with "skip", more than 1 % are,
    or a class that would lose its last image. What was found is remembered until a file's name,
    size or time changes. Sets in memory are as they are.
    """
    parts = {name: getattr(data, name) for name in ("train", "val", "test")}
    if not isinstance(data.train, FileSplit):
        return data, []
    everything = FileSplit(
        data.train.root,
        torch.cat([part.labels for part in parts.values()]),
        [name for part in parts.values() for name in part.names],
    )
    found = recall(everything)
    if found is None:
        found = survey_of(everything.names, examine_all(everything, workers, progress=progress))
        remember(everything, found)
    if apart := list(twins(data, found.twins)):
        data = replace(data, notes=(*data.notes, _in_all(apart)))
    if not found.reasons:
        return data, []
    return _without_broken(data, everything, found.reasons, bad_images)


def _in_all(apart: list[Finding]) -> Finding:
    """One finding for all the twins, of which there may be very many."""
    first = apart[0]
    if len(apart) == 1:
        return first
    return Finding(
        first.file,
        f"{first.problem}, and {len(apart) - 1:,} more are so the same as images of another class "
        "or part",
        "`convatlas check-data` names them",
    )


def _without_broken(
    data: Data, everything: FileSplit, reasons: dict[str, str], bad_images: str
) -> tuple[Data, list[Finding]]:
    parts = {name: getattr(data, name) for name in ("train", "val", "test")}
    found = [Finding.of(name, reason) for name, reason in reasons.items()]
    sentences = [f"{str(everything.root / name)!r} {reason}" for name, reason in reasons.items()]
    if bad_images == "error":
        raise broken_images(sentences)
    if len(reasons) > SKIPPED_AT_MOST * len(everything):
        error = broken_images(sentences)
        raise DataError(
            f"{len(reasons)} of {len(everything):,} images cannot be used, more than the "
            f"{SKIPPED_AT_MOST:.0%} that may be skipped; mend or delete them:\n  {error}"
        )
    return replace(
        data, **{name: _without(part, reasons, data.classes) for name, part in parts.items()}
    ), found


def _without(part: Split, reasons: dict[str, str], classes: tuple[str, ...]) -> Split:
    kept = part.subset(
        np.array([i for i, name in enumerate(part.names) if name not in reasons], int)
    )
    before, after = (split.labels.bincount(minlength=len(classes)) for split in (part, kept))
    if emptied := [classes[i] for i in ((before > 0) & (after == 0)).nonzero().flatten().tolist()]:
        raise DataError(f"no image of {', '.join(map(repr, emptied))} can be used; copy them again")
    return kept


def recall(split: FileSplit) -> Survey | None:
    """What was found out about these very files the last time; None if they were never looked
    at.
    """
    try:
        return Survey(**json.loads(_memory_of(split).read_bytes()))
    except (OSError, ValueError, TypeError, RuntimeError):  # the last: no home
        return None


def remember(split: FileSplit, found: Survey) -> None:
    """In the user's cache folder; where nothing can be written there, files are looked at again
    each time.
    """
    try:
        path = _memory_of(split)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, delete=False, encoding="utf-8"
        ) as file:
            json.dump(asdict(found), file)
        os.replace(file.name, path)
    except (OSError, RuntimeError):
        return


def _memory_of(split: FileSplit) -> Path:
    """A file named for the name, size and time of every image, and for the decoder."""
    digest = hashlib.sha256(f"{FORMAT} {PIL.__version__}".encode())
    for name in sorted(split.names):
        status = os.stat(split.root / name, follow_symlinks=os.path.exists(split.root / name))
        digest.update(
            f"{split.root}\0{name}\0{status.st_size}\0{status.st_mtime_ns}\0".encode(
                errors="surrogateescape"
            )
        )
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "convatlas" / "checked" / f"{digest.hexdigest()}.json"


def write_csv(path: Path, findings: Iterator[Finding]) -> None:
    """file, problem, remedy: a line each, of which a spreadsheet runs nothing. Raises DataError
    where it cannot be written.
    """
    try:
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("file", "problem", "remedy"))
            for found in findings:
                writer.writerow(map(cell, (found.file, found.problem, found.remedy)))
    except OSError as fault:
        raise DataError(
            f"cannot write {str(path)!r} ({fault.strerror}); name another file with --csv"
        ) from None
