"""Convolutions, linear layers and pools."""

from math import inf, prod

from torch import Tensor

from convatlas.wiring.elementwise import Handler
from convatlas.wiring.graph import bare
from convatlas.wiring.movements import Seen
from convatlas.wiring.operations import Operation

Pairs = tuple[tuple[int, int], ...]


def spread(value: list[int] | tuple[int, ...], axes: int) -> tuple[int, ...]:
    """[3] -> (3, 3): one number for all axes."""
    return tuple(value) * axes if len(value) == 1 else tuple(value)


def _convolution(o: Operation) -> Seen | None:
    weights = o.weights(o["weight"], o["bias"])
    axes = o["weight"].ndim - 2
    if axes < 1:
        return None
    seen = o.see(o["input"])
    if weights and _at_one_place(o, seen):
        return _linear(o, seen.place, weights, o["bias"] is not None)
    reads = (o.shaped(seen),)
    padding = tuple((p, p) for p in spread(o["padding"], axes))
    own = {
        "kernel": tuple(o["weight"].shape[2:]),
        "stride": spread(o["stride"], axes),
        "padding": padding,
        "dilation": spread(o["dilation"], axes),
        "groups": o["groups"],
        "bias": o["bias"] is not None,
    }
    if weights is None:  # computed ones: standardised, cut, given by another network
        others = [o["weight"], *([o["bias"]] if o["bias"] is not None else [])]
        reads += tuple(o.at(t) for t in others)
        weights = ()
    if o["transposed"]:
        own["output_padding"] = spread(o["output_padding"], axes)
        return _new(o, "transposed conv", own, reads, weights)
    own, reads = _with_frame(o, own, reads)
    if len(reads) == 1 and _sees_all(o, own, reads[0]):
        return _linear(o, reads[0], weights, own["bias"])
    return _new(o, "conv", own, reads, weights)


def _at_one_place(o: Operation, seen: Seen) -> bool:
    """Of maps of one pixel, whatever they were before they were flattened."""
    ones = {*o["weight"].shape[2:], *seen.shape[2:]} == {1}
    return ones and o["groups"] == 1 and not o["transposed"] and {*o["padding"]} == {0}


def _new(o: Operation, op: str, own: dict, reads: tuple[int, ...], weights=()) -> Seen:
    return Seen(o.lay(op, own, reads, weights), o.shape)


def _with_frame(
    o: Operation, own: dict, reads: tuple[int, ...], value: float = 0
) -> tuple[dict, tuple[int, ...]]:
    """A frame around the map of what the layer itself pads with is padding."""
    node = o.build.nodes[reads[0]]
    frame = node.own.get("padding", ())
    fits = node.op == "pad" and len(frame) == len(own["padding"]) + 1
    if not fits or node.own["value"] != value or frame[0] != (0, 0):
        return own, reads
    padding = tuple(
        (a + c, b + d) for (a, b), (c, d) in zip(own["padding"], frame[1:], strict=True)
    )
    return own | {"padding": padding}, (_without_ones(o, node.reads[0]), *reads[1:])


def _without_ones(o: Operation, place: int) -> int:
    """A frame is laid around a map; maps of one pixel got their sides for it alone."""
    node = o.build.nodes[place]
    if node.op == "reshape" and bare(o.full(place)) == bare(o.full(node.reads[0])):
        return node.reads[0]
    return place


def _sees_all(o: Operation, own: dict, place: int) -> bool:
    """Whether the window is the whole map: then it is a linear layer."""
    sides = o.full(place)[2:] or (1,) * len(own["kernel"])
    return (
        sides == own["kernel"] and own["groups"] == 1 and {*own["padding"]} == {(0, 0)}
        and {*own["dilation"]} == {1}
    )  # fmt: skip


def _linear(o: Operation, place: int, weights: tuple, bias: bool) -> Seen:
    out = o.shape[1]
    shape = (o.full(place)[0], out)
    return Seen(o.lay("linear", {"bias": bias}, (place,), weights, shape=shape), o.shape)


def _addmm(o: Operation) -> Seen | None:
    if o["alpha"] != 1 or o["beta"] != 1:
        return None
    return _matrix(o, o["mat1"], o["mat2"], o["self"])


def _mm(o: Operation) -> Seen | None:
    return _matrix(o, o["self"], o["mat2"], None)


def _linear_whole(o: Operation) -> Seen | None:
    x = o["input"]
    return _matrix(o, x.reshape(-1, x.shape[-1]), o["weight"].t(), o["bias"])


def _matrix(o: Operation, x: Tensor, matrix: Tensor, bias: Tensor | None) -> Seen | None:
    """Rows times the transpose of a weight: a linear layer, of images or at each place of them."""
    weights = o.weights(matrix.t(), bias)
    if weights is None or not o.storages.knows(x):
        return None
    if (answer := _at_each_place(o, x, weights, bias)) is not None:
        return answer
    seen = o.see(x)
    if o.full(seen.place)[:1] == seen.shape[:1] == (o.batch,):
        return _linear(o, seen.place, weights, bias is not None)
    return _of_rows(o, seen, weights, bias)


