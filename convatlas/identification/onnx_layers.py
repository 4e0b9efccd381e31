"""The layers of ONNX, those that have weights or a window, in torch's functions: function(settings,
*inputs).
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch.nn.functional as F
from torch import Tensor

Settings = Mapping[str, object]
CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
MAX_POOL = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVERAGE_POOL = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


class Unsupported(ValueError):
    """A use of an operator that is not known here; says which."""


def _pads(s: Settings, x: Tensor, kernel: Sequence[int]) -> tuple[list[int], list[int]]:
    """What is added before and after each side."""
    rank = len(kernel)
    how = s.get("auto_pad", "NOTSET")
    if how in ("SAME_UPPER", "SAME_LOWER"):
        strides = s.get("strides", (1,) * rank)
        dilations = s.get("dilations", (1,) * rank)
        sides = x.shape[-rank:]
        missing = [
            max(0, (math.ceil(side / t) - 1) * t + (k - 1) * d + 1 - side)
            for side, t, k, d in zip(sides, strides, kernel, dilations, strict=True)
        ]
        less = [each // 2 for each in missing]
        more = [each - each // 2 for each in missing]
        return (less, more) if how == "SAME_UPPER" else (more, less)
    pads = list(s.get("pads", (0,) * 2 * rank)) if how == "NOTSET" else [0] * 2 * rank
    return pads[:rank], pads[rank:]


def padded(x: Tensor, before: list[int], after: list[int], value: float) -> Tensor:
    turned = [n for pair in zip(before[::-1], after[::-1], strict=True) for n in pair]
    return F.pad(x, turned, value=value)


def _bias(bias: Tensor | np.ndarray | None) -> Tensor | None:
    """None for the zeros that an exporter writes where there is none."""
    if isinstance(bias, np.ndarray):
        if bias.any():
            raise Unsupported("a layer whose bias is computed")
        return None
    return bias


def conv(s: Settings, x: Tensor, weight: Tensor, bias=None) -> Tensor:
    bias = _bias(bias)
    kernel = weight.shape[2:]
    before, after = _pads(s, x, kernel)
    if before != after:
        x = padded(x, before, after, 0.0)
        before = [0] * len(kernel)
    stride = s.get("strides", 1)
    return CONV[len(kernel)](
        x, weight, bias, stride, before, s.get("dilations", 1), s.get("group", 1)
    )


def conv_transpose(s: Settings, x: Tensor, weight: Tensor, bias=None) -> Tensor:
    kernel = weight.shape[2:]
    before, after = _pads(s, x, kernel)
    if before != after or "output_shape" in s:
        raise Unsupported("a transposed convolution of uneven padding")
    more = s.get("output_padding", 0)
    return TRANSPOSED[len(kernel)](
        *(x, weight, bias, s.get("strides", 1), before, more, s.get("group", 1)),
        s.get("dilations", 1),
    )


def max_pool(s: Settings, x: Tensor) -> Tensor:
    kernel = s["kernel_shape"]
    before, after = _pads(s, x, kernel)
    if before != after or any(2 * pad > k for pad, k in zip(before, kernel, strict=True)):
        x = padded(x, before, after, -math.inf)
        before = [0] * len(kernel)
    return MAX_POOL[len(kernel)](
        *(x, kernel, s.get("strides", 1), before, s.get("dilations", 1)),
        ceil_mode=bool(s.get("ceil_mode", 0)),
    )


def average_pool(s: Settings, x: Tensor) -> Tensor:
    kernel = s["kernel_shape"]
    before, after = _pads(s, x, kernel)
    counted = bool(s.get("count_include_pad", 0))
    if before != after:
        if not counted:
            raise Unsupported("an average that leaves uneven padding out")
        x = padded(x, before, after, 0.0)
        before = [0] * len(kernel)
    return AVERAGE_POOL[len(kernel)](
        x, kernel, s.get("strides", 1), before, bool(s.get("ceil_mode", 0)), counted
    )


def batch_norm(s: Settings, x: Tensor, scale, shift, mean, variance) -> Tensor:
    if s.get("training_mode", 0):
        raise Unsupported("a batch norm in training")
    return F.batch_norm(x, mean, variance, scale, shift, False, 0.0, s.get("epsilon", 1e-5))


def group_norm(s: Settings, x: Tensor, scale, shift) -> Tensor:
    if scale.shape[0] != x.shape[1]:
        raise Unsupported("a group norm of one scale a group")
    return F.group_norm(x, s["num_groups"], scale, shift, s.get("epsilon", 1e-5))


def layer_norm(s: Settings, x: Tensor, scale, shift=None) -> Tensor:
    axis = s.get("axis", -1) % x.ndim
    return F.layer_norm(x, x.shape[axis:], scale, shift, s.get("epsilon", 1e-5))


def local_norm(s: Settings, x: Tensor) -> Tensor:
    if s["size"] % 2 == 0:
        raise Unsupported("a local response norm over an even number of channels")
    return F.local_response_norm(
        x, s["size"], s.get("alpha", 1e-4), s.get("beta", 0.75), s.get("bias", 1.0)
    )


def gemm(s: Settings, x: Tensor, weight: Tensor, bias=None) -> Tensor:
    """Its weights stand output by input here, whichever way they stand in the file."""
    if s.get("transA", 0) or s.get("alpha", 1.0) != 1 or s.get("beta", 1.0) != 1:
        raise Unsupported("a matrix product that is transposed or scaled")
    return F.linear(x, weight, bias)


def matmul(s: Settings, a, b, bias=None):
    if s.get("is layer"):
        return F.linear(a, b, bias)
    return a @ b
