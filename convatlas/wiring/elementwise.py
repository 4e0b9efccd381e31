"""Activations, and sums and products element by element."""

from collections.abc import Callable
from math import inf, prod

from torch import Tensor

from convatlas.wiring.movements import SHIFT, Seen
from convatlas.wiring.operations import Operation

Answer = Seen | Tensor | None  # a node; a code for each element; not so simple
Handler = Callable[[Operation], Answer]
SIDES = {  # over which of the node's axes, the batch left out, one operand is the same everywhere
    (): "one",
    (0,): "channel",
    (1, 2): "place",
}


def one(o: Operation, op: str, own: dict | None = None, t: Tensor | None = None) -> Seen | Tensor:
    """An operation on each element by itself: in which order they lie does not matter, so that
    whatever moves all of one node's is done after it.
    """
    t = o["self"] if t is None else t
    codes = _moved(o, t)
    if codes is not None:
        source = int(codes.flatten()[0] >> SHIFT)
        place = o.lay(op, own, (source,), shape=o.full(source))
        return codes + ((place - source) << SHIFT)
    seen = o.see(t, axes=True)
    place = o.lay(op, own, (seen.place,), shape=o.full(seen.place))
    return seen._replace(place=place)


def _moved(o: Operation, t: Tensor) -> Tensor | None:
    """A code for each element, where these are all of one node in another order."""
    if not o.storages.knows(t) or o.storages.whole(t, axes=True) is not None:
        return None
    codes = o.storages.codes(t)
    sources = codes >> SHIFT
    source = int(sources.flatten()[0])
    whole = prod(o.full(source)) if source >= 0 else 0
    return codes if whole == codes.numel() and bool((sources == source).all()) else None


def _plain(op: str, **settings: str) -> Handler:
    """An activation, and what its settings are called here: their aten names."""

    def handler(o: Operation) -> Answer:
        return one(o, op, {ours: _setting(o[theirs]) for ours, theirs in settings.items()})

    return handler


def _setting(value: object) -> object:
    return float(value) if isinstance(value, int) else value


def _clamp(low: str, high: str) -> Handler:
    def handler(o: Operation) -> Answer:
        ends = [o.number(o.args.get(name)) for name in (low, high)]
        given = [o.args.get(name) is not None for name in (low, high)]
        if any(there and end is None for there, end in zip(given, ends, strict=True)):
            return None
        own = {"low": -inf if ends[0] is None else ends[0], "high": _high(ends[1])}
        return one(o, "clamp", own)

    return handler


def _high(end: float | None) -> float:
    return inf if end is None else end


def _relu(o: Operation) -> Answer:
    return one(o, "clamp", {"low": 0.0, "high": inf})


def _threshold(o: Operation) -> Answer:
    if o.number(o["threshold"]) != 0 or o.number(o["value"]) != 0:
        return None
    return _relu(o)


def _maximum(o: Operation) -> Answer:
    """Against a number."""
    end = o.number(o["other"])
    return None if end is None else one(o, "clamp", {"low": end, "high": inf})


def _power(o: Operation) -> Answer:
    exponent = o.number(o["exponent"])
    return None if exponent is None else one(o, "power", {"exponent": exponent})


def _to_the(exponent: float) -> Handler:
    return lambda o: one(o, "power", {"exponent": exponent})


def _prelu(o: Operation) -> Answer:
    weights = o.weights(o["weight"])
    if weights is None:
        node = o.build.nodes[o.see(o["weight"]).place]
        weights = node.weights if node.op == "parameter" else None
    seen = o.see(o["self"])
    if not weights or len(seen.shape) < 2:
        return None
    place = o.lay("prelu", {}, (o.shaped(seen),), weights, shape=seen.shape)
    return Seen(place, seen.shape)


def _add(o: Operation) -> Answer:
    return _sum(o, o["self"], o["other"], o["alpha"])


def _subtract(o: Operation) -> Answer:
    return _difference(o, o["self"], o["other"], o["alpha"])


def _subtract_from(o: Operation) -> Answer:
    return _difference(o, o["other"], o["self"], o["alpha"])


def _difference(o: Operation, left, right, factor) -> Answer:
    number = o.number(right)
    if number is not None and factor == 1:
        return _with_number(o, left, "add", -number)
    return _several(o, "subtract", (left, right)) if factor == 1 else None


def _sum(o: Operation, left, right, factor) -> Answer:
    for one_side, other in ((left, right), (right, left)):
        number = o.number(other)
        if number is not None and factor == 1 and _spans(o, one_side):
            return _with_number(o, one_side, "add", number)
    return _several(o, "add", (left, right)) if factor == 1 else None


def _multiply(o: Operation) -> Answer:
    for one_side, other in ((o["self"], o["other"]), (o["other"], o["self"])):
        number = o.number(other)
        if number is not None and _spans(o, one_side):
            return _with_number(o, one_side, "multiply", number)
    return _several(o, "multiply", (o["self"], o["other"]))


