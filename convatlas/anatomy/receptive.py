"""Receptive fields: which pixels of the input each unit of a feature map can see, operation by
operation.

Units of a map see intervals of pixels that move by a fixed jump from unit to unit, on each axis
(Araujo, Norris, Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019).
Following both ends of the interval, not only its length, keeps branches with different offsets
exact. Borders are not clipped: a field may reach past them. An operation that is not known to be
local is taken to see the whole map, so a field is never too small.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from convatlas.anatomy import layout
from convatlas.anatomy.layout import Field, everything, mixed, plain, removed

Data = Sequence[tuple[Tensor, Field]]  # the tensors that depend on the image, and what they see


class Window(NamedTuple):
    """What a convolution or pooling slides over a map; one number an axis."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int | None


def window_of(op: str, a: dict) -> Window | None:
    """The window of an aten operation, from its arguments by name; None for one
    that slides none.
    """
    if op in CONVOLUTIONS and not a["transposed"]:
        kernel, groups = a["weight"].shape[2:], a["groups"]
    elif op in POOLINGS:
        kernel, groups = a["kernel_size"], None
    else:
        return None
    axes = a["weight"].ndim - 2 if op in CONVOLUTIONS else 3 if op.count("3d") else 2

    def each(value) -> tuple[int, ...]:
        return tuple(value) * axes if len(value) == 1 else tuple(value)

    return Window(
        each(kernel),
        each(a["stride"] or kernel),
        each(a["padding"]),
        each(a.get("dilation", (1,))),
        groups,
    )


def after(func, a: dict, data: Data, outs: Sequence[Tensor]) -> list[Field]:
    """What each of `outs` sees, the results of one operation with arguments `a` by name."""
    op = func.overloadpacket.__name__
    op = op if op in RULES or not op.endswith("_") else op.removesuffix("_")
    if torch.Tag.inplace_view in func.tags:
        return [_all(data, out) for out in outs]
    if op in RULES and func.namespace == "aten":
        return [_by_rule(op, a, data, outs, i) for i in range(len(outs))]
    if is_pointwise(func):
        return [_pointwise(data, out) for out in outs]
    return [_all(data, out) for out in outs]


@cache
def is_pointwise(func) -> bool:
    """Works element by element. Torch does not tag every form of what it tags."""
    packet = func.overloadpacket
    forms = [getattr(packet, form) for form in packet.overloads()]
    return packet.__name__.removesuffix("_") in POINTWISE or any(
        torch.Tag.pointwise in form.tags for form in forms
    )


def _by_rule(op: str, a: dict, data: Data, outs: Sequence[Tensor], i: int) -> Field:
    """By the rule for what the operation works on, which is its first tensor; all else that
    depends on the image, a computed weight or index, is seen by every unit.
    """
    out = outs[i]
    if op in TOGETHER:
        return RULES[op](op, a, data, out)
    x = a.get("self", a.get("input"))
    field = next((field for t, field in data if t is x), None)
    rest = [(t, field) for t, field in data if t is not x]
    if field is None:
        return _all(data, out)
    if op in PARTING:
        a = a | {"part": i, "sizes": [t.shape for t in outs]}
    seen = RULES[op](op, a, x, field, out)
    if tuple(map(layout.size_of, seen.dims)) != tuple(out.shape):
        seen = everything(field, out.shape)  # a statistic beside the result
    return layout.joined([seen, _all(rest, out)], out.shape) if rest else seen


def _all(data: Data, out: Tensor) -> Field:
    return layout.joined([everything(field, out.shape) for _, field in data], out.shape)


def _pointwise(data: Data, out: Tensor) -> Field:
    """Elementwise work leaves each unit's view as it is."""
    if not all(_fits(t.shape, out.shape) for t, _ in data):
        return _all(data, out)
    return layout.joined([field for _, field in data], out.shape)


def _fits(shape: torch.Size, wider: torch.Size) -> bool:
    pairs = zip(reversed(shape), reversed(wider), strict=False)
    return len(shape) <= len(wider) and all(n in (1, m) for n, m in pairs)


