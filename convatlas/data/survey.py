"""Every file of a set decoded once, and all that is wrong with it said at once. Changes no file of
the user's.
"""

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from convatlas.data import file_status, keyed_random, remembered
from convatlas.data.errors import broken_images
from convatlas.data.finding import Finding
from convatlas.data.image_file import MAX_MEGAPIXELS, look_through, read_header
from convatlas.data.readers import Reading, forks, stream
from convatlas.data.split import Data, FileSplit, Split
from convatlas.data.telling import Tally
from convatlas.data.twins import Groups, groups_of, twins
from convatlas.data.verdicts import Verdicts
from convatlas.errors import DataError
from convatlas.machine import cores
from convatlas.printable import cell

BLOCK = 16  # files that a worker examines at a time
TIMEOUT = 120  # seconds for these
SKIPPED_AT_MOST = 0.01  # share of a set's images that training may do without
# A file of more bytes than this, and than so many for each pixel, is no image but holds something.
LARGEST = 2**30
BYTES_OF_A_PIXEL = 64
CHECKS = ("auto", "all", "sample", "none")
SAMPLE = 2000  # images that are looked at with "sample"
LAZY_ABOVE = 300_000  # images, of which "auto" looks at a sample only
DEADLY = "kills or hangs the process that decodes it; delete it"
LOOKING = "looking at every image once"
WAITING = "waiting for another process that looks at these images"


# Given an image's number and its pixels, uint8 (C, H, W), in the process that has decoded it.
Seen = Callable[[int, np.ndarray], object]


def unseen(i: int, pixels: np.ndarray) -> None:
    """Nobody wants them."""


@dataclass(frozen=True)
class Examined:
    """What a worker found out about one file."""

    reason: str = ""  # why it cannot be used; "" if it can
    notes: tuple[str, ...] = ()
    digest: str = ""  # of its bytes
    stamp: tuple[int, int] | None = None  # of the file that was read; None where that is not sure


def examine(
    path: Path,
    max_megapixels: float = MAX_MEGAPIXELS,
    seen: Callable[[np.ndarray], object] = lambda pixels: None,
) -> Examined:
    """Decodes the file whole, as training would, and gives `seen` an image of 8 bits."""
    try:
        if reason := oversized(path):
            return Examined(reason)
        return Examined("", *look_through(path, max_megapixels, seen))
    except DataError as fault:
        return Examined(fault.reason)
    except OSError as fault:
        return Examined(f"cannot be read ({fault.strerror}); copy it again or delete it")


def _examine_named(
    root: Path, name: str, max_megapixels: float, seen: Callable[[np.ndarray], object]
) -> Examined:
    """The same with the stamp of the file, unless it changed meanwhile, or so lately that another
    change would not show.
    """
    path, looked_at = os.path.join(root, name), file_status.now()
    try:
        before = file_status.status_of(path, name)
        examined = examine(root / name, max_megapixels, seen)
        after = file_status.status_of(path, name)
    except OSError:  # it is gone
        return examine(root / name, max_megapixels)
    sure = before == after and file_status.is_settled(before[-1], looked_at)
    return replace(examined, stamp=before[0]) if sure else examined


def oversized(path: str | os.PathLike) -> str:
    """What is wrong with a file that is far larger than its pixels could need; "" for others."""
    if not os.path.isfile(path) or (size := os.path.getsize(path)) <= LARGEST:
        return ""
    _, height, width = read_header(path)
    if size <= BYTES_OF_A_PIXEL * height * width:
        return ""
    return (
        f"is a file of {size / 1e9:,.1f} GB for {width} x {height} pixels; copy it again or delete "
        "it"
    )


@dataclass(frozen=True)
class Survey:
    """What was found out about the files of a set."""

    examined: dict[int, Examined]  # those that were looked at now, by number
    reasons: dict[str, str]  # by name, why one cannot be used
    twins: Groups
    remembered: int = 0  # files that were looked at earlier, and have not changed


def examining(
    split: FileSplit,
    numbers: Sequence[int],
    workers: int = 0,
    timeout: float = TIMEOUT,
    seen: Seen = unseen,
) -> Iterator[dict[int, Examined]]:
    """The files with these numbers, a few at a time, by `workers` processes. 0 is one for each core
    where a process is a copy of this one; else none, for each would run a script without a main
    guard. Each image of 8 bits is given to `seen` by the process that decodes it.

    A file that kills or hangs the process that decodes it is a finding as any other: the rest goes
    on without it.
    """
    workers = workers or (cores() if forks() else 0)
    left = list(numbers)
    while left:
        blocks = [left[i : i + BLOCK] for i in range(0, len(left), BLOCK)]
        done: set[int] = set()
        try:
            build = partial(_examine_block, split, seen, blocks)
            crew = min(workers, len(blocks))
            for result in stream(build, range(len(blocks)), split, crew, timeout):
                done |= result.keys()
                yield result
        except DataError as fault:
            if not fault.reading:
                raise
            culprit = next(i for i in left if i not in done and split.names[i] == fault.reading)
            done.add(culprit)
            yield {culprit: _alone(split, culprit, timeout, seen)}
        left = [i for i in left if i not in done]


def _examine_block(
    split: FileSplit, seen: Seen, blocks: list[list[int]], step: int, reading: Reading
) -> dict[int, Examined]:
    found = {}
    for i in blocks[step]:
        reading(i)
        given = partial(seen, i)
        found[i] = _examine_named(split.root, split.names[i], split.max_megapixels, given)
    return found


