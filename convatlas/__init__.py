"""convatlas: the classic convolutional networks, each exactly as its paper printed it.

Names are looked up on first use, so that `import convatlas` costs nothing and `list` and `show`
never load torch. The verbs live in the rooms of their name: `from convatlas.training import train`,
and so on.
"""

import importlib

__version__ = "0.1.0"

_HOMES = {
    "create_model": "registry",
    "list_models": "registry",
    "describe": "registry",
    "summary": "anatomy",
    "features": "anatomy",
    "diff": "anatomy",
    "Recipe": "training",
    "load_model": "model_file",
    "load_weights": "weights",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'convatlas' has no attribute {name!r}")
    return getattr(importlib.import_module(f"convatlas.{_HOMES[name]}"), name)
