"""A run: the recipe, the loop, the schedule, the checkpoint folder. Acts on a network and a data
set given by name.
"""

from convatlas.training.recipe import Recipe

__all__ = ["Recipe", "train"]


def __getattr__(name: str):
    if name != "train":
        raise AttributeError(f"module 'convatlas.training' has no attribute {name!r}")
    from convatlas.training.run import train  # the loop imports torch; reading a recipe need not

    return train
