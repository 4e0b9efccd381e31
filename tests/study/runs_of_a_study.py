"""Folders of runs as training leaves them at every stage, without training."""

import json
from pathlib import Path

from convatlas.study.plan import Line
from convatlas.training.recipe import Recipe


def make(study: Path, line: Line, scores: list[float], done: bool = False, epochs: int = 3) -> None:
    """A run with a log of these validation accuracies and a checkpoint after the last of them."""
    folder = line.folder(study)
    step = folder / "checkpoints" / f"step-{len(scores):08d}"
    step.mkdir(parents=True)
    recipe = Recipe(network=line.network, seed=line.seed, epochs=epochs)
    (folder / "recipe.toml").write_text(recipe.to_toml())
    (step / "MANIFEST.json").write_text("{}")
    rows = [
        {"epoch": epoch, "step": epoch, "val_accuracy": score, "seconds": 2.0 * epoch}
        for epoch, score in enumerate(scores, start=1)
    ]
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    if done:
        (folder / "metrics.json").write_text("{}")
