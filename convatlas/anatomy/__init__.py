"""What a network is made of: its layer table, counts, receptive fields, stages, and what sets two
apart.

Functions of any torch.nn.Module; nothing of ours. Names are looked up on first use, so that a
stored table can be read and folded without loading torch.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convatlas.anatomy.counting import summary
    from convatlas.anatomy.difference import Difference
    from convatlas.anatomy.diffing import diff
    from convatlas.anatomy.folding import fold
    from convatlas.anatomy.network_graph import NetworkGraph
    from convatlas.anatomy.stages import features
    from convatlas.anatomy.table import Layer, Summary

_HOMES = {
    "Layer": "table",
    "Summary": "table",
    "fold": "folding",
    "NetworkGraph": "network_graph",
    "summary": "counting",
    "features": "stages",
    "Difference": "difference",
    "diff": "diffing",
}
__all__ = [
    "Difference",
    "Layer",
    "NetworkGraph",
    "Summary",
    "diff",
    "features",
    "fold",
    "summary",
]


if not TYPE_CHECKING:

    def __getattr__(name: str):
        if name not in _HOMES:
            raise AttributeError(f"module 'convatlas.anatomy' has no attribute {name!r}")
        return getattr(importlib.import_module(f"convatlas.anatomy.{_HOMES[name]}"), name)
