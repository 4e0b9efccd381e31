"""`convatlas.train`: a run from a recipe, or its name, with what goes on shown."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from convatlas.training import builtin
from convatlas.training.callbacks import Callback
from convatlas.training.progress import default_callback
from convatlas.training.recipe import Recipe
from convatlas.training.run import run_recipe


def train(
    recipe: Recipe | str | Path,
    output: str | Path | None = None,
    resume: bool = False,
    callback: Callback | None = None,
    **changes: Any,
) -> dict:
    """Run the recipe in the folder `output` (default: runs/DATE-network-data); returns what
    metrics.json holds. Where the recipe leaves the test images for later (test=False), that is
    without "test", and the run is finished by resuming it.

    `recipe` is a Recipe, the name of one that comes with convatlas (`convatlas recipes` lists them)
    or a TOML file; `changes` are other values for its fields:

        train("modern", network="resnet20_cifar", data="photos", epochs=5)

    Shows a bar on a terminal and in a notebook, lines elsewhere, unless it is given a `callback`;
    Callback() is silent. With `resume`, a folder that holds a run is continued from its newest good
    checkpoint, to the same bits as if it had never stopped.

    Raises RecipeError, RunError, CheckpointError, DataError, WeightsError, UnknownNetwork or
    Stopped; all are convatlas.Error.
    """
    if isinstance(recipe, Recipe):
        chosen = recipe.change(**changes)
    else:
        chosen = builtin.read(str(recipe), changes)
    with ExitStack() as stack:
        told = callback or stack.enter_context(default_callback())
        return run_recipe(chosen, output, resume, told)
