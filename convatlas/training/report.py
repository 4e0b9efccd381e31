"""What a finished run leaves for its reader: numbers, the trained network, two figures."""

import json
from datetime import UTC, datetime

from convatlas.evaluation import Evaluation, chance_line
from convatlas.model_file import describe_model, weights_file
from convatlas.training import plots
from convatlas.training.folder import RunFolder
from convatlas.training.prepare import Prepared
from convatlas.training.provenance import deciding, provenance
from convatlas.training.recipe import Recipe
from convatlas.training.trainer import Trainer


def metrics_of(
    recipe: Recipe, ready: Prepared, trainer: Trainer, seconds: float, found: Evaluation
) -> dict:
    """What metrics.json holds. `seconds` of training and validation; `found` on the test images."""
    data, progress = ready.data, trainer.progress
    return {
        "network": recipe.network,
        "data": data.name,
        "fingerprint": data.fingerprint,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "test": found.to_dict(),
        "at_chance": chance_line(found.confusion),
        "validation": {
            "accuracy": progress.scores[progress.best_epoch],
            "epoch": progress.best_epoch + 1,
            "images": len(data.val),
        },
        "epochs": progress.epoch,
        "stopped_early": progress.epoch < recipe.epochs,
        "steps": progress.step,
        "seconds": round(seconds, 2),
        "confusion": found.confusion.tolist(),
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
    found: Evaluation,
) -> None:
    """model.safetensors, model.json, curves.png, confusion.png; metrics.json last, for it says that
    the run is finished. RunError where one cannot be written.
    """
    data = ready.data
    weights = weights_file(trainer.best)
    title = f"{recipe.network} on {data.name}"
    origin = metrics["provenance"] | {
        "data": data.name,
        "fingerprint": data.fingerprint,
        "epoch": metrics["validation"]["epoch"],
        "seed": recipe.seed,
        "recipe": deciding(recipe),
    }
    if trainer.start:
        origin["started_from"] = trainer.start
    folder.write("model.safetensors", weights)
    folder.write(
        "model.json", describe_model(recipe.network, data.classes, ready.prep, origin, weights)
    )
    folder.write("curves.png", plots.curves(folder.log(), title))
    folder.write(
        "confusion.png",
        plots.confusion(found.confusion, data.classes, f"{title}, {found.count} test images"),
    )
    folder.write("metrics.json", json.dumps(metrics, indent=1))
