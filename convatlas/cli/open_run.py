"""A finished run together with images to use it on."""

from pathlib import Path

from convatlas.data import Data, open_data
from convatlas.errors import ModelFileError
from convatlas.model_file import Saved, load_model
from convatlas.training.recipe import Recipe


def open_run(
    run: Path, data: str | None = None, data_root: str | None = None
) -> tuple[Saved, Data]:
    """The trained network, and its own images (split as in training) or others that have the same
    classes.
    """
    saved = load_model(run)
    recipe = Recipe.read(run / "recipe.toml")
    images = open_data(
        data or recipe.data,
        root=data_root or recipe.data_root,
        seed=recipe.seed,
        val_fraction=recipe.val_fraction,
    )
    if images.classes != saved.classes:
        raise ModelFileError(
            f"{run} knows the classes {', '.join(saved.classes)}, and {images.name} has "
            f"{', '.join(images.classes)}; give images of the same classes"
        )
    return saved, images
