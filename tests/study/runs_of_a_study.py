"""Studies that are planned, and folders of runs as training leaves them at every stage, without
training.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convatlas.study import plan
from convatlas.study.plan import Asked, Images, Line, line_of
from convatlas.training.recipe import Recipe

DIGITS = Images("digits", "digits", "f" * 64)
NO_CHANGE: Mapping[str, Any] = {}


def seeds(count: int, **fields: Any) -> list[Recipe]:
    """A recipe of lenet5 for each seed."""
    return [Recipe(network="lenet5", seed=seed, epochs=3, **fields) for seed in range(count)]


def planned(study: Path, recipes: list[Recipe], vary: Mapping[str, Any] = NO_CHANGE) -> list[Line]:
    """The folder of a study of these recipes, and its lines."""
    networks = tuple(dict.fromkeys(recipe.network for recipe in recipes))
    asked = Asked(networks, (DIGITS,), len({recipe.seed for recipe in recipes}))
    return plan.write(study, asked, [(line_of(recipe, DIGITS, vary), recipe) for recipe in recipes])


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
