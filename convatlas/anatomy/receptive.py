"""Receptive fields: which pixels of the input each unit of a feature map can see, operation by
operation.

Units of a map see intervals of pixels that move by a fixed jump from unit to unit, on each axis
(Araujo, Norris, Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019).
Following both ends of the interval, not only its length, keeps branches with different offsets
exact. Borders are not clipped: a field may reach past them. An operation that is not known to be
local is taken to see the whole map, so a field is never too small.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor


@dataclass(frozen=True)
class Axis:
    """One axis of a feature map: unit i of `units` sees the pixels low + i * jump ... high + i *
    jump.
    """

    low: int
    high: int
    jump: int
    units: int

    @property
    def receptive_field(self) -> int:
        return self.high - self.low + 1

    def slide(self, kernel: int, stride: int, padding: int, dilation: int, units: int) -> "Axis":
        return Axis(
            self.low - padding * self.jump,
            self.high + ((kernel - 1) * dilation - padding) * self.jump,
            self.jump * stride,
            units,
        )

    def whole(self, units: int) -> "Axis":
        """Each of the new units sees all of the old ones."""
        return Axis(self.low, self.high + (self.units - 1) * self.jump, 0, units)


Axes = tuple[Axis, Axis]  # rows, columns


class Window(NamedTuple):
    """What a convolution or pooling slides over a map; one number an axis."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int | None


def pixels(shape: tuple[int, ...]) -> Axes:
    """The input itself, (N, C, H, W): every pixel sees itself."""
    return tuple(Axis(0, 0, 1, side) for side in shape[-2:])


def join(maps: list[Axes]) -> Axes:
    """The union of several inputs of one operation."""
    return tuple(_join_axis(axes) for axes in zip(*maps, strict=True))


def _join_axis(axes: tuple[Axis, ...]) -> Axis:
    units = max(axis.units for axis in axes)
    if (
        len({(axis.jump, axis.units) for axis in axes}) > 1
    ):  # they do not move together: a gate and what it scales
        axes = tuple(axis.whole(units) for axis in axes)
    return Axis(
        min(axis.low for axis in axes), max(axis.high for axis in axes), axes[0].jump, units
    )


def window_of(op: str, a: dict) -> Window | None:
    """The window of an aten operation, from its arguments by name; None for one
    that slides none.
    """
    if op == "convolution" and not a["transposed"]:
        kernel, groups = a["weight"].shape[2:], a["groups"]
    elif op in POOLINGS:
        kernel, groups = a["kernel_size"], None
    else:
        return None
    axes = a["input" if "input" in a else "self"].ndim - 2

    def each(value) -> tuple[int, ...]:
        return tuple(value) * axes if len(value) == 1 else tuple(value)

    return Window(
        each(kernel),
        each(a["stride"] or kernel),
        each(a["padding"]),
        each(a.get("dilation", (1,))),
        groups,
    )


def after(op: str, a: dict, x: Tensor, axes: Axes, out: Tensor) -> Axes:
    """The axes of `out`, the result of one aten operation on `x` (and others, already joined into
    `axes`).
    """
    return RULES.get(op, _local)(op, a, x, axes, out)


def _is_map(x: Tensor, axes: Axes) -> bool:
    """Rows and columns are still the last two dimensions; after flattening or transposing they are
    not.
    """
    return x.ndim >= 4 and tuple(x.shape[-2:]) == tuple(axis.units for axis in axes)


def _everything(op: str, a: dict, x: Tensor, axes: Axes, out: Tensor) -> Axes:
    units = out.shape[-2:] if out.ndim >= 4 else (1, 1)
    return tuple(axis.whole(n) for axis, n in zip(axes, units, strict=True))


def _local(op: str, a: dict, x: Tensor, axes: Axes, out: Tensor) -> Axes:
    """Elementwise work, concatenation of channels, and changes of shape leave each unit's view as
    it is.
    """
    same_units = out.shape == x.shape or _is_map(out, axes) or out.numel() == x.numel()
    return axes if same_units else _everything(op, a, x, axes, out)


def _slide(op: str, a: dict, x: Tensor, axes: Axes, out: Tensor) -> Axes:
    window = window_of(op, a)
    if window is None or not _is_map(x, axes):
        return _everything(op, a, x, axes, out)
    steps = zip(*(side[-2:] for side in window[:4]), out.shape[-2:], strict=True)
    return tuple(axis.slide(*step) for axis, step in zip(axes, steps, strict=True))


