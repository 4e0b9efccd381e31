"""What an operation outside of layers is called in a drawn graph, and which are not drawn at all
because they only change a shape.
"""

import torch
from torch import Tensor

from convatlas.anatomy import receptive

SLICES = ("slice", "select", *receptive.SPLITS, "unbind")
SAME = {  # the numbers of what they read, in their order or seen in another one
    "view",
    *("clone", "detach", "alias", "lift_fresh", "contiguous", "_to_copy", "_unsafe_view"),
    *("copy", "_reshape_copy", "expand_copy", "view_copy", "_conj", "_neg_view", "empty_strided"),
}
WORDS = {
    **dict.fromkeys(("cat", "stack"), "concat"),
    **dict.fromkeys(("sub", "rsub"), "subtract"),
    **dict.fromkeys(("mm", "bmm", "addmm", "baddbmm", "mv", "dot"), "matrix product"),
    **dict.fromkeys(receptive.CONVOLUTIONS, "convolution"),
    **dict.fromkeys(receptive.BATCH_NORMS, "batch norm"),
    **dict.fromkeys(("max_pool2d_with_indices", "max_pool3d_with_indices"), "max pool"),
    **dict.fromkeys(("max_pool2d", "adaptive_max_pool2d", "amax", "max"), "max pool"),
    **dict.fromkeys(("avg_pool2d", "avg_pool3d", "_adaptive_avg_pool2d"), "average pool"),
    **dict.fromkeys(("adaptive_avg_pool2d", "_adaptive_avg_pool3d"), "average pool"),
    **dict.fromkeys(("constant_pad_nd", *receptive.PADDINGS), "pad"),
    **dict.fromkeys(("channel_shuffle", "native_channel_shuffle"), "shuffle"),
    **dict.fromkeys(("_softmax", "_safe_softmax"), "softmax"),
    "mul": "multiply",
    "div": "divide",
    "amax": "max",
    "native_layer_norm": "layer norm",
    "_fused_rms_norm": "rms norm",
    "native_group_norm": "group norm",
    "index": "pick",
    "index_select": "pick",
    "pow": "power",
    "_prelu_kernel": "prelu",
}
ALONE = {
    "add": "shift",
    "subtract": "shift",
    "multiply": "scale",
    "divide": "scale",
}  # and a number
NEUTRAL = {"add": 0, "sub": 0, "mul": 1, "div": 1}


def word(op: str, named: dict, data: int, out: Tensor) -> str:
    """What an operation on `data` maps is called; "" where it does nothing that is drawn."""
    x = named.get("self", named.get("input"))
    if op in SLICES:
        return _cut(x, out)
    if op == "clone":
        return _moved(x)
    if op in SAME or _is_neutral(op, named):
        return ""
    if op in ("hardtanh", "clamp"):
        return _clipped(named)
    if op in ("index", "index_select") and x.ndim > 1 and x.shape == out.shape:
        return "shuffle"
    if op.startswith(("upsample_", "_upsample_")):
        return "upsample"
    name = WORDS.get(op, op.strip("_").replace("_", " "))
    if name == "concat" and data == 1:
        return "pad" if len(named["tensors"]) > 1 else ""
    return ALONE.get(name, name) if data == 1 else name


def is_itself(named: dict) -> bool:
    """A part that is copied to its own place: the end of `x[:, :2] += 1`."""
    to, what = named["self"], named["src"]
    places = [(t.shape, t.stride(), t.storage_offset()) for t in (to, what)]
    same = to.untyped_storage()._cdata == what.untyped_storage()._cdata
    return same and places[0] == places[1]


def _cut(x: Tensor, out: Tensor) -> str:
    """ "split" leaves some of the channels, "crop" some of the rows or columns."""
    if x.shape == out.shape:
        return ""
    if x.ndim == out.ndim and x.shape[:2] == out.shape[:2]:
        return "crop"
    return "split"


def _moved(x: Tensor) -> str:
    """A copy in an order of its own: "shuffle" of channels; other turns are changes of shape."""
    steps = [step for side, step in zip(x.shape, x.stride(), strict=True) if side > 1 and step]
    if x.layout is not torch.strided or steps == sorted(steps, reverse=True) or x.ndim < 5:
        return ""
    inside = sorted(x.stride()[1:], reverse=True)
    turned = [i for i, step in enumerate(x.stride()[1:], start=1) if step != inside[i - 1]]
    return "shuffle" if turned == [1, 2] else "rearrange"


def _is_neutral(op: str, named: dict) -> bool:
    """x + 0, x * 1, 0 + x"""
    if op not in NEUTRAL or named.get("alpha", 1) != 1:
        return False
    values = [named["self"], named["other"]]
    return any(not isinstance(value, Tensor) and value == NEUTRAL[op] for value in values)


def _clipped(named: dict) -> str:
    ends = (named.get("min_val", named.get("min")), named.get("max_val", named.get("max")))
    return {(0, 6): "relu6", (0, None): "relu"}.get(ends, "clip")
