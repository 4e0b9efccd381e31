"""The words that papers share. A piece moves in once two papers use it with identical maths, and it
takes no flags.
"""

from convatlas.layers.modules import (
    ChannelShuffle,
    ConvBN,
    FilterConcat,
    LocalResponseNorm,
    he_init,
    make_divisible,
    seq,
)
from convatlas.layers.network import Network

__all__ = [
    "ChannelShuffle",
    "ConvBN",
    "FilterConcat",
    "LocalResponseNorm",
    "Network",
    "he_init",
    "make_divisible",
    "seq",
]