def _at_each_place(o: Operation, x: Tensor, weights: tuple, bias: Tensor | None) -> Seen | None:
    """On the channels of maps whose channels lie last: a 1x1 convolution."""
    held = o.storages.held[x.untyped_storage()._cdata]
    full = () if held.place is None else o.full(held.place)
    if len(full) != 4 or prod(full) != x.numel() or full[1] != x.shape[-1]:
        return None
    maps = (full[0], *full[2:], full[1])
    seen = o.see(x.reshape(maps), axes=True)
    if seen.axes != (0, 2, 3, 1):
        return None
    own = {"kernel": (1, 1), "stride": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1)}
    own |= {"groups": 1, "bias": bias is not None}
    shape = (full[0], o.shape[-1], *full[2:])
    place = o.lay("conv", own, (seen.place,), weights, shape=shape)
    return Seen(place, o.shape, seen.axes)


def _of_rows(o: Operation, seen: Seen, weights: tuple, bias: Tensor | None) -> Seen:
    """On the last axis of what is no image any more."""
    full = o.full(seen.place)
    place = seen.place if full[-1:] == seen.shape[-1:] else o.reshaped(seen)
    shape = (*o.full(place)[:-1], o.shape[-1])
    own = {"bias": bias is not None, "of": "rows"}
    return Seen(o.lay("linear", own, (place,), weights, shape=shape), o.shape)


def _max_pool(o: Operation) -> Seen | Tensor | None:
    own, sides = _window(o)
    own["dilation"] = spread(o["dilation"], len(sides))
    if (moved := _every(o, own)) is not None:
        return moved
    own, (place,) = _with_frame(o, own, (o.shaped(o.see(o["self"])),), value=-inf)
    if _covers(own, sides, o.shape):
        return Seen(o.lay("global max", {}, (place,), shape=o.full(place)[:2]), o.shape)
    return _new(o, "max pool", own, (place,))


def _average_pool(o: Operation) -> Seen | Tensor | None:
    own, sides = _window(o)
    divisor = o["divisor_override"]
    edged = own["ceil"] or any(pair != (0, 0) for pair in own["padding"])
    inside = edged and not o["count_include_pad"]
    own["divisor"] = "inside" if inside else "window"
    if divisor is not None:
        plain = divisor == prod(own["kernel"]) and not own["ceil"]
        own["divisor"] = "window" if plain else divisor
    if own["divisor"] == "window" and (moved := _every(o, own)) is not None:
        return moved
    place = o.shaped(o.see(o["self"]))
    if own["divisor"] == "window" and not own["ceil"]:
        own, (place,) = _with_frame(o, own, (place,))
    if own["divisor"] == "window" and _covers(own, sides, o.shape):
        return _global_average(o, place)
    return _new(o, "average pool", own, (place,))


def _window(o: Operation) -> tuple[dict, tuple[int, ...]]:
    x = o["self"]
    axes = len(o["kernel_size"]) if len(o["kernel_size"]) > 1 else _axes_of(o.name)
    sides = tuple(x.shape[-axes:])
    kernel = spread(o["kernel_size"], axes)
    stride = spread(o["stride"], axes) if o["stride"] else kernel
    pads = spread(o["padding"], axes)
    own = {"kernel": kernel, "stride": stride, "padding": tuple((p, p) for p in pads)}
    dilation = spread(o.args.get("dilation") or [1], axes)
    floor = tuple(
        (side + 2 * pad - d * (k - 1) - 1) // step + 1
        for side, pad, d, k, step in zip(sides, pads, dilation, kernel, stride, strict=True)
    )
    own["ceil"] = floor != tuple(o.shape[-axes:])
    if x.ndim != axes + 2:
        own["unbatched"] = True
    return own, sides


def _axes_of(name: str) -> int:
    return next(axes for axes in (1, 2, 3) if f"{axes}d" in name)


def _every(o: Operation, own: dict) -> Tensor | None:
    """A window of one is a movement: each second row and column."""
    if {*own["kernel"]} != {1} or {*own["padding"]} != {(0, 0)} or own["ceil"]:
        return None
    codes = o.storages.codes(o["self"])
    steps = tuple(slice(None, None, step) for step in own["stride"])
    return codes[(..., *steps)]


