"""Run folders whose figures are chosen by a test: the files as a run leaves them, written here
without the code that is tested.
"""

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from made_provenance import SOURCE

from convatlas.data import Preprocess
from convatlas.model_file import describe_model
from convatlas.training.recipe import Recipe

TEN = tuple("0123456789")


def draw(
    seed: int, pictures: int = 200, error: float = 0.1, classes: int = 10, hard: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Classes (pictures,) that every seed shares, and answers of one run, of which about `error`
    are wrong; the first `hard` are wrong in every run.
    """
    truth = np.random.default_rng(1).integers(0, classes, pictures)
    dice = np.random.default_rng(1000 + seed)
    wrong = dice.random(pictures) < error
    wrong[:hard] = True
    other = (truth + 1 + dice.integers(0, classes - 1, pictures)) % classes
    return truth, np.where(wrong, other, truth)


def make_run(
    folder: Path,
    network: str = "lenet5",
    seed: int = 0,
    *,
    truth: Sequence[int],
    answers: Sequence[int],
    classes: tuple[str, ...] = TEN,
    data: str = "digits",
    fingerprint: str = "f" * 64,
    images: Sequence[str] | None = None,
    epochs: int = 3,
    seconds: float = 12.5,
    date: str = "2026-11-27",
    is_finished: bool = True,
    has_answers: bool = True,
    changes: dict | None = None,
    source: dict | None = None,
    tested_on: str = "test/",
) -> Path:
    """The folder, with `recipe.toml`, `log.jsonl` and, once finished, the rest."""
    folder.mkdir(parents=True)
    truth, answers = np.asarray(truth), np.asarray(answers)
    recipe = Recipe(network=network, data=data, seed=seed, epochs=epochs).change(**changes or {})
    (folder / "recipe.toml").write_text(recipe.to_toml())
    (folder / "log.jsonl").write_text("".join(_line(i + 1, epochs, seed) for i in range(epochs)))
    (folder / "run.json").write_text(json.dumps({"run": folder.name}))
    if not is_finished:
        return folder
    names = [f"{data}/{i}" for i in range(len(truth))] if images is None else images
    confusion = np.zeros((len(classes), len(classes)), int)
    np.add.at(confusion, (truth, answers), 1)
    right = int((truth == answers).sum())
    metrics = {
        "run": folder.name,
        "network": network,
        "data": data,
        "fingerprint": fingerprint,
        "splits": {"val": "0.1 of train/, by lot", "test": tested_on},
        "date": date,
        "test": {
            "count": len(truth),
            "correct": right,
            "accuracy": right / len(truth),
            "error": 1 - right / len(truth),
            "top5": 1.0,
            "loss": 0.25,
            "calibration_error": 0.02,
        },
        "at_chance": "",
        "validation": {"accuracy": 0.9, "epoch": epochs, "images": 126},
        "epochs": epochs,
        "stopped_early": False,
        "steps": 10 * epochs,
        "seconds": seconds,
        "confusion": confusion.tolist(),
        "classes": list(classes),
        "skipped": [],
        "provenance": SOURCE | (source or {}),
    }
    if has_answers:
        text = _answers(names, truth, answers)
        (folder / "answers.csv").write_bytes(text)
        metrics["answers"] = hashlib.sha256(text).hexdigest()
    write_metrics(folder, metrics)
    prep = Preprocess(1, 32, (0.1,), (0.25,), "pad", 28)
    origin = {"fingerprint": fingerprint, "seed": seed}
    (folder / "model.json").write_text(
        describe_model(network, tuple(classes), prep, origin, b"weights")
    )
    return folder


def write_metrics(folder: Path, metrics: dict) -> None:
    """With their checksum, whatever they say."""
    rest = {name: value for name, value in metrics.items() if name != "sha256"}
    digest = hashlib.sha256(json.dumps(rest).encode()).hexdigest()
    (folder / "metrics.json").write_text(json.dumps(rest | {"sha256": digest}))


def _line(epoch: int, epochs: int, seed: int) -> str:
    share = epoch / epochs
    return (
        json.dumps(
            {
                "epoch": epoch,
                "step": 10 * epoch,
                "lr": 0.1 / epoch,
                "train_loss": 2.3 - 2 * share + 0.01 * seed,
                "train_accuracy": 0.1 + 0.85 * share,
                "val_accuracy": 0.1 + 0.8 * share - 0.01 * seed,
                "val_loss": 2.3 - 1.9 * share,
                "seconds": 4.0 * epoch,
            }
        )
        + "\n"
    )


def _answers(names: Sequence[str], truth: np.ndarray, answers: np.ndarray) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["image", "class", "answer", "confidence", "probability"])
    for name, label, answer in zip(names, truth.tolist(), answers.tolist(), strict=True):
        shares = ("0.900000", "0.900000") if label == answer else ("0.600000", "0.300000")
        writer.writerow([name, label, answer, *shares])
    return file.getvalue().encode()
