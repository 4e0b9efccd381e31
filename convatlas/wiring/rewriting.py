"""One form for what can be written in several: while nodes are laid, and once all are there."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from math import inf, prod

from convatlas.wiring.building import Builder
from convatlas.wiring.graph import Graph, Node, Weight

Form = tuple[str, dict, tuple[int, ...], int | None]  # the last: a place that is this already
GATES = {"sigmoid": "swish", "h-sigmoid": "h-swish"}  # x times this of x
SOFTPLUS = {"beta": 1.0, "threshold": 20.0}
SIXTH = 1 / 6


def rewritten(build: Builder, op: str, own: dict, reads: tuple[int, ...]) -> Form:
    """The same operation in the form that stands for all."""
    rule = RULES.get(op)
    return rule(build, own, reads) if rule else (op, own, reads, None)


def _clamp(build: Builder, own: dict, reads: tuple[int, ...]) -> Form:
    inner = build.nodes[reads[0]]
    low, high = own["low"], own["high"]
    if inner.op in CLAMPS:
        within = inner.own or CLAMPS[inner.op]
        low, high = _clamped(within["low"], low, high), _clamped(within["high"], low, high)
        reads = inner.reads
    if (low, high) == (0, 1) and (x := _scaled(build, reads[0])) is not None:
        return "h-sigmoid", {}, (x,), None
    for name, ends in CLAMPS.items():
        if ends == {"low": low, "high": high}:
            return name, {}, reads, None
    known = reads[0] if (low, high) == (-inf, inf) else None
    return "clamp", {"low": low, "high": high}, reads, known


CLAMPS = {"relu": {"low": 0.0, "high": inf}, "relu6": {"low": 0.0, "high": 6.0}, "clamp": {}}


def _clamped(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _scaled(build: Builder, place: int) -> int | None:
    """x of x / 6 + 1 / 2."""
    add = build.nodes[place]
    if add.op != "add number" or add.own["number"] != 0.5:
        return None
    times = build.nodes[add.reads[0]]
    found = times.op == "multiply number" and times.own["number"] == SIXTH
    return times.reads[0] if found else None


def _raised(build: Builder, place: int) -> int | None:
    """x of relu6(x + 3)."""
    relu = build.nodes[place]
    add = build.nodes[relu.reads[0]] if relu.op == "relu6" else None
    found = add and add.op == "add number" and add.own["number"] == 3
    return add.reads[0] if found else None


def _multiply_number(build: Builder, own: dict, reads: tuple[int, ...]) -> Form:
    inner = build.nodes[reads[0]]
    if (mean := _mean(build, own, reads)) is not None:
        return mean
    if own["number"] == SIXTH and (x := _raised(build, reads[0])) is not None:
        return "h-sigmoid", {}, (x,), None
    if own["number"] == SIXTH and inner.op == "multiply" and not inner.own:
        for x, gate in (inner.reads, inner.reads[::-1]):
            if _raised(build, gate) == x:
                return "h-swish", {}, (x,), None
    if inner.op == "multiply number":
        own = {"number": own["number"] * inner.own["number"]}
        reads = inner.reads
    return "multiply number", own, reads, reads[0] if own["number"] == 1 else None


def _add_number(build: Builder, own: dict, reads: tuple[int, ...]) -> Form:
    inner = build.nodes[reads[0]]
    if inner.op == "add number":
        own = {"number": own["number"] + inner.own["number"]}
        reads = inner.reads
    return "add number", own, reads, reads[0] if own["number"] == 0 else None


def _add(build: Builder, own: dict, reads: tuple[int, ...]) -> Form:
    if own or reads[0] != reads[1]:
        return "add", own, reads, None
    return _multiply_number(build, {"number": 2.0}, reads[:1])


def _mean(build: Builder, own: dict, reads: tuple[int, ...]) -> Form | None:
    """A sum by how many it sums."""
    inner = build.nodes[reads[0]]
    if inner.op != "sum" or not build.batched[inner.reads[0]]:
        return None
    sides = build.nodes[inner.reads[0]].output
    axes = inner.own["axes"]
    if own["number"] != 1 / prod(sides[axis] for axis in axes):
        return None
    places = len(sides) > 1 and axes == tuple(range(1, len(sides)))
    op = "global average" if places else "mean"
    return op, {} if places else {"axes": axes}, inner.reads, None


def _sum(build: Builder, own: dict, reads: tuple[int, ...]) -> Form:
    """A stack that is summed up is a sum."""
    stack = build.nodes[reads[0]]
    parts = build.nodes[stack.reads[0]] if stack.op == "reshape" and own["axes"] == (0,) else None
    if parts is None or parts.op != "concat" or parts.own["axis"] != 0:
        return "sum", own, reads, None
    shapes = {(len(parts.reads), *build.nodes[read].output) for read in parts.reads}
    if shapes != {stack.output}:
        return "sum", own, reads, None
    return "add", {}, parts.reads, None


def _power(build: Builder, own: dict, reads: tuple[int, ...]) -> Form:
    return "power", own, reads, reads[0] if own["exponent"] == 1 else None


def _multiply(build: Builder, own: dict, reads: tuple[int, ...]) -> Form:
    if own:
        return "multiply", own, reads, None
    if reads[0] == reads[1]:
        return "power", {"exponent": 2.0}, reads[:1], None
    for x, other in (reads, reads[::-1]):
        gate = build.nodes[other]
        if gate.op in GATES and gate.reads == (x,):
            return GATES[gate.op], {}, (x,), None
        if gate.op == "tanh" and _softplus_of(build, gate) == x:
            return "mish", {}, (x,), None
        if gate.op == "power" and gate.own["exponent"] < 0:
            exponent = -gate.own["exponent"]
            if found := _response_norm(build, x, gate.reads[0], exponent):
                return "local response norm", found, (x,), None
    return "multiply", own, reads, None


def _softplus_of(build: Builder, tanh: Node) -> int | None:
    node = build.nodes[tanh.reads[0]]
    return node.reads[0] if node.op == "softplus" and node.own == SOFTPLUS else None


def _divide(build: Builder, own: dict, reads: tuple[int, ...]) -> Form:
    x, below = reads
    node = _below(build, below)
    found = (
        _response_norm(build, x, node.reads[0], node.own["exponent"])
        if not own and node.op == "power"
        else None
    )
    if found:
        return "local response norm", found, (x,), None
    return "divide", own, reads, None


def _below(build: Builder, place: int) -> Node:
    """The node there, changes of shape left out."""
    node = build.nodes[place]
    while node.op == "reshape":
        node = build.nodes[node.reads[0]]
    return node


def _response_norm(build: Builder, x: int, place: int, beta: float) -> dict | None:
    """Constants of x / (k + alpha * mean of squares over neighbouring channels) ** beta."""
    node = _below(build, place)
    k, alpha = 0.0, 1.0
    if node.op == "add number":
        k = node.own["number"]
        node = _below(build, node.reads[0])
    if node.op == "multiply number":
        alpha = node.own["number"]
        node = _below(build, node.reads[0])
    if node.op != "average pool":
        return None
    window = _channel_window(build, node, build.nodes[x].output)
    if window is None:
        return None
    size, before, source = window
    square = _below(build, source)
    if square.op != "power" or square.own["exponent"] != 2 or square.reads != (x,):
        return None
    own = {"size": size, "alpha": alpha, "beta": beta, "k": k}
    if node.own["divisor"] != "window":
        own["divisor"] = node.own["divisor"]
    return own | ({"before": before} if before != size // 2 else {})


def _channel_window(
    build: Builder, pool: Node, output: tuple[int, ...]
) -> tuple[int, int, int] | None:
    """Of a pool over neighbouring channels only: its size, channels before the middle, source."""
    kernel = pool.own["kernel"]
    wide = [axis for axis, side in enumerate(kernel) if side > 1]
    source = pool.reads[0]
    padding = pool.own["padding"]
    node = build.nodes[source]
    shape = node.output
    if node.op == "pad" and node.own["value"] == 0:
        source = node.reads[0]
        frame = node.own["padding"][-len(kernel) :]
        pairs = zip(padding, frame, strict=True)
        padding = tuple((a + c, b + d) for (a, b), (c, d) in pairs)
        shape = build.nodes[source].output
    if len(wide) != 1 or pool.own["ceil"] or {*pool.own["stride"]} != {1}:
        return None
    axis = wide[0] + len(shape) - len(kernel)
    if prod(shape[: axis + 1]) != output[0] or shape[axis] != output[0]:
        return None
    size = kernel[wide[0]]
    others = [pair for i, pair in enumerate(padding) if i != wide[0]]
    before, after = padding[wide[0]]
    if any(pair != (0, 0) for pair in others) or before + after != size - 1:
        return None
    return size, before, source


RULES = {
    "clamp": _clamp,
    "multiply number": _multiply_number,
    "add number": _add_number,
    "power": _power,
    "add": _add,
    "sum": _sum,
    "multiply": _multiply,
    "divide": _divide,
}


def finished(
    build: Builder,
    kind: str,
    size: tuple[int, ...],
    inputs: tuple[int, ...],
    outputs: tuple[int, ...],
    *,
    fold: bool,
) -> Graph:
    """The graph of all that the outputs need, sums of sums made one."""
    nodes = dict(enumerate(build.nodes))
    if fold:
        _fold_norms(nodes, outputs)
    _join_sums(nodes, _uses(nodes, outputs))
    needed = sorted({*_needed(nodes, outputs), *inputs})
    for place in needed:
        build.charge(place)
        if nodes[place].op == "parameter":
            nodes[place] = build.nodes[place]
    new = {place: i for i, place in enumerate(needed)}
    kept = tuple(
        replace(nodes[place], reads=tuple(new[read] for read in nodes[place].reads))
        for place in needed
    )
    return Graph(kind, size, kept, tuple(new[i] for i in inputs), tuple(new[o] for o in outputs))


def _needed(nodes: dict[int, Node], outputs: Iterable[int]) -> set[int]:
    found = set()
    waiting = list(outputs)
    while waiting:
        place = waiting.pop()
        if place not in found:
            found.add(place)
            waiting += nodes[place].reads
    return found


def _uses(nodes: dict[int, Node], outputs: tuple[int, ...]) -> Counter:
    """How often each node is read, as an answer of the network, too."""
    needed = _needed(nodes, outputs)
    return Counter([*outputs, *(read for place in needed for read in nodes[place].reads)])


def _join_sums(nodes: dict[int, Node], uses: Counter) -> None:
    """A sum that only another sum reads is part of that one."""
    for place, node in nodes.items():
        if node.op == "add" and not node.own:
            reads = []
            for read in node.reads:
                inner = nodes[read]
                once = inner.op == "add" and not inner.own and uses[read] == 1
                reads += inner.reads if once else (read,)
            nodes[place] = replace(node, reads=tuple(sorted(reads)))


def _fold_norms(nodes: dict[int, Node], outputs: tuple[int, ...]) -> None:
    """Batch norms become part of the layer before them, where nothing else reads that."""
    uses = _uses(nodes, outputs)
    for place, norm in nodes.items():
        if norm.op != "batch norm" or uses[norm.reads[0]] != 1:
            continue
        layer = nodes[norm.reads[0]]
        if layer.op in ("conv", "linear", "transposed conv") and layer.weights:
            nodes[place] = replace(
                layer,
                own={**layer.own, "bias": True},
                weights=(layer.weights[0], _shift(layer, norm)),
                params=layer.params + norm.params,
            )


def _shift(layer: Node, norm: Node) -> Weight:
    """What stands for the bias of a folded layer."""
    return layer.weights[1] if layer.own["bias"] else norm.weights[-1]
