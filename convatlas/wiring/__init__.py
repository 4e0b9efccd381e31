"""What a network computes, as a canonical graph of operations: equal for one network in whatever
way it is written, unequal where one setting or one edge differs.

Knows nothing of the atlas.
"""

from convatlas.wiring.graph import Graph, Node, Weight
from convatlas.wiring.matching import Match, backward, forward, match, signature
from convatlas.wiring.tracing import of

__all__ = ["Graph", "Match", "Node", "Weight", "backward", "forward", "match", "of", "signature"]
