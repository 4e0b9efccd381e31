"""torch's calls in the words of the page's interpreter, with every setting that changes the
answer.
"""

from collections.abc import Callable

from torch.fx import Node

from convatlas.errors import Error

Names = Callable[[object], str | None]  # the name in the state dict of a weight that a call reads


def written(kind: str, node: Node, weight: Names) -> dict:
    """One call as an operation. Raises Error for one that the interpreter has not."""
    if kind not in WRITERS:
        raise unknown(node)
    given = _given(node)
    return WRITERS[kind](node, given, weight)


def unknown(node: Node, where: str = "") -> Error:
    stack = list(node.meta.get("nn_module_stack", {}).values())
    where = where or (stack[-1][0] if stack else "") or "the network"
    return Error(
        f"{where} runs {node.target}, which the page's interpreter does not know; "
        "export the network with --to onnx and open that file in the page"
    )


def _given(node: Node) -> dict:
    """The arguments of a call by name, defaults in."""
    names = getattr(node.target, "_schema", None)
    found = {}
    for place, argument in enumerate(names.arguments if names else ()):
        if place < len(node.args):
            found[argument.name] = node.args[place]
        else:
            found[argument.name] = node.kwargs.get(
                argument.name, argument.default_value if argument.has_default_value() else None
            )
    return found


def _two(value) -> list[int]:
    both = list(value) if isinstance(value, list | tuple) else [value]
    return both * 2 if len(both) == 1 else both


def _conv(node: Node, given: dict, weight: Names) -> dict:
    if isinstance(given["padding"], str):
        raise unknown(node)
    shape = given["weight"].meta["val"].shape
    return {
        "op": "conv",
        "weight": weight(given["weight"]),
        "bias": weight(given["bias"]),
        "kernel": list(shape[2:]),
        **{name: _two(given[name]) for name in ("stride", "padding", "dilation")},
        "groups": given["groups"],
    }


def _linear(node: Node, given: dict, weight: Names) -> dict:
    if len(node.meta["val"].shape) != 2:
        raise unknown(node)
    return {"op": "linear", "weight": weight(given["weight"]), "bias": weight(given["bias"])}


def _norm(node: Node, given: dict, weight: Names) -> dict:
    return {
        "op": "norm",
        "weight": weight(given["weight"]),
        "bias": weight(given["bias"]),
        "mean": weight(given["running_mean"]),
        "variance": weight(given["running_var"]),
        "eps": given["eps"],
    }


def _max_pool(node: Node, given: dict, weight: Names) -> dict:
    if _two(given["dilation"]) != [1, 1]:
        raise unknown(node)
    return {"op": "maxpool", **_window(given)}


def _average_pool(node: Node, given: dict, weight: Names) -> dict:
    """`divisor` 0: each sum over the number of pixels in its window, those of the border too where
    `border` says so.
    """
    border = bool(given["count_include_pad"]) and any(_two(given["padding"]))
    if border and given["ceil_mode"]:  # torch counts a border cut off by the last window apart
        raise unknown(node)
    return {
        "op": "avgpool",
        **_window(given),
        "divisor": given["divisor_override"] or 0,
        "border": border,
    }


def _window(given: dict) -> dict:
    kernel = _two(given["kernel_size"])
    return {
        "kernel": kernel,
        "stride": _two(given["stride"]) if given["stride"] else kernel,
        "padding": _two(given["padding"]),
    }


def _mean(node: Node, given: dict, weight: Names) -> dict:
    axes = {axis % 4 for axis in given["dim"]}
    if axes != {2, 3} or len(node.args[0].meta["val"].shape) != 4:
        raise unknown(node)
    return {"op": "mean"}


def _adaptive_mean(node: Node, given: dict, weight: Names) -> dict:
    if _two(given["output_size"]) != [1, 1]:
        raise unknown(node)
    return {"op": "mean"}


def _both(op: str) -> Callable:
    def write(node: Node, given: dict, weight: Names) -> dict:
        first, second = given["self"], given["other"]
        if given.get("alpha", 1) != 1 or not isinstance(first, Node):
            raise unknown(node)
        if not isinstance(second, Node) or weight(second):
            raise unknown(node)
        return {"op": op}

    return write


def _concat(node: Node, given: dict, weight: Names) -> dict:
    if given["dim"] % node.meta["val"].dim() != 1:
        raise unknown(node)
    return {"op": "concat"}


def _slice(node: Node, given: dict, weight: Names) -> dict:
    size = given["self"].meta["val"].shape[given["dim"]]
    start, stop = given["start"] or 0, size if given["end"] is None else given["end"]
    start, stop = (place + size if place < 0 else min(place, size) for place in (start, stop))
    return {
        "op": "slice",
        "axis": given["dim"] - 1,
        "start": start,
        "stop": stop,
        "step": given["step"],
    }


def _pad(node: Node, given: dict, weight: Names) -> dict:
    """`before` and `after`: how many are added on each of the three axes."""
    if given.get("mode", "constant") != "constant" or node.meta["val"].dim() != 4:
        raise unknown(node)
    pairs = list(given["pad"]) + [0] * (6 - len(given["pad"]))
    if len(pairs) > 6 and any(pairs[6:]):
        raise unknown(node)
    return {
        "op": "pad",
        "before": pairs[4::-2],
        "after": pairs[5::-2],
        "value": given.get("value") or 0,
    }


def _clip(low: str, high: str) -> Callable:
    def write(node: Node, given: dict, weight: Names) -> dict:
        return {"op": "clip", "low": given[low], "high": given[high]}

    return write


def _alone(op: str, **settings) -> Callable:
    def write(node: Node, given: dict, weight: Names) -> dict:
        return {"op": op, **settings}

    return write


WRITERS = {
    "conv2d": _conv,
    "linear": _linear,
    "_native_batch_norm_legit_no_training": _norm,
    "max_pool2d": _max_pool,
    "avg_pool2d": _average_pool,
    "adaptive_avg_pool2d": _adaptive_mean,
    "mean": _mean,
    "add": _both("add"),
    "mul": _both("multiply"),
    "cat": _concat,
    "slice": _slice,
    "pad": _pad,
    "constant_pad_nd": _pad,
    "hardtanh": _clip("min_val", "max_val"),
    "relu6": _alone("clip", low=0, high=6),
    "relu": _alone("relu"),
    "tanh": _alone("tanh"),
    "sigmoid": _alone("sigmoid"),
    "hardsigmoid": _alone("hardsigmoid"),
    "hardswish": _alone("hardswish"),
    **dict.fromkeys(("view", "_unsafe_view", "reshape", "flatten", "squeeze"), _alone("reshape")),
}
