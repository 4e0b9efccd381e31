"""Runs of thousands of classes: nothing in or beside their result grows as the square of them."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from convatlas import strict_json
from convatlas.cli import run as convatlas
from convatlas.evaluation import Evaluation
from convatlas.finished_run import evaluate
from convatlas.reporting.gathering import gather
from convatlas.training import Recipe, train
from convatlas.training.answers_file import MOST_DENSE, read_answers
from convatlas.training.callbacks import Callback
from convatlas.training.report import metrics_of

TWO_MB = 2_000_000  # bytes, of metrics.json
IMAGENET_21K = 21_841


def folder_of(root: Path, classes: int, each: int = 3) -> Path:
    """`each` grey pictures a class, all different, under names as WordNet has them."""
    for label in range(classes):
        place = root / f"n{label:08d}"
        place.mkdir(parents=True)
        shades = np.uint8([label >> 8, label & 255, 0, 255]).reshape(2, 2)
        for i in range(each):
            shades[1, 0] = 80 * i
            Image.fromarray(shades.repeat(8, 0).repeat(8, 1)).save(place / f"{i}.png")
    return root


def run_of(images: Path, folder: Path, **given) -> dict:
    recipe = Recipe(
        network="lenet1989", epochs=1, warmup_epochs=0, batch_size=500, data=str(images)
    )
    return train(recipe.change(**given), folder, callback=Callback())


def require_whole(folder: Path, metrics: dict, classes: int) -> None:
    """Everything that a run of many classes leaves, as those who use it read it."""
    assert (folder / "metrics.json").stat().st_size <= TWO_MB
    assert metrics == json.loads((folder / "metrics.json").read_text())
    assert len(metrics["classes"]) == metrics["test"]["count"] == classes
    assert metrics["confusion"] is None
    answers = read_answers(folder, metrics)
    assert answers.right.sum() == metrics["test"]["correct"]
    (run,) = gather([folder]).runs
    assert (run.pictures, run.correct) == (classes, metrics["test"]["correct"])
    assert run.confusion.shape == (classes, classes)
    assert (run.confusion[answers.classes, answers.answers] > 0).all()
    again = Recipe.read(folder / "recipe.toml")
    assert train(again, folder, resume=True, callback=Callback()) == metrics
    with Image.open(folder / "confusion.png") as drawn:
        assert max(drawn.size) < 3000


def test_a_run_of_two_thousand_classes_is_used_like_any_other(tmp_path, capsys):
    images = folder_of(tmp_path / "images", 2000)
    run = tmp_path / "run"
    metrics = run_of(images, run)
    require_whole(run, metrics, 2000)
    answers = read_answers(run, metrics)
    capsys.readouterr()
    assert convatlas(["eval", str(run), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    matrix = np.zeros((2000, 2000), int)
    np.add.at(matrix, (answers.classes, answers.answers), 1)
    cells = said["confusion"]
    assert matrix[cells["class"], cells["answer"]].tolist() == cells["count"]
    assert sum(cells["count"]) == 2000 == sum(row["count"] for row in said["per_class"])
    assert evaluate(run).confusion.tolist() == matrix.tolist()
    assert convatlas(["report", str(run), "--output", str(tmp_path / "report")]) == 0
    (entry,) = json.loads((tmp_path / "report" / "report.json").read_text())["data_sets"][0][
        "networks"
    ]
    assert entry["confusion"] == cells | {"count": [float(count) for count in cells["count"]]}


@pytest.mark.full
def test_as_many_classes_as_imagenet_has_in_all_are_trained_and_tested(tmp_path):
    images = folder_of(tmp_path / "images", IMAGENET_21K)
    metrics = run_of(images, tmp_path / "run")
    require_whole(tmp_path / "run", metrics, IMAGENET_21K)


@pytest.mark.parametrize("classes", [MOST_DENSE, MOST_DENSE + 1, 1000, 10_000, IMAGENET_21K])
def test_metrics_json_has_the_matrix_while_that_is_small(classes):
    """Of ten images a class, nearly all of which are right."""
    labels = torch.arange(classes).repeat(10)
    answers = torch.stack([labels, labels.roll(1), labels], 1)
    answers[: 9 * classes, 1] = labels[: 9 * classes]
    found = replace(Evaluation.none(classes), answers=answers)
    data = SimpleNamespace(classes=[f"n{label:08d}" for label in range(classes)])
    ready = SimpleNamespace(data=data, skipped=[])
    trainer = SimpleNamespace(device=torch.device("cpu"), group=SimpleNamespace(size=1))
    metrics = metrics_of({}, ready, trainer, found, b"")
    assert len(strict_json.dumps(metrics, indent=1)) <= TWO_MB
    assert (metrics["confusion"] is None) == (classes > MOST_DENSE)
    assert metrics["test"]["correct"] == 9 * classes
