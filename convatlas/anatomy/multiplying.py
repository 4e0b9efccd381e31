"""Multiply-adds of one operation: by torch's own formula where it has one
(torch.utils.flop_counter), else by ours; and which operations have none to count.
"""

from collections.abc import Callable
from functools import cache
from math import prod

import torch
from torch import Tensor
from torch.utils.flop_counter import flop_registry

from convatlas.anatomy.receptive import POINTWISE, RULES, SHAPES_ALONE, SIDES, is_pointwise


def multiply_adds(func, args: tuple, kwargs: dict, a: dict, out, depends: bool) -> int | None:
    """Of one operation with arguments `a` by name; 0 where it multiplies no matrices and slides no
    convolution, None where that is not known.

    What prepares weights from weights alone, such as spectral norm's products, is counted only
    where torch has a formula; `depends` tells that something read depends on the input.
    """
    if formula := flop_registry.get(func.overloadpacket):
        return formula(*args, **kwargs, out_val=out) // 2
    name = f"{func.namespace}::{func.overloadpacket.__name__}"
    if name in FORMULAS:
        return FORMULAS[name](a, out) if depends else 0
    return 0 if _is_harmless(func) else None


@cache
def _is_harmless(func) -> bool:
    op = func.overloadpacket.__name__
    if func.namespace not in ("aten", "prims", "torchvision"):
        return False
    told = (torch.Tag.reduction, torch.Tag.view_copy)
    return (
        func.is_view
        or is_pointwise(func)
        or any(tag in func.tags for tag in told)
        or bool({op, op.removesuffix("_"), f"{func.namespace}::{op}"} & HARMLESS)
        or op.startswith(("_upsample", "upsample_", "_foreach_", "sym_", "_assert", "is_"))
    )


def _deformable(a: dict, out: Tensor) -> int:
    """As of a convolution of the same weight; finding the pixels between the pixels is none."""
    return out.numel() * prod(a["weight"].shape[1:])


def _trilinear(a: dict, out: Tensor) -> int:
    """Of nn.Bilinear: every weight once for each row of the batch."""
    return a["i1"].shape[0] * a["i2"].numel()


def _packed(a: dict, out: Tensor) -> int:
    """Of a quantised layer, whose weight is packed into an object."""
    weight, *_ = next(value for value in a.values() if hasattr(value, "unpack")).unpack()
    return out.numel() * prod(weight.shape[1:])


def _vectors(a: dict, out: Tensor) -> int:
    """Of a matrix or a vector with a vector."""
    return (a["mat"] if "mat" in a else a["self"]).numel()


def _summed(a: dict, out: Tensor) -> int:
    return a["batch1"].numel() * a["batch2"].shape[-1]


QUANTISED = [
    *("linear", "linear_relu", "linear_dynamic", "linear_relu_dynamic"),
    *(f"conv{n}d{tail}" for n in (1, 2, 3) for tail in ("", "_relu", "_dynamic")),
]
FORMULAS: dict[str, Callable[[dict, Tensor], int]] = {
    "torchvision::deform_conv2d": _deformable,
    "aten::_trilinear": _trilinear,
    "aten::dot": _vectors,
    "aten::vdot": _vectors,
    "aten::mv": _vectors,
    "aten::addmv": _vectors,
    "aten::addbmm": _summed,
    **{f"quantized::{op}": _packed for op in QUANTISED},
}
HARMLESS = {
    *POINTWISE,
    *SHAPES_ALONE,
    *(RULES.keys() - SIDES.keys()),
    *("native_group_norm", "_weight_norm_interface", "_weight_norm_differentiable_backward"),
    *("arange", "linspace", "zeros", "ones", "empty", "full", "eye", "scalar_tensor", "rand"),
    *("randn", "randint", "randperm", "normal", "uniform", "multinomial", "empty_strided"),
    *("tril_indices", "triu_indices", "lift", "set", "resize", "_local_scalar_dense", "equal"),
    *("nonzero", "nonzero_static", "masked_select", "gather", "scatter", "scatter_add"),
    *("scatter_reduce", "index_put", "index_add", "index_copy", "index_fill", "_index_put_impl"),
    *("_unsafe_index", "_unsafe_index_put", "take", "put", "masked_scatter", "embedding"),
    *("_embedding_bag", "_embedding_bag_forward_only", "slice_scatter", "select_scatter"),
    *("diagonal_scatter", "as_strided_scatter", "tril", "triu", "diag_embed", "kthvalue", "mode"),
    *("searchsorted", "bucketize", "_unique2", "unique_consecutive", "unique_dim", "histc"),
    *("bincount", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle"),
    *("native_channel_shuffle", "im2col", "col2im", "glu", "rot90", "repeat_interleave"),
    *("adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_max_pool3d", "adaptive_avg_pool3d"),
    *("fractional_max_pool2d", "fractional_max_pool3d", "max_unpool2d", "max_unpool3d"),
    *("grid_sampler_2d", "grid_sampler_3d", "affine_grid_generator", "nanmedian", "cummax"),
    *("cummin", "_cummax_helper", "_cummin_helper", "_pack_padded_sequence"),
    *("quantize_per_tensor", "quantize_per_channel", "quantize_per_tensor_dynamic", "dequantize"),
    *("q_scale", "q_zero_point", "copy", "mean", "cross", "linalg_cross", "polar", "complex"),
    *("view_as_real", "view_as_complex", "real", "imag", "count_nonzero", "logcumsumexp"),
    *(
        "_thnn_fused_lstm_cell",
        "_thnn_fused_gru_cell",
        "rrelu_with_noise",
        "trace",
        "as_strided",
        "squeeze",
        "t",
        "detach",
    ),
    *("block_diag", "isin", "_unique", "hann_window", "hamming_window", "logspace", "addr"),
    *(
        "floor_divide",
        "empty_permuted",
        "poisson",
        "exponential",
        "cauchy",
        "geometric",
        "log_normal",
        "renorm",
    ),
    *("resize_as", "_chunk_cat", "_pin_memory", "index_reduce", "segment_reduce", "dist"),
    *("_unsafe_masked_index", "_masked_scale", "nll_loss_forward", "nll_loss2d_forward"),
    *("mse_loss", "smooth_l1_loss", "huber_loss", "soft_margin_loss", "log_sigmoid_forward"),
    *("binary_cross_entropy", "binary_cross_entropy_with_logits", "multi_margin_loss"),
    *("torchvision::nms", "torchvision::roi_align", "torchvision::roi_pool"),
    *("torchvision::ps_roi_align", "torchvision::ps_roi_pool"),
}
