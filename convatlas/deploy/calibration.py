"""Pictures whose extremes set the scales of an int8 network."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from convatlas.data import find_images, read_image
from convatlas.errors import DataError, ExportError
from convatlas.model_file import Saved
from convatlas.run_images import RunImages

PICTURES = 200  # spread evenly over those that are there
FEWEST = 16  # with fewer, the extremes are those of a few pictures
BATCH = 8


@dataclass(frozen=True, eq=False)
class Calibration:
    """What the scales were taken from."""

    inputs: list[np.ndarray]  # batches (N, C, side, side), as the network reads them
    source: str
    count: int
    sha256: str  # of the pictures as they were read, in order, with their shapes


def of_folder(saved: Saved, folder: str | Path) -> Calibration:
    """Of the pictures below a folder. Raises DataError for a folder without any and a picture that
    cannot be read, ExportError where they are too few or of another kind.
    """
    files = find_images([Path(folder).expanduser()])
    try:
        pictures = [read_image(one, white=saved.preprocess.white) for one in _spread(files)]
    except DataError as error:
        raise ExportError(
            f"a picture for calibration cannot be read: {error}; remove it, or give another "
            "folder with --calibrate"
        ) from None
    if saved.preprocess.channels == 3 and all(one.shape[0] == 1 for one in pictures):
        raise ExportError(
            f"the pictures for calibration in {folder} are all grey, and {saved.network} reads "
            "colour; give pictures like those that it will see with --calibrate"
        )
    return _calibration(saved, pictures, f"pictures of {Path(folder).name}")


def of_run(saved: Saved, images: RunImages) -> Calibration:
    """Of a run's own training pictures. Raises ExportError where they are too few."""
    split = images.parts["train"]
    pictures = [split.read(i, white=saved.preprocess.white) for i in _spread(range(len(split)))]
    return _calibration(saved, pictures, f"train pictures of {images.name}")


def _spread(all_of_them) -> list:
    count = min(PICTURES, len(all_of_them))
    return [all_of_them[n * len(all_of_them) // count] for n in range(count)]


def _calibration(saved: Saved, pictures: list[Tensor], source: str) -> Calibration:
    if len(pictures) < FEWEST:
        raise ExportError(
            f"{len(pictures)} {source} are too few to calibrate with; give a folder of at least "
            f"{FEWEST}, better {PICTURES}, with --calibrate"
        )
    fitted = torch.stack([saved.preprocess.fit_image(one) for one in pictures])
    inputs = [saved.preprocess.normalise(part).numpy() for part in fitted.split(BATCH)]
    return Calibration(inputs, source, len(pictures), _digest(pictures))


def _digest(pictures: Iterable[Tensor]) -> str:
    found = hashlib.sha256()
    for one in pictures:
        found.update(repr(tuple(one.shape)).encode())
        found.update(one.contiguous().numpy().tobytes())
    return found.hexdigest()
