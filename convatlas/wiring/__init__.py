"""What a network computes, as a canonical graph of operations: equal for one network in whatever
way it is written, unequal where one setting or one edge differs.

Knows nothing of the atlas. `of` is looked up on first use, so that graphs that are known already
can be compared without loading torch.
"""

import importlib
from typing import TYPE_CHECKING

from convatlas.wiring.graph import Graph, Node, Weight
from convatlas.wiring.matching import Match, backward, forward, match, signature

if TYPE_CHECKING:
    from convatlas.wiring.tracing import of

__all__ = ["Graph", "Match", "Node", "Weight", "backward", "forward", "match", "of", "signature"]


if not TYPE_CHECKING:

    def __getattr__(name: str):
        if name != "of":
            raise AttributeError(f"module 'convatlas.wiring' has no attribute {name!r}")
        return importlib.import_module("convatlas.wiring.tracing").of