def _concatenated(op: str, a: dict, data: Data, out: Tensor) -> Field:
    """Along channels each unit sees what it saw; along rows or columns, where maps that lie side by
    side move as one only by chance, everything.
    """
    parts = []
    dim = a["dim"] % out.ndim
    for t, field in data:
        if op == "stack":
            field = field.with_dims([*field.dims[:dim], (), *field.dims[dim:]])
        elif t.ndim != out.ndim:  # torch lets a tensor without elements have any shape
            field = everything(field, out.shape)
        parts.append(_shrunk(field, [dim], out))
    return layout.joined(parts, out.shape)


def _product(op: str, a: dict, data: Data, out: Tensor) -> Field:
    """A matrix product: rows of the left, columns of the right, and all of what is summed over."""
    sides = [(a[key], along) for key, along in zip(SIDES[op], (-1, -2), strict=True)]
    added = [(t, field) for t, field in data if all(t is not side for side, _ in sides)]
    parts = [field for _, field in added]
    for side, along in sides:
        parts += [_shrunk(field, [along], out) for t, field in data if t is side][:1]
    return layout.joined(parts, out.shape)


def _slide(op: str, a: dict, x: Tensor, field: Field, out: Tensor) -> Field:
    window = window_of(op, a)
    if window is None or x.ndim != out.ndim:
        return everything(field, out.shape)
    if op in CONVOLUTIONS:  # over all input channels
        field = _shrunk(field, [1], out)
    first = x.ndim - len(window.kernel)
    for i, steps in enumerate(zip(*window[:4], out.shape[first:], strict=True), start=first):
        field = layout.slid(field, i, *steps)
    return field


def _bins(op: str, a: dict, x: Tensor, field: Field, out: Tensor) -> Field:
    """Adaptive pooling: a plain window where the sizes divide."""
    if any(side % n for side, n in zip(x.shape[-2:], out.shape[-2:], strict=True)):
        return everything(field, out.shape)
    for dim in (x.ndim - 2, x.ndim - 1):
        n = out.shape[dim]
        side = x.shape[dim] // n
        field = layout.slid(field, dim, side, side, 0, 1, n)
    return field


def _crop(op: str, a: dict, x: Tensor, field: Field, out: Tensor) -> Field:
    """x[..., start:end:step] of one dimension."""
    dim = a["dim"] % x.ndim
    start = a["start"] or 0
    start = min(max(0, start + x.shape[dim] if start < 0 else start), x.shape[dim])
    return layout.cut(field, dim, start, a["step"], out.shape[dim])


def _pick(op: str, a: dict, x: Tensor, field: Field, out: Tensor) -> Field:
    """x[..., index] of one dimension, which goes."""
    dim = a["dim"] % x.ndim
    one = layout.cut(field, dim, a.get("index", a.get("part")) % x.shape[dim], 1, 1)
    return one.with_dims(d for i, d in enumerate(one.dims) if i != dim)


def _parted(op: str, a: dict, x: Tensor, field: Field, out: Tensor) -> Field:
    dim = a["dim"] % x.ndim
    start = sum(shape[dim] for shape in a["sizes"][: a["part"]])
    return layout.cut(field, dim, start, 1, out.shape[dim])


def _pad(op: str, a: dict, x: Tensor, field: Field, out: Tensor) -> Field:
    """From the last dimension backwards. Mirrored and repeated borders see no further than the
    pixels that they stand for would.
    """
    before = [*a.get("pad", a.get("padding"))][::2]
    for i, n in enumerate(before, start=1):
        field = layout.slid(field, x.ndim - i, 1, 1, n, 1, out.shape[-i])
    return field


def _index(op: str, a: dict, x: Tensor, field: Field, out: Tensor) -> Field:
    """x[:, channels] stays local; anything picked by row or column may come from anywhere."""
    if op == "index":
        chosen = [i for i, index in enumerate(a["indices"]) if index is not None]
        indices = [index for index in a["indices"] if index is not None]
    else:
        chosen, indices = [a["dim"] % x.ndim], [a["index"]]
    if len(chosen) != 1 or indices[0].ndim != 1 or indices[0].dtype == torch.bool:
        return everything(field, out.shape)
    return _shrunk(field, chosen, out)


