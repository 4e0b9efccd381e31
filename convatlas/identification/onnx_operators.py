"""What the operators of ONNX do, in torch's functions: OPERATORS[kind](settings, *inputs).

An input is a tensor, an array of numpy's where it is a constant (the sizes of a reshape, the bounds
of a clip), or None where it is left out.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from convatlas.identification.onnx_file import meant
from convatlas.identification.onnx_layers import (
    Settings,
    Unsupported,
    average_pool,
    batch_norm,
    conv,
    conv_transpose,
    gemm,
    group_norm,
    layer_norm,
    local_norm,
    matmul,
    max_pool,
    padded,
)

LARGEST = 1_000_000  # numbers that arithmetic on constants may make
SIXTH = 1 / 6


def whole(value) -> list[int]:
    """A constant as whole numbers."""
    if isinstance(value, Tensor):
        raise Unsupported("sizes that depend on the image")
    return [int(each) for each in np.ravel(value)]


def number(value):
    """A constant as a number for torch; a tensor as it is."""
    if isinstance(value, np.ndarray):
        if value.size != 1:
            raise Unsupported("arithmetic with a list of whole numbers")
        return meant(value.item()) if value.dtype == np.float32 else value.item()
    return value


def clip(s: Settings, x: Tensor, low=None, high=None) -> Tensor:
    low = s.get("min") if low is None else number(low)
    high = s.get("max") if high is None else number(high)
    if low is None or high is None:
        return torch.clamp(x, low, high)
    return F.hardtanh(x, low, high)


def hard_sigmoid(s: Settings, x: Tensor) -> Tensor:
    slope, middle = s.get("alpha", 0.2), s.get("beta", 0.5)
    if math.isclose(slope, SIXTH, rel_tol=1e-6) and middle == 0.5:
        return F.hardsigmoid(x)
    return torch.clamp(x * slope + middle, 0, 1)


def gelu(s: Settings, x: Tensor) -> Tensor:
    return F.gelu(x, approximate=s.get("approximate", "none"))


def softmax(function: Callable) -> Callable:
    return lambda s, x: function(x, s.get("axis", -1))


def reduction(function: Callable) -> Callable:
    def reduce(s: Settings, x: Tensor, axes=None) -> Tensor:
        dims = list(s.get("axes", ())) if axes is None else whole(axes)
        dims = dims or ([] if s.get("noop_with_empty_axes") else list(range(x.ndim)))
        return function(x, dims, bool(s.get("keepdims", 1))) if dims else x

    return reduce


def whole_map(function: Callable) -> Callable:
    return lambda s, x: function(x, list(range(2, x.ndim)), True)


def arithmetic(on_tensors: Callable, on_arrays: Callable) -> Callable:
    def compute(s: Settings, a, b):
        if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
            return on_arrays(a, b)
        return on_tensors(number(a), number(b))

    return compute


def quotient(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a // b if a.dtype.kind in "iu" else a / b


def folding(function: Callable) -> Callable:
    """The same for any number of inputs, two by two."""

    def compute(s: Settings, first, *others):
        for other in others:
            first = function(first, other)
        return first

    return compute


def reshape(s: Settings, x, shape):
    sizes = whole(shape)
    if not s.get("allowzero", 0):
        sizes = [x.shape[i] if size == 0 else size for i, size in enumerate(sizes)]
    if isinstance(x, np.ndarray):
        return x.reshape(sizes)
    if sizes and sizes[0] == s.get("batch"):  # it was written down for that batch
        sizes[0] = x.shape[0]
    return x.reshape(sizes)


def flatten(s: Settings, x: Tensor) -> Tensor:
    axis = s.get("axis", 1) % (x.ndim + 1)
    return x.reshape(math.prod(x.shape[:axis]), -1)


def squeeze(s: Settings, x, axes=None):
    dims = whole(axes) if axes is not None else list(s.get("axes", ()))
    dims = dims or [i for i, size in enumerate(x.shape) if size == 1 and i]
    if isinstance(x, np.ndarray):
        return np.squeeze(x, tuple(dims))
    return x.squeeze(dims)


def unsqueeze(s: Settings, x, axes=None):
    dims = whole(axes) if axes is not None else list(s["axes"])
    if isinstance(x, np.ndarray):
        return np.expand_dims(x, tuple(dims))
    for dim in sorted(dim % (x.ndim + len(dims)) for dim in dims):
        x = x.unsqueeze(dim)
    return x


def transpose(s: Settings, x):
    order = s.get("perm", tuple(range(x.ndim))[::-1])
    return x.transpose(order) if isinstance(x, np.ndarray) else x.permute(order)


def concat(s: Settings, *inputs):
    if all(isinstance(each, np.ndarray) for each in inputs):
        return np.concatenate([np.atleast_1d(each) for each in inputs], s["axis"])
    return torch.cat(inputs, s["axis"])


def split(s: Settings, x: Tensor, sizes=None):
    axis = s.get("axis", 0)
    parts = whole(sizes) if sizes is not None else list(s.get("split", ()))
    if not parts:
        count = s.get("num_outputs", s["outputs"])
        return torch.split(x, math.ceil(x.shape[axis] / count), axis)
    return torch.split(x, parts, axis)


def split_to_sequence(s: Settings, x: Tensor, sizes=None) -> tuple[list[Tensor]]:
    """One value, a list, of which SequenceAt takes a part."""
    if sizes is None:
        raise Unsupported("a split into single rows")
    parts = whole(sizes)
    return (list(torch.split(x, parts if np.ndim(sizes) else parts[0], s.get("axis", 0))),)


def slices(s: Settings, x, starts=None, ends=None, axes=None, steps=None):
    begins = whole(starts) if starts is not None else list(s["starts"])
    stops = whole(ends) if ends is not None else list(s["ends"])
    dims = whole(axes) if axes is not None else list(s.get("axes", range(len(begins))))
    strides = whole(steps) if steps is not None else [1] * len(begins)
    chosen = [slice(None)] * x.ndim
    for dim, begin, stop, step in zip(dims, begins, stops, strides, strict=True):
        if step < 0 and isinstance(x, Tensor):
            if (step, begin) != (-1, -1) or stop > -x.shape[dim]:
                raise Unsupported("a slice that runs backwards")
            x = x.flip(dim)
        else:
            chosen[dim] = slice(begin, stop, step)
    return x[tuple(chosen)]


def gather(s: Settings, x, indices):
    axis = s.get("axis", 0)
    if isinstance(x, np.ndarray):
        return np.take(x, indices, axis)
    if isinstance(indices, np.ndarray):
        if indices.ndim:
            raise Unsupported("a choice of channels that is computed")
        return x.select(axis, int(indices))
    if indices.ndim != 1:
        raise Unsupported("a choice by more than one index")
    return x.index_select(axis, indices)


def pad(s: Settings, x: Tensor, pads=None, value=None, axes=None) -> Tensor:
    if axes is not None:
        raise Unsupported("padding of named axes")
    sizes = whole(pads) if pads is not None else list(s["pads"])
    how = s.get("mode", "constant")
    filling = s.get("value", 0.0) if value is None else number(value)
    before, after = sizes[: x.ndim], sizes[x.ndim :]
    if how == "constant":
        return padded(x, before, after, filling or 0.0)
    if any(before[:2] + after[:2]):
        raise Unsupported(f"{how} padding of channels")
    turned = [n for pair in zip(before[:1:-1], after[:1:-1], strict=True) for n in pair]
    return F.pad(x, turned, mode={"reflect": "reflect", "edge": "replicate"}[how])


def expand(s: Settings, x: Tensor, shape) -> Tensor:
    sizes = whole(shape)
    if isinstance(x, np.ndarray):
        if math.prod(sizes) > LARGEST:
            raise Unsupported("a constant of more than a million numbers")
        return np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(sizes)))
    sizes = [x.shape[i - len(sizes)] if n == 1 else n for i, n in enumerate(sizes)]
    return x.expand(sizes)


def shape_of(s: Settings, x) -> np.ndarray:
    return np.array(x.shape, np.int64)[slice(s.get("start", 0), s.get("end"))]


def constant_of_shape(s: Settings, shape) -> np.ndarray:
    sizes = whole(shape)
    if math.prod(sizes) > LARGEST:
        raise Unsupported("a constant of more than a million numbers")
    value = s.get("value")
    return np.full(sizes, 0.0 if value is None else value.content.item())


def depth_to_space(s: Settings, x: Tensor) -> Tensor:
    if s.get("mode", "DCR") == "CRD":
        return F.pixel_shuffle(x, s["blocksize"])
    n, c, h, w = x.shape
    b = s["blocksize"]
    x = x.reshape(n, b, b, c // b**2, h, w).permute(0, 3, 4, 1, 5, 2)
    return x.reshape(n, c // b**2, h * b, w * b)


def cast(s: Settings, x):
    if isinstance(x, np.ndarray):
        return x.astype(np.int64) if s["to"] in (6, 7) else x.astype(np.float64)
    if s["to"] not in (1, 10, 11, 16):
        raise Unsupported("a map that is rounded to whole numbers")
    return x


def elementwise(function: Callable) -> Callable:
    return lambda s, x: function(x)


def same(s: Settings, x, *rest):
    return x


add = arithmetic(torch.add, np.add)
multiply = arithmetic(torch.mul, np.multiply)
OPERATORS: dict[str, Callable] = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "Gemm": gemm,
    "MatMul": matmul,
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "GlobalAveragePool": whole_map(torch.mean),
    "GlobalMaxPool": whole_map(torch.amax),
    "BatchNormalization": batch_norm,
    "InstanceNormalization": lambda s, x, scale, shift: F.instance_norm(
        x, None, None, scale, shift, True, 0.0, s.get("epsilon", 1e-5)
    ),
    "GroupNormalization": group_norm,
    "LayerNormalization": layer_norm,
    "LRN": local_norm,
    "Relu": elementwise(F.relu),
    "LeakyRelu": lambda s, x: F.leaky_relu(x, s.get("alpha", 0.01)),
    "PRelu": lambda s, x, slope: F.prelu(x, slope.reshape(-1)),
    "Elu": lambda s, x: F.elu(x, s.get("alpha", 1.0)),
    "Celu": lambda s, x: F.celu(x, s.get("alpha", 1.0)),
    "Selu": elementwise(F.selu),
    "Sigmoid": elementwise(torch.sigmoid),
    "HardSigmoid": hard_sigmoid,
    "HardSwish": elementwise(F.hardswish),
    "Swish": elementwise(F.silu),
    "Mish": elementwise(F.mish),
    "Gelu": gelu,
    "Tanh": elementwise(torch.tanh),
    "Softplus": elementwise(F.softplus),
    "Softsign": elementwise(F.softsign),
    "Softmax": softmax(torch.softmax),
    "LogSoftmax": softmax(torch.log_softmax),
    "Clip": clip,
    "Erf": elementwise(torch.erf),
    "Exp": elementwise(torch.exp),
    "Log": elementwise(torch.log),
    "Sqrt": elementwise(torch.sqrt),
    "Abs": elementwise(torch.abs),
    "Neg": elementwise(torch.neg),
    "Reciprocal": elementwise(torch.reciprocal),
    "Add": add,
    "Sub": arithmetic(torch.sub, np.subtract),
    "Mul": multiply,
    "Div": arithmetic(torch.div, quotient),
    "Pow": lambda s, x, power: x ** number(power),
    "Sum": folding(lambda a, b: add({}, a, b)),
    "Max": folding(torch.maximum),
    "Min": folding(torch.minimum),
    "ReduceMean": reduction(torch.mean),
    "ReduceSum": reduction(torch.sum),
    "ReduceMax": reduction(torch.amax),
    "Reshape": reshape,
    "Flatten": flatten,
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Transpose": transpose,
    "Concat": concat,
    "Split": split,
    "SplitToSequence": split_to_sequence,
    "SequenceAt": lambda s, parts, place: parts[int(place)],
    "Slice": slices,
    "Gather": gather,
    "Pad": pad,
    "Expand": expand,
    "Shape": shape_of,
    "ConstantOfShape": constant_of_shape,
    "DepthToSpace": depth_to_space,
    "Cast": cast,
    "CastLike": same,
    "Identity": same,
    "Dropout": same,
}
