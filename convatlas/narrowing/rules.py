"""What each function does to the labels of channels.

The functions are those that the networks of the atlas call; any other one fixes what it reads.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from convatlas.narrowing.labels import Channels
from convatlas.narrowing.tracing import Call, Layer, Trace, unknown

WINDOW = (("stride", 3, 1), ("padding", 4, 0), ("dilation", 5, 1))  # of conv2d


def passed(trace: Trace, call: Call) -> None:
    """One tensor in, each channel for itself."""
    for out in call.outputs:
        trace.keep(out, trace.of(call.inputs[0]))


def elementwise(trace: Trace, call: Call) -> None:
    """Channels that meet go together. What is broadcast along the channels does not meet them."""
    out = call.outputs[0]
    tensors = [x for x in call.inputs if x.numel() > 1 or x.ndim == out.ndim]
    if not tensors:
        return unknown(trace, call)
    axes = []
    for x in tensors:
        axis = trace.of(x).axis
        if axis is not None and x.shape[axis] == out.shape[axis - x.ndim]:
            axes.append(axis - x.ndim)
    if len(set(axes)) > 1:
        return unknown(trace, call)
    if not axes:
        return trace.keep(out, Channels(None, trace.of(tensors[0]).labels[:1]))
    axis, size = axes[0], out.shape[axes[0]]
    meeting = [x for x in tensors if x.ndim >= -axis and x.shape[axis] == size]
    along = [trace.of(x).along(axis + x.ndim, size) for x in meeting]
    found = [labels for labels in along if labels is not None]
    if len(found) < len(along):
        return unknown(trace, call)
    for labels in found[1:]:
        trace.labels.unite(found[0], labels)
    trace.keep(out, Channels(axis + out.ndim, found[0]))
    return None


def conv2d(trace: Trace, call: Call) -> None:
    x, weight = call.args[0], call.argument("weight", 1)
    bias, groups = call.argument("bias", 2), call.argument("groups", 6, 1)
    name = trace.weight(weight)
    before = trace.of(x).along(1, x.shape[1])
    trace.multiplied(weight, name, call.out, is_last=False)
    if name is None or before is None:
        trace.fix([x, *([bias] if bias is not None else [])], call.name)
        trace.keep(call.out, trace.labels.constant(call.name))
        return
    c_out, per_group = weight.shape[:2]
    window = tuple(call.argument(*part) for part in WINDOW)
    layer = trace.layers.setdefault(name, Layer(window, tuple(x.shape[2:]), groups))
    if groups > 1 and per_group == 1:
        layer.depthwise = c_out // groups
        after = before.repeat_interleave(layer.depthwise)
    else:
        # of a grouped convolution the same places in all groups, for all read as many channels
        parts = before.view(groups, per_group)
        trace.labels.unite_rows(parts, "groups")
        trace.bind(name, 1, parts[0])
        fresh = trace.labels.fresh(c_out // groups)
        layer.fresh += fresh.tolist()
        after = fresh.repeat(groups)
    _bind_out(trace, call.out, name, bias, after, 1)


def linear(trace: Trace, call: Call) -> None:
    x, weight, bias = call.args[0], call.argument("weight", 1), call.argument("bias", 2)
    name = trace.weight(weight)
    last = x.ndim - 1
    before = trace.of(x).along(last, x.shape[last])
    trace.multiplied(weight, name, call.out, is_last=True)
    if name is None or before is None:
        trace.fix([x, *([bias] if bias is not None else [])], call.name)
        trace.keep(call.out, trace.labels.constant(call.name))
        return
    layer = trace.layers.setdefault(name, Layer())
    trace.bind(name, 1, before)
    fresh = trace.labels.fresh(weight.shape[0])
    layer.fresh += fresh.tolist()
    _bind_out(trace, call.out, name, bias, fresh, last)


def _bind_out(
    trace: Trace, out: Tensor, name: str, bias: Tensor | None, labels: Tensor, axis: int
) -> None:
    labels = trace.bind(name, 0, labels)
    if bias is not None:
        _bind_vector(trace, bias, labels)
    trace.keep(out, Channels(axis, labels))


def _bind_vector(trace: Trace, vector: Tensor, labels: Tensor) -> None:
    name = trace.names.get(id(vector))
    if name is None:
        trace.labels.fix(labels, "a constant")
    else:
        trace.bind(name, 0, labels)


def batch_norm(trace: Trace, call: Call) -> None:
    x = call.args[0]
    labels = trace.of(x).along(1, x.shape[1])
    if labels is None:
        return unknown(trace, call)
    for vector in call.inputs[1:]:
        _bind_vector(trace, vector, labels)
    trace.keep(call.out, Channels(1, labels))
    return None


def reduced(trace: Trace, call: Call) -> None:
    """A mean or sum: over the channels it depends on their number."""
    x, out = call.args[0], call.outputs[0]
    channels = trace.of(x)
    dims = call.argument("dim", 1)
    dims = range(x.ndim) if dims is None else [dims] if isinstance(dims, int) else dims
    gone = {dim % x.ndim for dim in dims}
    if channels.axis is None:
        return trace.keep(out, channels)
    if channels.axis in gone:
        return unknown(trace, call)
    shift = 0 if out.ndim == x.ndim else sum(dim < channels.axis for dim in gone)
    return trace.keep(out, Channels(channels.axis - shift, channels.labels))


def softmax(trace: Trace, call: Call) -> None:
    x = call.args[0]
    dim = call.argument("dim", 1)
    channels = trace.of(x)
    if dim is None or channels.axis is None or dim % x.ndim == channels.axis:
        return unknown(trace, call)
    return passed(trace, call)


def over_channels(trace: Trace, call: Call) -> None:
    """A norm that looks at several channels at once."""
    trace.fix(call.inputs, call.name)
    passed(trace, call)


def rearranged(trace: Trace, call: Call) -> None:
    """The labels go where their channels go: by the same function."""
    x, *rest = call.args
    if not isinstance(x, Tensor) or any(isinstance(a, Tensor) for a in rest):
        return unknown(trace, call)
    channels = trace.of(x)
    moved = _again(call, channels.spread(x.shape), rest)
    for out, labels in zip(call.outputs, moved, strict=True):
        axes = _axes(labels)
        if len(axes) > 1:
            return unknown(trace, call)
        trace.keep(out, _along(labels, axes[0] if axes else None))
    return None


def _again(call: Call, labels: Tensor, rest: Sequence) -> list[Tensor]:
    method = {"getitem": "__getitem__"}.get(call.name, call.name)
    function = getattr(Tensor, method, None) or getattr(torch, method)
    out = function(labels, *rest, **call.kwargs)
    return [out] if isinstance(out, Tensor) else list(out)


def _axes(labels: Tensor) -> list[int]:
    """The dimensions along which they are not all the same."""
    return [
        axis
        for axis, size in enumerate(labels.shape)
        if size > 1 and labels.stride(axis) and bool((labels != labels.narrow(axis, 0, 1)).any())
    ]


def _along(labels: Tensor, axis: int | None) -> Channels:
    for dim in range(labels.ndim - 1, -1, -1):
        if dim != axis:
            labels = labels.select(dim, 0)
    return Channels(axis, labels.reshape(-1))


def resized(trace: Trace, call: Call) -> None:
    """view and unflatten: channels that come to lie in several dimensions stay in the one whose
    size is left open, and go together along the others.
    """
    x, *rest = call.args
    sizes = tree_ints(rest)
    dims = sizes[1:] if call.name == "unflatten" else sizes
    (labels,) = _again(call, trace.of(x).spread(x.shape), rest)
    axes = _axes(labels)
    begin = sizes[0] % x.ndim if call.name == "unflatten" else 0
    kept = begin + dims.index(-1) if -1 in dims else None
    touched = [axis for axis in axes if call.name != "unflatten" or 0 <= axis - begin < len(dims)]
    if not touched:
        return trace.keep(call.out, _along(labels, axes[0] if axes else None))
    if kept is None:
        return unknown(trace, call)
    first = labels
    for axis in touched:
        if axis != kept:
            first = first.narrow(axis, 0, 1)
    trace.labels.unite(first.expand_as(labels).flatten(), labels.flatten(), call.name)
    return trace.keep(call.out, _along(labels, kept))


def tree_ints(values: Sequence) -> list[int]:
    """The numbers in nested tuples and lists, in order."""
    found = []
    for value in values:
        found += tree_ints(value) if isinstance(value, Sequence) else [value]
    return found


def divided(trace: Trace, call: Call) -> None:
    """chunk, or tensor_split by a number: equal parts, which stay equal; by places, what lies
    before the last place stays.
    """
    x = call.args[0]
    by = call.argument("chunks" if call.name == "chunk" else "indices_or_sections", 1)
    dim = call.argument("dim", 2, 0) % x.ndim
    channels = trace.of(x)
    if channels.axis is None:
        trace.fix([x], call.name)
    elif channels.axis == dim and isinstance(by, int):
        if x.shape[dim] % by:
            return unknown(trace, call)
        trace.labels.unite_rows(channels.labels.view(by, -1), call.name)
    elif channels.axis == dim and len(by):
        trace.labels.fix(channels.labels[: max(by)], call.name)
    return rearranged(trace, call)


def split(trace: Trace, call: Call) -> None:
    """Into pieces of a fixed size."""
    x = call.args[0]
    if trace.of(x).axis in (None, call.argument("dim", 2, 0) % x.ndim):
        trace.fix([x], call.name)
    rearranged(trace, call)


def indexed(trace: Trace, call: Call) -> None:
    """x[...]: channels that are picked stay, with all beside them."""
    x = call.args[0]
    channels = trace.of(x)
    if len(call.inputs) > 1:  # picked by another tensor
        return unknown(trace, call)
    (labels,) = _again(call, channels.spread(x.shape), call.args[1:])
    axes = _axes(labels)
    found = _along(labels, axes[0] if axes else None) if len(axes) < 2 else None
    if found is None:
        return unknown(trace, call)
    if channels.axis is not None and not torch.equal(found.labels, channels.labels):
        trace.fix([x], call.name)
    return trace.keep(call.out, found)


def cat(trace: Trace, call: Call) -> None:
    tensors = call.args[0]
    dim = call.argument("dim", 1, 0) % call.out.ndim
    sizes = [x.shape[dim] for x in tensors]
    found = [trace.of(x).along(dim, size) for x, size in zip(tensors, sizes, strict=True)]
    if any(labels is None for labels in found):
        return unknown(trace, call)
    return trace.keep(call.out, Channels(dim, torch.cat(found)))


def stack(trace: Trace, call: Call) -> None:
    """Channels that come to lie above each other go together."""
    tensors = call.args[0]
    dim = call.argument("dim", 1, 0) % call.out.ndim
    first, *others = (trace.of(x) for x in tensors)
    if first.axis is None or any(one.axis != first.axis for one in others):
        return unknown(trace, call)
    for one in others:
        trace.labels.unite(first.labels, one.labels, call.name)
    return trace.keep(call.out, Channels(first.axis + (dim <= first.axis), first.labels))


def pad(trace: Trace, call: Call) -> None:
    """New channels are constants, and as many as before."""
    x, added = call.args[0], call.argument("pad", 1)
    channels = trace.of(x)
    place = 2 * (x.ndim - 1 - (1 if channels.axis is None else channels.axis))
    before, after = (*added, *[0] * 2 * x.ndim)[place : place + 2]
    if channels.axis is None or not (before or after):
        return trace.keep(call.out, channels)
    new = [trace.labels.constant(call.name).labels.expand(count) for count in (before, after)]
    labels = torch.cat([new[0], channels.labels, new[1]])
    return trace.keep(call.out, Channels(channels.axis, labels))


RULES: dict[str, Callable[[Trace, Call], None]] = {
    "conv2d": conv2d,
    "linear": linear,
    "batch_norm": batch_norm,
    **dict.fromkeys(("add", "iadd", "mul", "imul", "sub", "rsub", "radd", "rmul"), elementwise),
    **dict.fromkeys(("relu", "sigmoid", "tanh", "silu", "gelu", "hardswish"), passed),
    **dict.fromkeys(("hardsigmoid", "hardtanh", "relu6", "square", "clone"), passed),
    **dict.fromkeys(("dropout", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d"), passed),
    **dict.fromkeys(("mean", "sum"), reduced),
    "softmax": softmax,
    **dict.fromkeys(("layer_norm", "local_response_norm", "group_norm"), over_channels),
    **dict.fromkeys(("transpose", "permute", "flatten"), rearranged),
    **dict.fromkeys(("view", "reshape", "unflatten"), resized),
    **dict.fromkeys(("chunk", "tensor_split"), divided),
    "split": split,
    "getitem": indexed,
    "cat": cat,
    "stack": stack,
    "pad": pad,
}