def _reduce(op: str, a: dict, x: Tensor, field: Field, out: Tensor) -> Field:
    """A sum, mean, maximum, softmax or order along some dimensions."""
    dims = a.get("dim")
    dims = [dims] if isinstance(dims, int) else [*(dims or range(x.ndim))]
    if out.ndim != x.ndim:
        return removed(field, dims)
    return _shrunk(field, dims, out)


def _shrunk(field: Field, dims: Sequence[int], out: Tensor) -> Field:
    """Mixed over these dimensions, which have the sizes of `out` after."""
    changed = [*mixed(field, dims).dims]
    for dim in dims:
        changed[dim] = plain(out.shape[dim])
    return mixed(field, dims).with_dims(changed)


def _batch_norm(op: str, a: dict, x: Tensor, field: Field, out: Tensor) -> Field:
    """By running statistics elementwise, by those of the batch over all but the channels."""
    if a.get("training") or (a.get("running_mean") is None and a.get("running_var") is None):
        return mixed(field, (dim for dim in range(x.ndim) if dim != 1))
    return field


def _layer_norm(op: str, a: dict, x: Tensor, field: Field, out: Tensor) -> Field:
    return mixed(field, range(x.ndim - len(a["normalized_shape"]), x.ndim))


def _moved(op: str, a: dict, x: Tensor, field: Field, out: Tensor) -> Field:
    order = [*range(x.ndim)]
    if x.ndim < 2:
        return field
    if op == "permute":
        order = [dim % x.ndim for dim in a["dims"]]
    else:
        one, other = (a["dim0"], a["dim1"]) if op == "transpose" else (0, x.ndim - 1)
        order[one], order[other] = order[other], order[one]
    return field.with_dims(field.dims[dim] for dim in order)


def _squeezed(op: str, a: dict, x: Tensor, field: Field, out: Tensor) -> Field:
    dims = a.get("dim")
    dims = range(x.ndim) if dims is None else [dims] if isinstance(dims, int) else dims
    gone = {dim % x.ndim for dim in dims if x.ndim and x.shape[dim] == 1}
    return field.with_dims(dim for i, dim in enumerate(field.dims) if i not in gone)


def _unsqueezed(op: str, a: dict, x: Tensor, field: Field, out: Tensor) -> Field:
    dim = a["dim"] % out.ndim
    return field.with_dims([*field.dims[:dim], (), *field.dims[dim:]])


def _unfolded(op: str, a: dict, x: Tensor, field: Field, out: Tensor) -> Field:
    """Windows of one dimension, each in a new last one."""
    dim = a["dimension"] % x.ndim
    along = layout.alone(field.dims[dim])
    if along is None:
        return everything(field, out.shape)
    dims = [*field.dims, (along._replace(size=a["size"]),)]
    dims[dim] = (layout.Factor(along.axis, out.shape[dim], along.step * a["step"]),)
    return field.with_dims(dims)


def _repeated(op: str, a: dict, x: Tensor, field: Field, out: Tensor) -> Field:
    dims = [()] * (out.ndim - x.ndim) + [*field.dims]
    return field.with_dims(
        (*plain(times), *dim) for times, dim in zip(a["repeats"], dims, strict=True)
    )


def _flipped(op: str, a: dict, x: Tensor, field: Field, out: Tensor) -> Field:
    for dim in a["dims"]:
        field = layout.turned_round(field, dim % x.ndim)
    return field


def _rolled(op: str, a: dict, x: Tensor, field: Field, out: Tensor) -> Field:
    return mixed(field, a["dims"] or range(x.ndim))


def _same_elements(op: str, a: dict, x: Tensor, field: Field, out: Tensor) -> Field:
    if out.numel() != x.numel() or out.dtype.itemsize != x.dtype.itemsize:
        return everything(field, out.shape)
    return layout.reshaped(field, out.shape)


