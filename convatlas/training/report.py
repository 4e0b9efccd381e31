"""What a finished run leaves for its reader: numbers, the trained network, two figures."""

import hashlib
import math
from collections.abc import Callable
from datetime import UTC, datetime

from convatlas import strict_json
from convatlas.evaluation import Evaluation, chance_line
from convatlas.model_file import describe_model
from convatlas.training import answers_file, plots
from convatlas.training.folder import RunFolder
from convatlas.training.prepare import Prepared
from convatlas.training.provenance import provenance
from convatlas.training.recipe import PLACES, Recipe, deciding
from convatlas.training.trainer import Trainer


def trained_of(run: str, recipe: Recipe, ready: Prepared, trainer: Trainer) -> dict:
    """What is known of a run whose test images nobody has looked at."""
    data, progress = ready.data, trainer.progress
    return {
        "run": run,
        "network": recipe.network,
        "data": data.name,
        "fingerprint": data.fingerprint,
        "splits": dict(data.splits),
        "validation": {
            "accuracy": progress.scores[progress.best_epoch],
            "epoch": progress.best_epoch + 1,
            "images": len(data.val),
        },
        "epochs": progress.epoch,
        "stopped_early": progress.epoch < recipe.epochs,
        "steps": progress.step,
        "seconds": round(trainer.seconds, 2),
    }


def metrics_of(
    trained: dict, ready: Prepared, trainer: Trainer, found: Evaluation, answers: bytes
) -> dict:
    """What metrics.json holds: what was known before, what was `found` on the test images, and the
    sha256 of the file of `answers`, which is all there is of the confusions of many classes.
    """
    data = ready.data
    return trained | {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "test": found.to_dict(),
        "at_chance": chance_line(found.seen, found.correct),
        "confusion": found.confusion.tolist()
        if found.num_classes <= answers_file.MOST_DENSE
        else None,
        "answers": hashlib.sha256(answers).hexdigest(),
        "classes": list(data.classes),
        "skipped": [finding.file for finding in ready.skipped],
        "provenance": provenance(trainer.device) | {"processes": trainer.group.size},
    }


def write_report(
    folder: RunFolder,
    recipe: Recipe,
    ready: Prepared,
    trainer: Trainer,
    metrics: dict,
    answers: bytes,
) -> None:
    """model.safetensors, model.json, answers.csv; metrics.json last, for it says that the run is
    finished. RunError where one cannot be written.
    """
    data = ready.data
    origin = metrics["provenance"] | {
        "data": data.name,
        "fingerprint": data.fingerprint,
        "epoch": metrics["validation"]["epoch"],
        "seed": recipe.seed,
        "recipe": {name: value for name, value in deciding(recipe).items() if name not in PLACES},
        "run": metrics["run"],
    }
    if trainer.start:
        origin["started_from"] = trainer.start
    weights = folder.write_tensors("model.safetensors", trainer.best)
    folder.write(
        "model.json", describe_model(recipe.network, data.classes, ready.prep, origin, weights)
    )
    folder.write(answers_file.NAME, answers)
    folder.write("metrics.json", strict_json.dumps(metrics, indent=1))


def draw(
    folder: RunFolder,
    log: list[dict],
    ready: Prepared,
    metrics: dict,
    found: Evaluation,
    warn: Callable[[str], None],
) -> None:
    """curves.png and confusion.png, once the result is on disk: whatever goes wrong with a figure
    is a warning.
    """
    title = f"{metrics['network']} on {metrics['data']}"
    tested = f"{title}, {found.count} test images"
    figures = {
        "curves.png": lambda: plots.curves([_with_gaps(line) for line in log], title),
        "confusion.png": lambda: _confusion(found, ready.data.classes, tested),
    }
    for name, figure in figures.items():
        try:
            folder.write(name, figure())
        except Exception as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            warn(f"{folder.path / name} could not be drawn ({reason}); the result is complete")


def _confusion(found: Evaluation, classes: tuple[str, ...], title: str) -> bytes:
    counts, together = found.pooled(plots.MOST_SQUARES)
    return plots.confusion(counts, classes, title, together)


def _with_gaps(line: dict) -> dict:
    """A line of the log with NaN, a gap in a curve, for what is no finite number."""
    return {name: math.nan if value is None else value for name, value in line.items()}
