"""Images in, classes with probabilities out, through the preprocessing that the network was trained
with.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from convatlas.answer import Prediction
from convatlas.data import decoding, find_images, read_image
from convatlas.data.image_file import require_limit
from convatlas.errors import DataError
from convatlas.model_file import Picture, Saved, load_model

BATCH = 64


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


def predict_pictures(
    saved: Saved, pictures: Picture | Sequence[Picture], top: int = 5
) -> list[Prediction]:
    """What Saved answers when it is called on pictures."""
    single = isinstance(pictures, str | Path | Image.Image) or (
        isinstance(pictures, Tensor) and pictures.ndim == 3
    )
    found = []
    for number, picture in enumerate([pictures] if single else pictures):
        if isinstance(picture, str | Path):
            found += predict_each(saved, [Path(picture).expanduser()], top)
            continue
        fitted = saved.preprocess.fit_image(_pixels(picture))[None]
        (answer,) = predict_fitted(saved, fitted, top)
        found.append(Prediction(f"picture {number}", *answer))
    return found


def _pixels(picture: Image.Image | Tensor) -> Tensor:
    """uint8 (1 or 3, H, W). DataError for anything else."""
    if isinstance(picture, Image.Image):
        return _of_pillow(picture.copy())  # in memory, so that a file may be closed behind it
    is_picture = (
        isinstance(picture, Tensor)
        and picture.dtype == torch.uint8
        and picture.ndim == 3
        and picture.shape[0] in (1, 3)
        and picture.numel() > 0
    )
    if not is_picture:
        shown = (
            f"a tensor {tuple(picture.shape)} of {picture.dtype}"
            if isinstance(picture, Tensor)
            else f"a {type(picture).__name__}"
        )
        raise DataError(
            f"a picture is a file, an image of Pillow, or a uint8 tensor (1 or 3, height, width), "
            f"not {shown}"
        )
    return picture.cpu()


def _of_pillow(image: Image.Image) -> Tensor:
    try:
        return torch.from_numpy(decoding.pixels(image, lambda: image, None))
    except decoding.Unfit as error:
        raise DataError(f"an image of Pillow {error}") from None


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