def _bins(op: str, a: dict, x: Tensor, axes: Axes, out: Tensor) -> Axes:
    """Adaptive pooling: a plain window where the sizes divide."""
    if not _is_map(x, axes) or any(
        axis.units % n for axis, n in zip(axes, out.shape[-2:], strict=True)
    ):
        return _everything(op, a, x, axes, out)
    sides = [(axis.units // n, n) for axis, n in zip(axes, out.shape[-2:], strict=True)]
    return tuple(
        axis.slide(side, side, 0, 1, n) for axis, (side, n) in zip(axes, sides, strict=True)
    )


def _crop(op: str, a: dict, x: Tensor, axes: Axes, out: Tensor) -> Axes:
    """x[..., start:end:step] of one dimension."""
    turned = a["dim"] % x.ndim - (x.ndim - 2)  # 0 for rows, 1 for columns
    if turned < 0 or not _is_map(x, axes):
        return _local(op, a, x, axes, out)
    start = a["start"] or 0
    start = max(0, start + x.shape[a["dim"]]) if start < 0 else start
    cut = axes[turned].slide(1, a["step"], -start, 1, out.shape[a["dim"]])
    return (cut, axes[1]) if turned == 0 else (axes[0], cut)


def _pad(op: str, a: dict, x: Tensor, axes: Axes, out: Tensor) -> Axes:
    if not _is_map(x, axes):
        return _everything(op, a, x, axes, out)
    left, _, top, *_ = *a.get("pad", a.get("padding")), 0, 0  # from the last dimension backwards
    sides = zip(axes, (top, left), out.shape[-2:], strict=True)
    return tuple(axis.slide(1, 1, before, 1, units) for axis, before, units in sides)


def _index(op: str, a: dict, x: Tensor, axes: Axes, out: Tensor) -> Axes:
    """x[:, channels] stays local; anything picked by row or column may come from anywhere."""
    chosen = a["indices"] if op == "index" else [None] * (a["dim"] % x.ndim) + [a["index"]]
    return (_local if len(chosen) <= x.ndim - 2 else _everything)(op, a, x, axes, out)


def _reduce(op: str, a: dict, x: Tensor, axes: Axes, out: Tensor) -> Axes:
    """A sum, mean, maximum or softmax along some dimensions."""
    dims = a.get("dim")
    dims = (
        range(x.ndim) if dims is None or dims == [] else [dims] if isinstance(dims, int) else dims
    )
    dims = {dim % x.ndim for dim in dims}
    if not _is_map(x, axes):  # flattened: pixels lie along the last dimension
        return _everything(op, a, x, axes, out) if x.ndim - 1 in dims else axes
    kept = out.shape == x.shape  # softmax and cumsum keep their units, a mean has one
    return tuple(
        axis.whole(axis.units if kept else 1) if dim in dims else axis
        for dim, axis in enumerate(axes, start=x.ndim - 2)
    )


def _normalise(op: str, a: dict, x: Tensor, axes: Axes, out: Tensor) -> Axes:
    """Layer norm of the last dimension alone stays local where that one holds the channels, rows
    and columns before it; where they could be either, it is taken to see everything.
    """
    sides = tuple(axis.units for axis in axes)
    channels_last = x.ndim == 4 and tuple(x.shape[1:3]) == sides and not _is_map(x, axes)
    if channels_last and len(a["normalized_shape"]) == 1:
        return axes
    return _everything(op, a, x, axes, out)


POOLINGS = {"max_pool2d_with_indices", "max_pool2d", "avg_pool2d", "avg_pool3d"}
RULES: dict[str, Callable[..., Axes]] = {
    **dict.fromkeys({"convolution", *POOLINGS}, _slide),
    **dict.fromkeys(("_adaptive_avg_pool2d", "adaptive_max_pool2d"), _bins),
    **dict.fromkeys(("constant_pad_nd", "reflection_pad2d", "replication_pad2d"), _pad),
    **dict.fromkeys(
        (
            "mean",
            "sum",
            "amax",
            "amin",
            "max",
            "min",
            "var",
            "std",
            "prod",
            "logsumexp",
            "argmax",
            "cumsum",
            "_softmax",
            "_log_softmax",
        ),
        _reduce,
    ),
    **dict.fromkeys(
        (
            "mm",
            "addmm",
            "bmm",
            "baddbmm",
            "native_group_norm",
            "flip",
            "roll",
            "gather",
            "grid_sampler_2d",
            "_cdist_forward",
        ),
        _everything,
    ),
    **dict.fromkeys(("index", "index_select"), _index),
    "slice": _crop,
    "native_layer_norm": _normalise,
}
