"""NASNet-A's names elsewhere: in pretrainedmodels (Cadene), from which timm has them, and in
TF-slim.
"""

from convatlas.weights.names import Rules, counted

SIX = (("normal1", 0), ("normal2", 6), ("normal3", 12))  # cell_0 to cell_17, whatever N is
HEAD = r"^aux\."  # the auxiliary one, which no port to PyTorch has
CADENE: Rules = (
    (r"^conv1\.", "conv0."),
    *((rf"^{section}\.(\d)\.", counted("cell_{}.", first)) for section, first in SIX),
    (r"^stem(\d)\.0\.", counted("cell_stem_{}.", -1)),
    (r"^reduction(\d)\.0\.", counted("reduction_cell_{}.", -1)),
    (r"\.current\.", ".conv_1x1."),
    (r"\.before\.path(\d)\.", r".path_\1.conv."),
    (r"\.before\.paths_bn\.", ".final_path_bn."),
    (r"\.before\.", ".conv_prev_1x1."),
    (r"\.(left|right)\.(\d)\.", r".comb_iter_\2_\1."),
    (r"\.depthwise(\d)\.", r".separable_\1.depthwise_conv2d."),
    (r"\.pointwise(\d)\.", r".separable_\1.pointwise_conv2d."),
    (r"\.bn(\d)\.", r".bn_sep_\1."),
    (r"^fc\.", "last_linear."),
)
