"""What predict prints."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch

from convatlas.data import find_images
from convatlas.finished_run import open_run
from convatlas.model_file import load_model
from convatlas.prediction import Prediction, predict_each, predict_fitted

Answer = tuple[Prediction, str]  # and the true class, where it is known


def of_files(run: Path, images: list[Path], top: int, max_megapixels: float) -> Iterator[Answer]:
    files = find_images(images)
    for prediction in predict_each(load_model(run), files, top, max_megapixels):
        yield prediction, ""


def of_test(run: Path, count: int, top: int) -> Iterator[Answer]:
    """Test images spread evenly over the split."""
    saved, _, data = open_run(run)
    count = min(count, len(data.test))
    indices = [i * len(data.test) // count for i in range(count)]
    prep = saved.preprocess
    images = (data.test.read(i, white=prep.white) for i in indices)
    fitted = torch.stack([prep.fit_image(image) for image in images])
    for i, (classes, probabilities) in zip(
        indices, predict_fitted(saved, fitted, top), strict=True
    ):
        yield (
            Prediction(data.test.names[i], classes, probabilities),
            saved.classes[int(data.test.labels[i])],
        )


def show(found: Iterable[Answer], as_json: bool) -> int:
    """Print each answer as it comes; 1 when an image could not be read."""
    broken = 0
    for prediction, truth in found:
        broken += bool(prediction.problem)
        print(_as_json(prediction, truth) if as_json else _as_text(prediction, truth), flush=True)
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
