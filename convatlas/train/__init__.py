"""A run: the recipe, the loop, the schedule, the checkpoint folder. Acts on a network and a data set given by name."""
from convatlas.train.recipe import Recipe, RecipeError

__all__ = ["Recipe", "RecipeError", "train"]


def __getattr__(name: str):
    if name != "train":
        raise AttributeError(f"module 'convatlas.train' has no attribute {name!r}")
    from convatlas.train.run import train  # the loop imports torch; reading a recipe need not
    return train
