"""The words that papers share. A piece moves in once two papers use it with identical maths, and it takes no flags."""
from convatlas.blocks.layers import ChannelShuffle, ConvBN, LocalResponseNorm, he_init, make_divisible, seq
from convatlas.blocks.network import Network

__all__ = ["ChannelShuffle", "ConvBN", "LocalResponseNorm", "Network", "he_init", "make_divisible", "seq"]
