"""The words that papers share: layers and functions that are identical in two of them, with no flag
for either. How a paper puts its words together, its sentence, stays in the paper's own file.
"""

from convatlas.layers.modules import (
    ChannelShuffle,
    ConvBN,
    ConvBNKeras,
    FilterConcat,
    LocalResponseNorm,
    Residual,
    SqueezeExcite,
    Sum,
    ZeroPadding,
    averaged_projection,
    biased_conv,
    deep_stem,
    fully_connected,
    he_init,
    inception_conv,
    make_divisible,
    seq,
    shufflenet_init,
)
from convatlas.layers.network import Network

__all__ = [
    "ChannelShuffle",
    "ConvBN",
    "ConvBNKeras",
    "FilterConcat",
    "LocalResponseNorm",
    "Network",
    "Residual",
    "SqueezeExcite",
    "Sum",
    "ZeroPadding",
    "averaged_projection",
    "biased_conv",
    "deep_stem",
    "fully_connected",
    "he_init",
    "inception_conv",
    "make_divisible",
    "seq",
    "shufflenet_init",
]
