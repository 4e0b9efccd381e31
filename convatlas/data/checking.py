"""check-data: a folder looked at as a whole, its layout and every file in it."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from convatlas.data import readers
from convatlas.data.finding import Finding
from convatlas.data.folder import layout
from convatlas.data.image_file import MAX_MEGAPIXELS, require_limit
from convatlas.data.packed.checking import check_packed
from convatlas.data.packed.place import is_packed
from convatlas.data.sources import open_data
from convatlas.data.split import Data, FileSplit
from convatlas.data.survey import TIMEOUT, survey
from convatlas.data.twins import twins
from convatlas.errors import DataError


@dataclass(frozen=True)
class Report:
    """What check_data found. A set with problems cannot be used, or loses or contradicts some of
    its images.
    """

    images: int  # files that were decoded, now or earlier
    problems: tuple[Finding, ...]
    notes: tuple[Finding, ...]  # unusual, handled or perhaps meant
    ignored: tuple[str, ...]  # in no part of the set
    data: Data | None  # the set, if its folders are one
    remembered: int = 0  # files that were decoded earlier, and have not changed since


def check_data(
    path: str | Path,
    workers: int = 0,
    timeout: float = TIMEOUT,
    progress: Callable[[int], None] = lambda done: None,
    missing_classes: str = "error",
    max_megapixels: float = MAX_MEGAPIXELS,
    anew: bool = False,
    test_from: str = "auto",
) -> Report:
    """All that is wrong with a folder of images, in one pass: its layout, and every file decoded by
    all `workers`.

    Changes nothing in the folder. What is found is kept as it is found: training on it afterwards
    need not look again, nor this function at a file that could be read, of which nothing was to be
    said, and whose name, size and times are the same, unless it is to look `anew`.
    `missing_classes`, `max_megapixels` and `test_from` as open_data takes them.
    """
    require_limit(max_megapixels)
    if is_packed(os.path.expanduser(path)):
        return _of_packed(str(path), workers, timeout, progress, max_megapixels, test_from)
    found = layout(Path(path).expanduser(), missing_classes, test_from)
    labels = torch.zeros(len(found.images), dtype=torch.int64)
    split = FileSplit(found.root, labels, found.images, max_megapixels)
    looked = survey(split, workers, timeout, progress, anew=anew, notes=True)
    problems = [Finding.of(file, reason) for file, reason in found.troubles]
    problems += [Finding.of(name, reason) for name, reason in looked.reasons.items()]
    notes = [
        Finding.of(split.names[i], note)
        for i, one in sorted(looked.examined.items())
        for note in one.notes
    ]
    if found.data:
        problems += found.data.problems
        notes += found.data.notes
        notes += twins(found.data, looked.twins)
    return Report(
        len(split), tuple(problems), tuple(notes), found.ignored, found.data, looked.remembered
    )


def _of_packed(
    place: str,
    workers: int,
    timeout: float,
    progress: Callable[[int], None],
    max_megapixels: float,
    test_from: str,
) -> Report:
    try:
        data = open_data(place, max_megapixels=max_megapixels, test_from=test_from)
    except DataError as fault:
        return Report(0, (Finding.of("", str(fault)),), (), (), None)
    patient = max(timeout, readers.TIMEOUT)  # an object store may have to be asked again
    images, problems = check_packed(data, workers, patient, progress)
    return Report(images, tuple(problems), (), (), data)
