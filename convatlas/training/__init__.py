"""A run: the recipe, the loop, the schedule, the checkpoint folder.

Acts on a network and a data set given by name.

Names are looked up on first use: the loop imports torch; reading a recipe need not.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convatlas.training.callbacks import Callback
    from convatlas.training.launch import train
    from convatlas.training.rate_search import RateSearch, lr_find
    from convatlas.training.recipe import Recipe

_HOMES = {
    "Callback": "callbacks",
    "RateSearch": "rate_search",
    "Recipe": "recipe",
    "lr_find": "rate_search",
    "train": "launch",
}
__all__ = ["Callback", "RateSearch", "Recipe", "lr_find", "train"]


if not TYPE_CHECKING:

    def __getattr__(name: str):
        if name not in _HOMES:
            raise AttributeError(f"module 'convatlas.training' has no attribute {name!r}")
        return getattr(importlib.import_module(f"convatlas.training.{_HOMES[name]}"), name)
