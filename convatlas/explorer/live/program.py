"""A network as a short program for the page's interpreter: its operations in order, each with its
settings, what it reads, and the names of its weights.

    {"format": 1, "network": "lenet5", "input": [1, 32, 32],
     "ops": [{"op": "conv", "name": "C1.layer", "reads": [0], "output": [6, 28, 28],
              "weight": "C1.layer.weight", "bias": "C1.layer.bias", "stride": [1, 1], ...}, ...],
     "stages": [["C1", 2], ["S2", 4], ...],
     "cam": {"maps": 6, "weight": "fc.weight", "bias": "fc.bias"}}

Value 0 is the input, value i what operation i - 1 makes; shapes are without the batch. "stages"
names the value that each stage of the network ends in. "cam" is there where the class activation
map is an identity: the scores are means over the maps, times one matrix (null where the maps are
the classes' own) plus a bias.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.fx import Node

from convatlas.errors import Error
from convatlas.explorer.live import leaves, operations, shuffles

FORMAT = 1
NOTHING = {"clone", "dropout", "alias", "contiguous", "detach", "lift_fresh_copy"}


@dataclass
class Program:
    """What is written, while it is written."""

    net: nn.Module
    weights: dict[str, str]  # name of an exported input -> name in the state dict
    ops: list[dict] = field(default_factory=list)
    values: dict[str, int] = field(default_factory=dict)  # name of an exported node -> value

    def add(self, node: Node, name: str, op: dict, reads: list[int]) -> None:
        """Writes one operation; `node` is from now on its value."""
        shape = list(node.meta["val"].shape[1:])
        words = {"op": op.pop("op"), "name": name, "reads": reads, "output": shape}
        self.ops.append(words | op)
        self.values[node.name] = len(self.ops)

    def weight(self, node: object) -> str | None:
        """The name in the state dict of a weight that a call reads; None where it reads none."""
        return self.weights.get(node.name) if isinstance(node, Node) else None


def of(net: nn.Module, size: tuple[int, int, int], name: str = "") -> dict:
    """The program of `net`, in evaluation, for one picture (channels, height, width).

    Raises Error for an operation that the page's interpreter has not, naming it and where it is.
    """
    exported = _exported(net, size)
    signature = exported.graph_signature
    made = Program(net, dict(signature.inputs_to_parameters) | dict(signature.inputs_to_buffers))
    inputs = set(signature.user_inputs)
    nodes = list(exported.graph.nodes)
    leaf_of, last = _leaf_calls(net, nodes)
    skipped = set()
    for node in nodes:
        if node.op == "placeholder" and node.name in inputs:
            made.values[node.name] = 0
        if node.op != "call_function" or node.name in skipped:
            continue
        if node.name in leaf_of:
            _add_leaf(made, node, leaf_of, last)
        elif whole := shuffles.channel_shuffle(node):
            skipped |= {part.name for part in whole.parts}
            read = made.values[node.args[0].name]
            made.add(whole.last, path_of(node), {"op": "shuffle", "groups": whole.groups}, [read])
        else:
            _add(made, node)
    return {
        "format": FORMAT,
        "network": name or getattr(net, "name", "") or type(net).__name__,
        "input": list(size),
        "ops": made.ops,
        "stages": [[stage, _end_of(stage, made.ops)] for stage in getattr(net, "stages", ())],
        "cam": cam(made.ops),
    }


def path_of(node: Node) -> str:
    """Dotted path of the innermost module that runs a call; "" is the network itself."""
    stack = list(node.meta.get("nn_module_stack", {}).values())
    return stack[-1][0] if stack else ""


def _exported(net: nn.Module, size: tuple[int, int, int]):
    example = torch.zeros(1, *size, device=next(net.parameters()).device)
    training = net.training
    try:
        return torch.export.export(net.eval(), (example,)).run_decompositions({})
    finally:
        net.train(training)


def _leaf_calls(net: nn.Module, nodes: list[Node]) -> tuple[dict[str, str], dict[str, str]]:
    """Calls inside a module that the page explains as one operation: name of the call -> path of
    the module, and path -> name of the last call, whose value is the module's.
    """
    leaf_of, last = {}, {}
    for node in nodes:
        if node.op != "call_function":
            continue
        for path, _ in node.meta.get("nn_module_stack", {}).values():
            if path and leaves.is_leaf(net.get_submodule(path)):
                leaf_of[node.name] = path
                last[path] = node.name
    return leaf_of, last


def _add_leaf(made: Program, node: Node, leaf_of: dict[str, str], last: dict[str, str]) -> None:
    path = leaf_of[node.name]
    if last[path] != node.name:
        return
    reads = sorted(_outside(node, path, leaf_of, made.values))
    made.add(node, path, leaves.written(made.net.get_submodule(path), path), reads)


def _outside(node: Node, path: str, leaf_of: dict[str, str], values: dict[str, int]) -> set[int]:
    """Values from outside a leaf that the call, or those of the leaf before it, read."""
    found, seen, rest = set(), set(), [node]
    while rest:
        for read in rest.pop().all_input_nodes:
            if read.name in seen:
                continue
            seen.add(read.name)
            if leaf_of.get(read.name) == path:
                rest.append(read)
            elif read.name in values:
                found.add(values[read.name])
    return found


def _add(made: Program, node: Node) -> None:
    kind = kind_of(node)
    tensors = [read for read in _tensors(node) if read.name in made.values]
    reads = [made.values[read.name] for read in tensors]
    if kind == "getitem":
        _add_part(made, node, reads)
    elif kind in NOTHING or (kind != "getitem" and _changes_nothing(kind, node, tensors)):
        made.values[node.name] = reads[0]
    elif kind in ("split", "split_with_sizes", "chunk") or not reads:
        made.values[node.name] = reads[0] if reads else -1  # its parts are written, not itself
    else:
        made.add(*_settled(node), operations.written(kind, node, made.weight), reads)


def _settled(node: Node) -> tuple[Node, str]:
    """A call and its module's path; of a batch norm, which answers three tensors, the first."""
    value = node.meta["val"]
    if isinstance(value, tuple | list):
        first = next(user for user in node.users if user.args[1] == 0)
        return first, path_of(node)
    return node, path_of(node)


