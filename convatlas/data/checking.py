"""check-data: a folder looked at as a whole, its layout and every file in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from convatlas.data.folder import Layout, layout
from convatlas.data.image_file import MAX_MEGAPIXELS
from convatlas.data.split import Data, FileSplit
from convatlas.data.survey import TIMEOUT, Examined, Finding, examine_all, remember


@dataclass(frozen=True)
class Report:
    """What check_data found. Only problems keep a set from being used."""

    images: int  # files that were decoded
    problems: tuple[Finding, ...]
    notes: tuple[Finding, ...]  # unusual, handled or perhaps meant
    ignored: tuple[str, ...]  # no images by their names, hidden, or reached twice
    data: Data | None  # the set, if its folders are one


def check_data(
    path: str | Path,
    workers: int = 0,
    timeout: float = TIMEOUT,
    progress: Callable[[int], None] = lambda done: None,
    max_megapixels: float = MAX_MEGAPIXELS,
) -> Report:
    """All that is wrong with a folder of images, in one pass: its layout, and every file decoded by
    all `workers`.

    Changes nothing in the folder. Training on it afterwards need not look again.
    """
    found = layout(Path(path).expanduser())
    labels = torch.zeros(len(found.images), dtype=torch.int64)
    split = FileSplit(found.root, labels, found.images, max_megapixels)
    examined = examine_all(split, workers, timeout, progress)
    results = dict(zip(found.images, examined, strict=True))
    problems = [Finding.of(file, reason) for file, reason in found.troubles]
    problems += [Finding.of(name, one.reason) for name, one in results.items() if one.reason]
    notes = [Finding.of(name, note) for name, one in results.items() for note in one.notes]
    notes += list(_twins(found, results))
    if found.data:
        _remember(found.data, results, max_megapixels)
    return Report(len(results), tuple(problems), tuple(notes), found.ignored, found.data)


def _twins(found: Layout, results: dict[str, Examined]) -> Iterator[Finding]:
    """Images that are byte for byte another one, of another class or of the test set."""
    if not found.data:
        return
    home = {
        name: (part, int(label))
        for part in ("train", "val", "test")
        for name, label in zip(
            getattr(found.data, part).names, getattr(found.data, part).labels, strict=True
        )
    }
    first: dict[str, str] = {}
    for name, one in results.items():
        if not one.digest or name not in home:
            continue
        other = first.setdefault(one.digest, name)
        (part, label), (other_part, other_label) = home[name], home[other]
        if label != other_label:
            yield Finding(
                name,
                f"is the same file as {other!r}, which is of another class",
                "keep the right one",
            )
        elif part != other_part:
            yield Finding(
                name,
                f"is the same file as {other!r}: one is in {part}, the other in {other_part}",
                "keep one, or the test measures what was learnt by heart",
            )


def _remember(data: Data, results: dict[str, Examined], max_megapixels: float) -> None:
    names = [name for part in (data.train, data.val, data.test) for name in part.names]
    if all(name in results for name in names):
        labels = torch.zeros(len(names), dtype=torch.int64)
        everything = FileSplit(data.train.root, labels, names, max_megapixels)
        remember(everything, {name: results[name].reason for name in names if results[name].reason})
