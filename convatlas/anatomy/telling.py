"""A node of a graph in the words that steps are told in."""

import re

from convatlas.wiring import Graph, Node

VALUES = {"parameter", "constant"}  # nodes that only hold what other nodes read
KINDS = {
    "multiply number": "scale",
    "batch norm without running statistics": "batch norm without running statistics",
}
SIDES = (("top", "bottom"), ("left", "right"))
SHUFFLE = re.compile(r"channel shuffle, (\d+) groups$")
VAGUE = ("elements", "another order")  # words for a movement that stand for several


def told(graph: Graph, node: Node) -> tuple[str, dict[str, object]]:
    """The kind of step that a node is, and its settings; the numbers that it reads are settings,
    too.
    """
    kind = KINDS.get(node.op, node.op)
    own = dict(node.own)
    if isinstance(own.get("over"), tuple):  # of a sum, which has no order; of a norm it is a word
        own["over"] = tuple(sorted(own["over"]))
    if node.op == "rearrange":
        return _movement(own)
    if node.op in ("multiply number", "add number"):
        return kind, {"other": own["number"]}
    if "kernel" in own:
        own |= {key: _short(own[key]) for key in ("stride", "dilation") if key in own}
        own["padding"] = _padding(own["padding"])
    if node.op == "pad":
        own = {"what": f"pad {_sides(own['padding'])}", **own}
    if node.op in ("conv", "transposed conv", "linear"):
        own = _channels(graph, node, own)
    values = [graph.nodes[read] for read in node.reads if graph.nodes[read].op == "constant"]
    for i, value in enumerate(values):
        own[f"constant {i + 1}"] = value.own.get("value", value.own.get("content"))
    return kind, own


def _movement(own: dict[str, object]) -> tuple[str, dict[str, object]]:
    what = str(own["what"])
    if groups := SHUFFLE.match(what):
        return "channel shuffle", {"groups": int(groups[1])}
    return "rearrange", own if any(word in what for word in VAGUE) else {"what": what}


def _channels(graph: Graph, node: Node, own: dict[str, object]) -> dict[str, object]:
    width = (graph.nodes[node.reads[0]].output or (1,))[0]
    channels = {"channels": (node.output or (1,))[0]}
    if "groups" in own:
        depthwise = own["groups"] == width != 1
        channels["groups"] = "depthwise" if depthwise else own["groups"]
    before = {key: value for key, value in own.items() if key not in ("groups", "bias")}
    return before | channels | {"bias": own["bias"]}


def _short(values: tuple) -> tuple:
    """(2, 2) -> (2,): the same on all axes."""
    return values[:1] if len(set(values)) == 1 else values


def _padding(pairs: tuple[tuple[int, int], ...]) -> object:
    """((1, 1), (1, 1)) -> (1,); in words where the two sides of an axis differ."""
    if all(before == after for before, after in pairs):
        return _short(tuple(before for before, _ in pairs))
    return _sides(pairs)


def _sides(pairs: tuple[tuple[int, int], ...]) -> str:
    """ "right 1 bottom 1" """
    names = [("channels before", "channels after")] * (len(pairs) - 2) + list(SIDES)
    sides = [
        f"{name} {count}"
        for axis, pair in zip(names[-len(pairs) :], pairs, strict=True)
        for name, count in zip(axis, pair, strict=True)
        if count
    ]
    return " ".join(sides)