def _add_part(made: Program, node: Node, reads: list[int]) -> None:
    """One part of a tensor that was split; of a batch norm's answer it is written already."""
    if node.name in made.values:
        return
    whole, place = node.args
    sizes = [part.shape[1] for part in whole.meta["val"]]
    axis = whole.args[2] if len(whole.args) > 2 else whole.kwargs.get("dim", 0)
    if axis != 1:
        raise operations.unknown(whole, path_of(node))
    start = sum(sizes[:place])
    op = {"op": "slice", "axis": 0, "start": start, "stop": start + sizes[place], "step": 1}
    made.add(node, path_of(node), op, [made.values[whole.name]])


def kind_of(node: Node) -> str:
    """conv2d, relu, getitem: a call's name without its overload."""
    name = getattr(node.target, "__name__", str(node.target))
    return name.split(".")[0]


def _tensors(node: Node) -> Iterator[Node]:
    """The nodes that a call reads, in order, one for each reading."""
    for given in [*node.args, *node.kwargs.values()]:
        for one in given if isinstance(given, list | tuple) else [given]:
            if isinstance(one, Node):
                yield one


def _changes_nothing(kind: str, node: Node, tensors: list[Node]) -> bool:
    """Whether a view or a slice gives back what it read."""
    if kind == "slice":
        return tensors[0].meta["val"].shape == node.meta["val"].shape
    return kind in ("view", "_unsafe_view", "reshape", "flatten", "squeeze", "unsqueeze") and (
        tensors[0].meta["val"].shape == node.meta["val"].shape
    )


def _end_of(stage: str, ops: list[dict]) -> int:
    inside = [i for i, op in enumerate(ops, 1) if f"{op['name']}.".startswith(f"{stage}.")]
    if not inside:
        raise Error(f"the stage {stage} runs no operation; take it out of the network's stages")
    return inside[-1]


def cam(ops: list[dict]) -> dict | None:
    """Where class activation maps are an identity: the maps that are averaged, and the matrix."""
    made = [None, *ops]
    last = _past(made, len(ops), {"reshape"})
    found = {"weight": None, "bias": None}
    if made[last]["op"] == "linear" or _is_linear(made[last], made):
        found = {name: made[last][name] for name in ("weight", "bias")}
        last = _past(made, made[last]["reads"][0], {"reshape"})
    if made[last] and made[last]["op"] == "mean":
        return {"maps": made[last]["reads"][0], **found}
    return None


def _past(made: list, value: int, kinds: set[str]) -> int:
    while value and made[value]["op"] in kinds:
        value = made[value]["reads"][0]
    return value


def _is_linear(op: dict, made: list) -> bool:
    """Whether a convolution reads maps of one pixel."""
    read = made[op["reads"][0]]
    return op["op"] == "conv" and read is not None and read["output"][1:] == [1, 1]
