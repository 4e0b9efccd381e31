"""Checkpoints that people already own, in and out: tables of names, safe reading, identification,
certificate.

Functions of a module or a file; of ours only `data` is imported, for what pictures need, and
networks are named in the tables only.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convatlas.weights.filling import Certificate
    from convatlas.weights.loading import load_weights
    from convatlas.weights.writing import save_weights

_HOMES = {"Certificate": "filling", "load_weights": "loading", "save_weights": "writing"}
__all__ = ["Certificate", "load_weights", "save_weights"]


if not TYPE_CHECKING:

    def __getattr__(name: str):
        if name not in _HOMES:
            raise AttributeError(f"module 'convatlas.weights' has no attribute {name!r}")
        return getattr(importlib.import_module(f"convatlas.weights.{_HOMES[name]}"), name)