def _alone(split: FileSplit, i: int, timeout: float, seen: Seen) -> Examined:
    """One file in a process of its own: it was open when another process failed, with or without
    guilt.
    """
    try:
        return next(stream(partial(_examine_block, split, seen, [[i]]), [0], split, 1, timeout))[i]
    except DataError:
        name = split.names[i]
        try:
            stamp = file_status.status_of(os.path.join(split.root, name), name)[0]
        except OSError:
            stamp = None
        return Examined(DEADLY, stamp=stamp)


def survey(
    split: FileSplit,
    workers: int = 0,
    timeout: float = TIMEOUT,
    progress: Callable[[int], None] = lambda done: None,
    anew: bool = False,
    notes: bool = False,
    seen: Seen = unseen,
) -> Survey:
    """All files of the split: those that are new or have changed are looked at, and what is found
    is kept as it is found.

    One process of a machine looks, others wait and know then. With `anew` every file is looked at;
    with `notes`, those too of which something peculiar is to be said. `progress` hears how many
    are done, `seen` is given what is decoded.
    """
    verdicts = Verdicts(split.root, split.max_megapixels)
    stamps = split.files["stamp"]
    known = verdicts.of(stamps)
    if anew or not known.good.all():
        wait = Tally(WAITING, len(split))
        with remembered.alone(split.root, lambda: wait.at(min(verdicts.count(), len(split)))):
            known = verdicts.of(stamps, known)
            return _looked(split, verdicts, known, workers, timeout, progress, anew, notes, seen)
    return _looked(split, verdicts, known, workers, timeout, progress, anew, notes, seen)


def _looked(
    split: FileSplit,
    verdicts: Verdicts,
    known,
    workers: int,
    timeout: float,
    progress: Callable[[int], None],
    anew: bool,
    notes: bool,
    seen: Seen,
) -> Survey:
    spared = (known.plain if notes else known.good) | known.deadly
    spared &= not anew
    left = np.flatnonzero(~spared).tolist()
    counter, digests = Tally(LOOKING, len(split)), np.where(spared[:, None], known.digests, 0)
    found = {i: Examined(DEADLY) for i in np.flatnonzero(known.deadly & spared).tolist()}
    bad = {i: one.reason for i, one in found.items()}
    done = len(split) - len(left)
    counter.start(done)
    try:
        for results in examining(split, left, workers, timeout, seen):
            for i, one in results.items():
                if one.reason:
                    bad[i] = one.reason
                else:
                    digests[i] = np.frombuffer(bytes.fromhex(one.digest), "<u8")
                if one.stamp and (not one.reason or one.reason == DEADLY):
                    verdicts.add(one.stamp, one.digest, not one.notes)
            if notes:
                found |= results
            done += len(results)
            counter.at(done)
            progress(done)
    finally:
        verdicts.close()
    if left:
        verdicts.tidy(len(split))
    reasons = {split.names[i]: bad[i] for i in sorted(bad)}
    return Survey(found, reasons, groups_of(split.names, digests), len(split) - len(left))


def is_known(split: FileSplit) -> bool:
    """Whether all files were looked at, and can be read."""
    return bool(Verdicts(split.root, split.max_megapixels).of(split.files["stamp"]).good.all())


def usable(
    data: Data,
    bad_images: str = "error",
    workers: int = 0,
    progress: Callable[[int], None] = lambda done: None,
    check: str = "all",
    seen: Seen = unseen,
) -> tuple[Data, list[Finding]]:
    """The set without the images that cannot be decoded, and those; every file is looked at before
    any is used.

    With "error", one such image is a DataError that lists them all; with "skip", more than 1 % are,
    or a class that would lose its last image. What was found is remembered until a file's name,
    size or times change. Sets in memory are as they are.

    `check` "sample" looks at 2,000 images drawn by lot and "none" at none: what is wrong with the
    others is said by whoever reads them first. "auto" is all of up to 300,000 images, and a sample
    of more; "skip" has to know them all. Raises DataError for another word. `seen` is given the
    pixels of each image of 8 bits that is looked at now, with its number in train, val and test,
    one after the other; not those of a sample.
    """
    if check not in CHECKS:
        raise DataError(f"check = {check!r} is not allowed: {' | '.join(CHECKS)}")
    if bad_images == "skip" and check in ("sample", "none"):
        raise DataError(
            f"check = {check!r} does not go with bad_images = 'skip', which has to know them all "
            "before the first step; leave --check out, or give --bad-images error"
        )
    parts = [data.train, data.val, data.test]
    if not isinstance(data.train, FileSplit) or check == "none":
        return data, []
    is_large = sum(map(len, parts)) > LAZY_ABOVE
    if bad_images != "skip" and (check == "sample" or (check == "auto" and is_large)):
        some = _sample(parts)
        found = survey(some, workers, progress=progress)
        if found.reasons:
            raise broken_images(_sentences(some, found.reasons))
        return data, []
    everything = FileSplit.joined(parts)
    found = survey(everything, workers, progress=progress, seen=seen)
    if apart := list(twins(data, found.twins)):
        data = replace(data, notes=(*data.notes, _in_all(apart)))
    if not found.reasons:
        return data, []
    return _without_broken(data, everything, found.reasons, bad_images)


def _sample(parts: list[FileSplit]) -> FileSplit:
    """Drawn by lot from all the parts, in their order."""
    chosen = np.sort(keyed_random.order(sum(map(len, parts)), seed=0, epoch=0)[:SAMPLE])
    begin, some = 0, []
    for part in parts:
        own = chosen[(chosen >= begin) & (chosen < begin + len(part))]
        some.append(part.subset(own - begin))
        begin += len(part)
    return FileSplit.joined(some)


def _sentences(split: FileSplit, reasons: dict[str, str]) -> list[str]:
    return [f"{str(split.root / name)!r} {reason}" for name, reason in reasons.items()]


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
    sentences = _sentences(everything, reasons)
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
