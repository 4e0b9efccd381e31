"""The words that papers share: layers and functions that are identical in two of them, with no flag
for either. How a paper puts its words together, its sentence, stays in the paper's own file.
"""

from convatlas.layers.modules import (
    AuxiliaryHead,
    ChannelShuffle,
    ConvBN,
    ConvBNKeras,
    FilterConcat,
    LocalResponseNorm,
    Residual,
    SqueezeExcite,
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
from convatlas.layers.tensorflow import (
    Same,
    ShiftNorm,
    conv_same,
    slim_init,
    truncated_normal,
    variance_scaling,
    without_scales,
)

__all__ = [
    "AuxiliaryHead",
    "ChannelShuffle",
    "ConvBN",
    "ConvBNKeras",
    "FilterConcat",
    "LocalResponseNorm",
    "Network",
    "Residual",
    "Same",
    "ShiftNorm",
    "SqueezeExcite",
    "ZeroPadding",
    "averaged_projection",
    "biased_conv",
    "conv_same",
    "deep_stem",
    "fully_connected",
    "he_init",
    "inception_conv",
    "make_divisible",
    "seq",
    "shufflenet_init",
    "slim_init",
    "truncated_normal",
    "variance_scaling",
    "without_scales",
]
