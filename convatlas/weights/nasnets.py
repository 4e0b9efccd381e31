"""NASNet-A's names elsewhere: in pretrainedmodels (Cadene), from which timm has them, and in
TF-slim.
"""

from convatlas.weights.names import Rules, counted

HEAD = r"^aux\."  # the auxiliary one, which no port to PyTorch has


def cells(after: int, prefix: str) -> Rules:
    """Where each cell is; `after` so many numbers those of normal2 follow on those of normal1."""
    return (
        *((rf"^normal{i + 1}\.(\d)\.", counted(f"{prefix}{{}}.", i * after)) for i in range(3)),
        (r"^stem(\d)\.0\.", counted("cell_stem_{}.", -1)),
        (r"^reduction(\d)\.0\.", counted("reduction_cell_{}.", -1)),
    )


CADENE: Rules = (
    (r"^conv1\.", "conv0."),
    *cells(6, "cell_"),  # whatever N is
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
SEPARABLE = {  # kernels by cells and branches
    "normal": {"left.[01]": 5, "left.4": 3, "right.[01]": 3},
    "(?:stem|reduction)": {"left.0": 5, "left.4": 3, "right.[01]": 7, "right.2": 5},
}


def slim(n: int, conv: str = "conv0", norm: str = "conv0_bn") -> Rules:
    """`n`: of N @ filters; the first layer's scopes."""
    return (
        *(
            (
                rf"^({cell}\d\.\d\.{branch})\.(depthwise|pointwise|bn)(\d)\.",
                rf"\1.\2_{k}x{k}_\3.",
            )
            for cell, branches in SEPARABLE.items()
            for branch, k in branches.items()
        ),
        *cells(n, "cell_"),
        (r"^conv1\.conv\.", f"{conv}."),
        (r"^conv1\.bn\.", f"{norm}."),
        (r"\.current\.conv\.", "/1x1."),
        (r"\.current\.bn\.", "/beginning_bn."),
        (r"\.before\.path(\d)\.", r"/path\1_conv."),
        (r"\.before\.paths_bn\.", "/final_path_bn."),
        (r"\.before\.conv\.", "/prev_1x1."),
        (r"\.before\.bn\.", "/prev_bn."),
        (r"\.joining\.(conv|bn)\.", r"/cell_output/reduction_1/path_\1."),
        (r"\.(left|right)\.(\d)\.", r"/comb_iter_\2/\1."),
        (r"\.(depthwise|pointwise)_(.*)\.weight$", r"/separable_\2/\1_weights"),
        (r"\.bn_(\dx\d_\d)\.", r"/bn_sep_\1."),
        (r"(left|right)\.conv\.", r"\1/1x1."),
        (r"(left|right)\.bn\.", r"\1/bn_1."),
        (r"^aux\.convs\.conv1\.", "aux.proj."),
        (r"^aux\.convs\.bn1\.", "aux.aux_bn0."),
        (r"^aux\.convs\.conv2\.", "aux.Conv."),
        (r"^aux\.convs\.bn2\.", "aux.aux_bn1."),
        (r"^aux\.fc\.", "aux.FC."),
        (r"^aux\.", f"aux_{2 * n - 1}/aux_logits/"),
        (r"^fc\.", "final_layer/FC."),
        (r"(bn|bn[01]|bn_1|bn_sep_\dx\d_\d)\.weight$", r"\1/gamma"),
        (r"(bn|bn[01]|bn_1|bn_sep_\dx\d_\d)\.bias$", r"\1/beta"),
        (r"\.running_mean$", "/moving_mean"),
        (r"\.running_var$", "/moving_variance"),
        (r"\.num", "/num"),
        (r"\.weight$", "/weights"),
        (r"\.bias$", "/biases"),
    )
