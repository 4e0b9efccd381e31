"""check-data: a folder looked at as a whole, its layout and every file in it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from convatlas.data.finding import Finding
from convatlas.data.folder import layout
from convatlas.data.image_file import MAX_MEGAPIXELS, require_limit
from convatlas.data.split import Data, FileSplit
from convatlas.data.survey import TIMEOUT, Examined, examine_all, remember, survey_of
from convatlas.data.twins import twins


@dataclass(frozen=True)
class Report:
    """What check_data found. A set with problems cannot be used, or loses or contradicts some of
    its images.
    """

    images: int  # files that were decoded
    problems: tuple[Finding, ...]
    notes: tuple[Finding, ...]  # unusual, handled or perhaps meant
    ignored: tuple[str, ...]  # in no part of the set
    data: Data | None  # the set, if its folders are one


def check_data(
    path: str | Path,
    workers: int = 0,
    timeout: float = TIMEOUT,
    progress: Callable[[int], None] = lambda done: None,
    missing_classes: str = "error",
    max_megapixels: float = MAX_MEGAPIXELS,
) -> Report:
    """All that is wrong with a folder of images, in one pass: its layout, and every file decoded by
    all `workers`.

    Changes nothing in the folder. Training on it afterwards need not look again. `missing_classes`
    and `max_megapixels` as open_data takes them.
    """
    require_limit(max_megapixels)
    found = layout(Path(path).expanduser(), missing_classes=missing_classes)
    labels = torch.zeros(len(found.images), dtype=torch.int64)
    split = FileSplit(found.root, labels, found.images, max_megapixels)
    examined = examine_all(split, workers, timeout, progress)
    results = dict(zip(found.images, examined, strict=True))
    problems = [Finding.of(file, reason) for file, reason in found.troubles]
    problems += [Finding.of(name, one.reason) for name, one in results.items() if one.reason]
    notes = [Finding.of(name, note) for name, one in results.items() for note in one.notes]
    if found.data:
        problems += found.data.problems
        notes += found.data.notes
        notes += twins(found.data, survey_of(split.names, examined).twins)
        _remember(found.data, results, max_megapixels)
    return Report(len(results), tuple(problems), tuple(notes), found.ignored, found.data)


def _remember(data: Data, results: dict[str, Examined], max_megapixels: float) -> None:
    names = [name for part in (data.train, data.val, data.test) for name in part.names]
    labels = torch.zeros(len(names), dtype=torch.int64)
    everything = FileSplit(data.train.root, labels, names, max_megapixels)
    remember(everything, survey_of(names, [results[name] for name in names]))
