"""A finished run together with pictures to use it on."""
from pathlib import Path

from convatlas.data import Data, open_data
from convatlas.saved import ModelFileError, Saved, load_model
from convatlas.train.recipe import Recipe


def open_run(run: Path, data: str | None = None, data_root: str | None = None) -> tuple[Saved, Data]:
    """The trained network, and its own pictures (split as in training) or others that have the same classes."""
    saved = load_model(run)
    recipe = Recipe.read(run / "recipe.toml")
    pictures = open_data(data or recipe.data, root=data_root or recipe.data_root, seed=recipe.seed,
                         val_fraction=recipe.val_fraction)
    if pictures.classes != saved.classes:
        raise ModelFileError(f"{run} knows the classes {', '.join(saved.classes)}, and {pictures.name} has "
                             f"{', '.join(pictures.classes)}; give pictures of the same classes")
    return saved, pictures