def _divide(o: Operation) -> Answer:
    if o.args.get("rounding_mode") is not None:
        return None
    number = o.number(o["other"])
    if number and _spans(o, o["self"]):
        return _with_number(o, o["self"], "multiply", 1 / number)
    return _several(o, "divide", (o["self"], o["other"]))


def _spans(o: Operation, value) -> bool:
    """Whether the result is no larger than this operand."""
    return isinstance(value, Tensor) and tuple(value.shape) == o.shape and o.number(value) is None


def _with_number(o: Operation, t, op: str, number: float) -> Answer:
    if not isinstance(t, Tensor) or not _spans(o, t):
        return None
    if number == {"add": 0, "multiply": 1}[op]:
        return o.see(t, axes=True)
    return one(o, f"{op} number", {"number": number}, t)


def _several(o: Operation, op: str, operands: tuple) -> Answer:
    """Two tensors, one of them perhaps the same over some axes of the other."""
    if not all(isinstance(t, Tensor) for t in operands):
        return None
    operands = tuple(map(_unspread, operands))
    wide = [(1,) * (len(o.shape) - t.ndim) + tuple(t.shape) for t in operands]
    whole = [shape == o.shape for shape in wide]
    seen = [o.see(t, axes=fills) for t, fills in zip(operands, whole, strict=True)]
    if len({s.axes for s, fills in zip(seen, whole, strict=True) if fills}) != 1:
        seen = [o.see(t) for t in operands]
    order = next((s.axes for s, fills in zip(seen, whole, strict=True) if fills), None)
    shape = _shape(o, seen, whole, order)
    places = []
    over = []
    for s, fills, aligned in zip(seen, whole, wide, strict=True):
        over.append("whole" if fills else _over(o, aligned, order))
        fits = _sides(o.full(s.place)) == _sides(shape if fills else aligned)
        places.append(s.place if fits else o.reshaped(s._replace(axes=None)))
    own = {"over": tuple(over)} if set(over) != {"whole"} else {}
    return Seen(o.lay(op, own, tuple(places), shape=shape), o.shape, order)


def _unspread(t: Tensor) -> Tensor:
    """A tensor that was expanded, before that."""
    for axis, (side, step) in enumerate(zip(t.shape, t.stride(), strict=True)):
        if side > 1 and step == 0:
            t = t.narrow(axis, 0, 1)
    return t


def _shape(
    o: Operation, seen: list[Seen], whole: list[bool], order: tuple[int, ...] | None
) -> tuple[int, ...]:
    """Of the node: its operands' own where they agree, so that a change of shape before or after is
    none.
    """
    if order is not None:
        return tuple(o.shape[order.index(axis)] for axis in range(len(order)))
    full = [o.full(s.place) for s, fills in zip(seen, whole, strict=True) if fills]
    agreed = len({_sides(shape) for shape in full}) == 1
    changed = agreed and _sides(full[0]) != _sides(o.shape)
    return full[0] if agreed and (all(whole) or not changed) else o.shape


def _sides(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(side for side in shape if side != 1)


def _over(o: Operation, aligned: tuple[int, ...], order: tuple[int, ...] | None) -> str:
    """Along which axes of the result the operand changes: "channel", "place", "one" number. Axes
    of one are not counted.
    """
    kept = [
        (order[i] if order else i, side != 1)
        for i, (side, whole) in enumerate(zip(aligned, o.shape, strict=True))
        if whole != 1 or i == 0
    ]
    changes = [there for _, there in sorted(kept)]
    inner = tuple(i for i, there in enumerate(changes[1:]) if there)
    if inner in SIDES and (len(changes) == 4 or len(inner) < 2):
        return SIDES[inner]
    return f"axes {', '.join(map(str, inner))}"


HANDLERS: dict[str, Handler] = {
    "relu": _relu,
    "hardtanh": _clamp("min_val", "max_val"),
    "clamp": _clamp("min", "max"),
    "clamp_min": _clamp("min", ""),
    "clamp_max": _clamp("", "max"),
    "threshold": _threshold,
    "maximum": _maximum,
    "sigmoid": _plain("sigmoid"),
    "tanh": _plain("tanh"),
    "silu": _plain("swish"),
    "hardswish": _plain("h-swish"),
    "hardsigmoid": _plain("h-sigmoid"),
    "mish": _plain("mish"),
    "gelu": _plain("gelu", approximate="approximate"),
    "elu": _plain("elu", alpha="alpha", scale="scale", input_scale="input_scale"),
    "leaky_relu": _plain("leaky relu", slope="negative_slope"),
    "softplus": _plain("softplus", beta="beta", threshold="threshold"),
    "_prelu_kernel": _prelu,
    "exp": _plain("exp"),
    "log": _plain("log"),
    "abs": _plain("abs"),
    "neg": lambda o: one(o, "multiply number", {"number": -1.0}),
    "sqrt": _to_the(0.5),
    "rsqrt": _to_the(-0.5),
    "reciprocal": _to_the(-1.0),
    "square": _to_the(2.0),
    "pow": _power,
    "add": _add,
    "sub": _subtract,
    "rsub": _subtract_from,
    "mul": _multiply,
    "div": _divide,
}
