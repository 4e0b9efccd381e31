"""predict with a file that export has written: no torch is imported where its engine needs none."""

import os
from collections.abc import Iterator
from pathlib import Path

from convatlas.answer import Prediction
from convatlas.errors import DataError, ExportError, RecipeError

SUFFIXES = (".onnx", ".xml", ".pt2", ".pte")  # of deploy.engines.KINDS, which a test compares


def is_export(run: Path) -> bool:
    """Whether a file stands where the folder of a run may stand."""
    return run.suffix in SUFFIXES and not run.is_dir()


def require_plain(file: Path, **flags: object) -> None:
    """RecipeError where one of these flags, which have no effect on an exported file, is given."""
    for name, value in flags.items():
        if value:
            raise RecipeError(
                f"--{name} has no effect on {file}, which holds its weights, prepares pictures "
                "itself and answers in its own engine; leave it out"
            )


def predict(file: Path, images: list[Path], top: int, limit: float, as_json: bool) -> int:
    """As predict does with a run; 1 where an image could not be read."""
    from convatlas.cli.answers import show
    from convatlas.data.image_file import require_limit

    require_limit(limit)
    return show(((found, "") for found in _answers(file, _named(images), top, limit)), as_json)


def _named(images: list[Path]) -> list[Path]:
    """The image files; to look into folders takes torch's import."""
    images = [image.expanduser() for image in images]
    if any(map(os.path.isdir, images)):
        from convatlas.cli.answers import looked_for

        return looked_for(images)
    for image in images:
        if not os.path.lexists(image):
            raise DataError(f"the image {str(image)!r} does not exist; check the path")
    return list(dict.fromkeys(images))


def _answers(file: Path, images: list[Path], top: int, limit: float) -> Iterator[Prediction]:
    from convatlas.data.image_file import read_pixels
    from convatlas.deploy.engines import open_export
    from convatlas.serving.models import Model, likeliest

    model = Model(file.stem, open_export(file))
    for image in images:
        try:
            pixels = read_pixels(image, white=model.white, max_megapixels=limit)
            logits, _ = model.opened(pixels.transpose(1, 2, 0)[None])
        except (DataError, ExportError) as error:
            yield Prediction(str(image), problem=str(error))
            continue
        classes, shares = likeliest(model, logits[0], top)
        yield Prediction(str(image), tuple(classes), tuple(shares))
