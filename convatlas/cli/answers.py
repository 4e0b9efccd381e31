"""What predict prints. Imports no torch until a network is asked."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from convatlas.answer import Prediction
from convatlas.printable import printable

if TYPE_CHECKING:
    from convatlas.model_file import Saved

Answer = tuple[Prediction, str]  # and the true class, where it is known


def looked_for(images: list[Path]) -> list[Path]:
    """The image files among these files and folders; says on standard error what is none."""
    from convatlas.data.folder import look_for_images
    from convatlas.data.walk import kinds

    files, ignored = look_for_images(images)
    if ignored:
        print(f"note: {len(ignored):,} other files ignored ({kinds(ignored)})", file=sys.stderr)
    return files


def of_files(
    saved: "Saved", files: list[Path], top: int, max_megapixels: float
) -> Iterator[Answer]:
    from convatlas.prediction import predict_each

    for prediction in predict_each(saved, files, top, max_megapixels):
        yield prediction, ""


def of_test(
    run: Path,
    device: str,
    count: int,
    top: int,
    data: str | None = None,
    max_megapixels: float | None = None,
    form: "Callable[[Saved], Saved]" = lambda saved: saved,
) -> Iterator[Answer]:
    """Images of the run's test set, or of other data, spread evenly over it, answered by what
    `form` makes of the network.
    """
    import torch

    from convatlas.finished_run import open_run  # files need nothing of it
    from convatlas.prediction import predict_fitted

    saved, _, images = open_run(run, data, max_megapixels=max_megapixels, device=device)
    saved = form(saved)
    split = images.of(images.split(None))
    count = min(count, len(split))
    indices = [i * len(split) // count for i in range(count)]
    prep = saved.preprocess
    seen = (split.read(i, white=prep.white) for i in indices)
    fitted = torch.stack([prep.fit_image(image) for image in seen])
    for i, (classes, probabilities) in zip(
        indices, predict_fitted(saved, fitted, top), strict=True
    ):
        yield (
            Prediction(split.names[i], classes, probabilities),
            saved.classes[int(split.labels[i])],
        )


def show(found: Iterable[Answer], as_json: bool) -> int:
    """Print each answer as it comes; 1 when an image could not be read."""
    broken = 0
    for prediction, truth in found:
        broken += bool(prediction.problem)
        line = _as_json(prediction, truth) if as_json else printable(_as_text(prediction, truth))
        print(line, flush=True)
    return 1 if broken else 0


def _as_json(prediction: Prediction, truth: str) -> str:
    answer: dict = {"image": prediction.name}
    if prediction.problem:
        return json.dumps(answer | {"problem": prediction.problem})
    pairs = zip(prediction.classes, prediction.probabilities, strict=True)
    answer["classes"] = [{"class": name, "probability": share} for name, share in pairs]
    return json.dumps(answer | ({"truth": truth} if truth else {}))


def _as_text(prediction: Prediction, truth: str) -> str:
    if prediction.problem:
        return f"{prediction.name}: {prediction.problem}"
    pairs = zip(prediction.classes, prediction.probabilities, strict=True)
    shares = "   ".join(f"{name} {100 * share:5.1f} %" for name, share in pairs)
    verdict = (
        f"   (truth: {truth}{'' if truth == prediction.classes[0] else ', WRONG'})" if truth else ""
    )
    return f"{prediction.name}: {shares}{verdict}"