def _pixel_shuffle(op: str, a: dict, x: Tensor, field: Field, out: Tensor) -> Field:
    """Channels become the pixels of blocks, or back."""
    *batch, c, h, w = x.shape
    first = len(batch)
    if op == "pixel_shuffle":
        r = a["upscale_factor"]
        parts, order = (c // (r * r), r, r, h, w), (0, 3, 1, 4, 2)
    else:
        r = a["downscale_factor"]
        parts, order = (c, h // r, r, w // r, r), (0, 2, 4, 1, 3)
    apart = layout.reshaped(field, (*batch, *parts)).dims
    moved = [*apart[:first], *(apart[first + i] for i in order)]
    return layout.reshaped(field.with_dims(moved), out.shape)


def _spread(op: str, a: dict, x: Tensor, field: Field, out: Tensor) -> Field:
    return layout.broadcast(field, out.shape)


CONVOLUTIONS = {"convolution", "_convolution", "convolution_overrideable"}
POOLINGS = {
    *("max_pool2d_with_indices", "max_pool2d", "avg_pool2d"),
    *("max_pool3d_with_indices", "max_pool3d", "avg_pool3d"),
}
BATCH_NORMS = {
    *("native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training"),
    *("cudnn_batch_norm", "_batch_norm_no_update", "_batch_norm_with_update", "miopen_batch_norm"),
}
ADAPTIVE = ("_adaptive_avg_pool2d", "adaptive_max_pool2d")
PADDINGS = {f"{kind}_pad{n}d" for kind in ("reflection", "replication") for n in (1, 2, 3)}
REDUCTIONS = {
    *("mean", "sum", "nansum", "amax", "amin", "aminmax", "max", "min", "var", "std", "prod"),
    *("var_mean", "std_mean", "logsumexp", "norm", "linalg_vector_norm", "any", "all", "median"),
    *("argmax", "argmin", "cumsum", "cumprod", "logcumsumexp", "_softmax", "_log_softmax"),
    *("sort", "argsort", "topk", "_safe_softmax"),
}
SAME_ELEMENTS = ("view", "_unsafe_view", "_reshape_alias", "view_copy", "reshape", "_reshape_copy")
SHAPES_ALONE = {  # no value of what they read
    *("zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like"),
    *("new_zeros", "new_ones", "new_empty", "new_full", "new_empty_strided", "randint_like"),
}
POINTWISE = {
    *("native_dropout", "dropout", "copy", "_to_copy", "_prelu_kernel", "hardswish", "bernoulli"),
    *("clone", "detach", "alias", "lift_fresh", "contiguous", "fill", "zero", "_conj", "_neg_view"),
}
SPLITS = ("split", "split_with_sizes", "unsafe_split", "unsafe_split_with_sizes")
PARTING = (*SPLITS, "unbind")
SIDES = {  # the names of what is multiplied, in the operations that have them
    "mm": ("self", "mat2"),
    "bmm": ("self", "mat2"),
    "addmm": ("mat1", "mat2"),
    "baddbmm": ("batch1", "batch2"),
}
TOGETHER = {"cat", "stack", *SIDES}
RULES: dict[str, Callable[..., Field]] = {
    **dict.fromkeys({*CONVOLUTIONS, *POOLINGS}, _slide),
    **dict.fromkeys(ADAPTIVE, _bins),
    **dict.fromkeys({"constant_pad_nd", *PADDINGS}, _pad),
    **dict.fromkeys(REDUCTIONS, _reduce),
    **dict.fromkeys(BATCH_NORMS, _batch_norm),
    **dict.fromkeys(("native_layer_norm", "_fused_rms_norm"), _layer_norm),
    **dict.fromkeys(("index", "index_select"), _index),
    **dict.fromkeys(("permute", "transpose", "t"), _moved),
    **dict.fromkeys(SAME_ELEMENTS, _same_elements),
    **dict.fromkeys(SPLITS, _parted),
    **dict.fromkeys(("select", "unbind"), _pick),
    **dict.fromkeys(SIDES, _product),
    **dict.fromkeys(("cat", "stack"), _concatenated),
    **dict.fromkeys(("pixel_shuffle", "pixel_unshuffle"), _pixel_shuffle),
    "slice": _crop,
    "squeeze": _squeezed,
    "unsqueeze": _unsqueezed,
    "expand": _spread,
    "unfold": _unfolded,
    "repeat": _repeated,
    "flip": _flipped,
    "roll": _rolled,
}
