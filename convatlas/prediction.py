"""Images in, classes with probabilities out, through the preprocessing that the network was trained
with.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from convatlas.data import find_images, read_image
from convatlas.data.image_file import require_limit
from convatlas.errors import DataError
from convatlas.model_file import Saved, load_model

BATCH = 64


@dataclass(frozen=True)
class Prediction:
    """The likeliest classes of one image, best first; or why it could not be read."""

    name: str
    classes: tuple[str, ...] = ()
    probabilities: tuple[float, ...] = ()
    problem: str = ""


def predict(
    model: Saved | str | Path,
    images: str | Path | Iterable[str | Path],
    top: int = 5,
    max_megapixels: float = 64,
) -> list[Prediction]:
    """The `top` likeliest classes of every image, in order: of files, and of folders of them.

    `model` is a finished run's folder, or what load_model gave. An image that cannot be read gets
    its `problem`, as has one above `max_megapixels`, and the others go on. Raises DataError for a
    path that does not exist or a folder without images, ModelFileError for a run that cannot be
    read.
    """
    saved = model if isinstance(model, Saved) else load_model(model)
    paths = [images] if isinstance(images, str | Path) else list(images)
    return list(
        predict_each(saved, find_images([Path(path) for path in paths]), top, max_megapixels)
    )


def predict_each(
    saved: Saved, files: Iterable[Path], top: int = 5, max_megapixels: float = 64
) -> Iterator[Prediction]:
    """The same, one after the other as they are ready."""
    require_limit(max_megapixels)
    files = iter(files)
    while names := list(islice(files, BATCH)):
        fitted, problems = [], {}
        for name in names:
            try:
                image = read_image(
                    name, white=saved.preprocess.white, max_megapixels=max_megapixels
                )
                fitted.append(saved.preprocess.fit_image(image))
            except DataError as error:
                problems[name] = str(error)
        answers = iter(predict_fitted(saved, torch.stack(fitted), top) if fitted else ())
        for name in names:
            if name in problems:
                yield Prediction(str(name), problem=problems[name])
            else:
                classes, probabilities = next(answers)
                yield Prediction(str(name), classes, probabilities)


def predict_fitted(
    saved: Saved, images: Tensor, top: int
) -> Sequence[tuple[tuple[str, ...], tuple[float, ...]]]:
    """uint8 images (N, C, side, side) -> for each the `top` classes and their probabilities, which
    sum to <= 1.
    """
    device = next(saved.net.parameters()).device
    with torch.inference_mode():
        logits = saved.net(saved.preprocess.normalise(images).to(device)).cpu().double()
    best = logits.softmax(1).topk(min(top, len(saved.classes)))
    return [
        (tuple(saved.classes[i] for i in indices), tuple(values))
        for indices, values in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]
