"""Normalisations."""

from math import prod

from torch import Tensor

from convatlas.wiring.elementwise import Handler
from convatlas.wiring.graph import Weight
from convatlas.wiring.movements import Seen
from convatlas.wiring.operations import Operation


def _affine(scale: Tensor | None, shift: Tensor | None) -> str:
    return {
        (True, True): "scale and shift",
        (True, False): "scale",
        (False, True): "shift",
        (False, False): "none",
    }[scale is not None, shift is not None]


def _batch_norm(o: Operation) -> Seen | None:
    if o.args.get("training", False):
        return _of_the_batch(o)
    weights = o.weights(o["weight"], o["bias"], o["running_mean"], o["running_var"])
    if weights is None:
        return None
    own = {"eps": o["eps"], "affine": _affine(o["weight"], o["bias"])}
    return _by_channel(o, "batch norm", own, weights)


def _by_channel(o: Operation, op: str, own: dict, weights: tuple[Weight, ...]) -> Seen:
    place = o.channelled(o["input"])
    return Seen(o.lay(op, own, (place,), weights, shape=o.full(place)), o.shape)


def _of_the_batch(o: Operation) -> Seen | None:
    """With the statistics of these images: of each alone where images are taken for channels."""
    own = {"eps": o["eps"], "affine": _affine(o["weight"], o["bias"])}
    weights = o.weights(o["weight"], o["bias"])
    x = o["input"]
    seen = o.see(x)
    full = o.full(seen.place)
    if x.shape[0] == 1 and len(full) > 2 and x.shape[1] == full[0] * full[1]:
        weights = _repeated(o, full[0], o["weight"], o["bias"])
        if weights is None or tuple(x.shape[2:]) != full[2:]:
            return None
        place = o.lay("instance norm", own, (seen.place,), weights, shape=full)
        return Seen(place, o.shape)
    if weights is None:
        return None
    return _by_channel(o, "batch norm without running statistics", own, weights)


def _repeated(o: Operation, times: int, *tensors: Tensor | None) -> tuple[Weight, ...] | None:
    """The parameters of which these tensors are copies, one behind the other."""
    found = []
    for t in tensors:
        if t is None:
            continue
        part = t[: t.numel() // times]
        seen = o.storages.see(part)
        codes = o.storages.codes(t)
        node = o.build.nodes[seen.place]
        same = bool((codes.view(times, -1) == codes.view(times, -1)[0]).all())
        if node.op != "parameter" or not same:
            return None
        found.append(node.weights[0])
    return tuple(found)


def _group_norm(o: Operation) -> Seen | None:
    weights = o.weights(o["weight"], o["bias"])
    if weights is None:
        return None
    own = {"groups": o["group"], "eps": o["eps"], "affine": _affine(o["weight"], o["bias"])}
    return _by_channel(o, "group norm", own, weights)


def _layer_norm(o: Operation) -> Seen | None:
    """Over the last axes; over the channels, where those lie last."""
    weights = o.weights(o["weight"], o["bias"])
    if weights is None:
        return None
    over = tuple(o["normalized_shape"])
    own = {"eps": o["eps"], "affine": _affine(o["weight"], o["bias"])}
    seen = o.see(o["input"], axes=True)
    full = o.full(seen.place)
    if seen.axes == (0, *range(2, len(full)), 1) and over == full[1:2]:
        place = o.lay("layer norm", own | {"over": "channels"}, (seen.place,), weights, shape=full)
        return seen._replace(place=place)
    seen = o.see(o["input"])
    full = o.full(seen.place)
    if prod(full[1:]) == prod(over) and full[0] == seen.shape[0]:
        return _layer_norm_of_all(o, seen.place, own, weights)
    rank = len(seen.shape) - 1
    own["over"] = tuple(range(rank - len(over), rank))
    return Seen(o.lay("layer norm", own, (o.shaped(seen),), weights), o.shape)


def _layer_norm_of_all(o: Operation, place: int, own: dict, weights: tuple) -> Seen:
    own["over"] = "all"
    return Seen(o.lay("layer norm", own, (place,), weights, shape=o.full(place)), o.shape)


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(
        (
            *("native_batch_norm", "cudnn_batch_norm", "_native_batch_norm_legit"),
            "_native_batch_norm_legit_no_training",
        ),
        _batch_norm,
    ),
    "native_group_norm": _group_norm,
    "native_layer_norm": _layer_norm,
}