def _covers(own: dict, sides: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    one = {*shape[-len(sides) :]} == {1}
    plain = {*own["padding"]} == {(0, 0)} and {*own.get("dilation", (1,))} == {1}
    return one and plain and own["kernel"] == sides and len(shape) == len(sides) + 2


def _global_average(o: Operation, place: int) -> Seen:
    shape = o.full(place)[:2]
    return Seen(o.lay("global average", {}, (place,), shape=shape), o.shape)


def _adaptive(pool: str, whole: str) -> Handler:
    def handler(o: Operation) -> Seen | Tensor:
        x = o["self"]
        axes = len(o["output_size"])
        sides = tuple(x.shape[-axes:])
        to = tuple(o.shape[-axes:])
        if sides == to:
            return o.see(x)
        place = o.shaped(o.see(x))
        if {*to} == {1} and x.ndim == axes + 2:
            return Seen(o.lay(whole, {}, (place,), shape=o.full(place)[:2]), o.shape)
        if any(side % out for side, out in zip(sides, to, strict=True)):
            return _new(o, f"adaptive {pool}", {"to": to}, (place,))
        kernel = tuple(side // out for side, out in zip(sides, to, strict=True))
        own = {"kernel": kernel, "stride": kernel, "padding": ((0, 0),) * axes, "ceil": False}
        own |= {"divisor": "window"} if pool == "average pool" else {"dilation": (1,) * axes}
        return _new(o, pool, own, (place,))

    return handler


def _mean(o: Operation) -> Seen | None:
    return _over_axes(o, "mean", "global average")


def _greatest(o: Operation) -> Seen | None:
    return _over_axes(o, "max", "global max")


def _total(o: Operation) -> Seen | None:
    return _over_axes(o, "sum", "")


def _over_axes(o: Operation, op: str, whole: str) -> Seen | None:
    """A mean, sum or maximum over axes; over all places of a map it has a name of its own."""
    x = o["self"]
    dims = o.args.get("dim")
    dims = [dims] if isinstance(dims, int) else dims
    if not dims or o.args.get("dtype") not in (None, x.dtype):
        return None
    axes = sorted(dim % x.ndim for dim in dims)
    if 0 in axes:
        return None
    if all(x.shape[axis] == 1 for axis in axes):
        return o.see(x)
    seen = o.see(x, axes=True)
    left = [axis for axis in seen.axes or () if axis not in {seen.axes[i] for i in axes}]
    if left != sorted(left):  # what is left would lie in another order
        seen = o.see(x)
    if seen.axes is not None:
        axes = sorted(seen.axes[axis] for axis in axes)
        shape = o.full(seen.place)
    else:
        shape = seen.shape
    full = o.full(seen.place)
    if seen.axes is None and _sides(shape) == _sides(full):  # axes that were kept, or put in
        axes = _across(axes, shape, full)
        shape = full
    over_places = axes == list(range(2, len(shape))) and shape[:2] == full[:2]
    if over_places:
        axes = list(range(2, len(full)))
    place = seen.place if over_places or shape == full else o.shaped(seen)
    return _reduced(o, op, whole, *_in_one(o, op, place, axes))


def _reduced(o: Operation, op: str, whole: str, place: int, axes: list[int]) -> Seen:
    full = o.full(place)
    if whole and len(full) > 2 and axes == list(range(2, len(full))):
        return Seen(o.lay(whole, {}, (place,), shape=full[:2]), o.shape)
    left = tuple(side for axis, side in enumerate(full) if axis not in axes)
    own = {"axes": tuple(axis - 1 for axis in axes)}
    return Seen(o.lay(op, own, (place,), shape=left), o.shape)


def _sides(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*shape[:1], *(side for side in shape[1:] if side != 1))


def _across(axes: list[int], shape: tuple[int, ...], full: tuple[int, ...]) -> list[int]:
    """The axes of `full` that are these of `shape`, which has the same sides but for ones."""
    here = [axis for axis, side in enumerate(shape) if side != 1 or axis == 0]
    there = [axis for axis, side in enumerate(full) if side != 1 or axis == 0]
    found = dict(zip(here, there, strict=True))
    return sorted(found[axis] for axis in axes if axis in found)


def _in_one(o: Operation, op: str, place: int, axes: list[int]) -> tuple[int, list[int]]:
    """A mean of means over other axes is one mean, as are sums and maxima."""
    inner = o.build.nodes[place]
    if inner.op != op:
        return place, axes
    source = inner.reads[0]
    gone = [axis + 1 for axis in inner.own["axes"]]
    left = [axis for axis in range(len(o.full(source))) if axis not in gone]
    return source, sorted([*gone, *(left[axis] for axis in axes)])


def _softmax(op: str) -> Handler:
    def handler(o: Operation) -> Seen | None:
        seen = o.see(o["self"])
        axis = o["dim"] % max(len(seen.shape), 1)
        if axis == 0 or not o.build.batched[seen.place]:
            return None
        place = o.shaped(seen)
        return Seen(o.lay(op, {"axis": axis - 1}, (place,), shape=o.full(place)), o.shape)

    return handler


HANDLERS: dict[str, Handler] = {
    "convolution": _convolution,
    "_convolution": _convolution,  # as a traced module calls it
    "addmm": _addmm,
    "mm": _mm,
    "linear": _linear_whole,
    **dict.fromkeys(("max_pool2d_with_indices", "max_pool3d_with_indices"), _max_pool),
    **dict.fromkeys(("avg_pool2d", "avg_pool3d"), _average_pool),
    **dict.fromkeys(
        ("_adaptive_avg_pool2d", "_adaptive_avg_pool3d"),
        _adaptive("average pool", "global average"),
    ),
    **dict.fromkeys(
        ("adaptive_max_pool2d", "adaptive_max_pool3d"), _adaptive("max pool", "global max")
    ),
    "mean": _mean,
    "amax": _greatest,
    "max": _greatest,
    "sum": _total,
    "_softmax": _softmax("softmax"),
    "_log_softmax": _softmax("log softmax"),
}
