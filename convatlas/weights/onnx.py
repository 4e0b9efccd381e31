"""The weights in an ONNX network (onnx/onnx.proto): its initialisers, and constants that stand in
for them. Nothing of ONNX is needed to read them.

PyTorch's exporters leave its own names, so that the tables for PyTorch's checkpoints read them.
Files that Caffe2 made of Caffe's have its layers' names, with an ending.
"""

import math
import mmap
import re
from dataclasses import dataclass, field
from typing import BinaryIO

from convatlas.errors import WeightsError
from convatlas.weights.caffemodels import refuse_caffenet
from convatlas.weights.pickles import DAMAGED, KNOWN_FORMATS
from convatlas.weights.protobuf import Message, Run, Scattered, integers, runs
from convatlas.weights.stored import SIZES, Stored, dense, natural, proved

BEGINNING = b"\x08"  # the version, which TensorFlow's saved models begin with too
GRAPH = 7  # fields of the model
NODE, INITIALISER, SPARSE = 1, 5, 15  # of the graph
INPUT, OUTPUT, KIND, ATTRIBUTE = 1, 2, 4, 5  # of a node
LABEL, INTEGER, TENSOR = 1, 3, 5  # of an attribute
SHAPE, TYPE, NAME, RAW, EXTERNAL, LOCATION = 1, 2, 8, 9, 13, 14  # of a tensor
FLOATS = {1: "float32", 10: "float16", 11: "float64", 16: "bfloat16"}
TYPED = {"float32": 4, "float64": 10}  # fields of a tensor that hold one kind of number
QUANTISED = {"ConvInteger", "DequantizeLinear", "MatMulInteger", "QLinearConv", "QLinearMatMul"}
NUMBERED = re.compile(r"(?:onnx::\w+_)?\d+")
CAFFE2 = re.compile(r"(.+)_([wb])_0")
PARTS = {"w": "weight", "b": "bias"}


@dataclass
class Node:
    kind: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    integers: dict[str, int] = field(default_factory=dict)
    tensors: dict[str, Message] = field(default_factory=dict)


@dataclass
class Held:
    """The tensors of a graph, and where their numbers stand."""

    stored: dict[str, Stored] = field(default_factory=dict)
    places: dict[str, tuple[Run, ...]] = field(default_factory=dict)

    def add(self, message: Message, name: str = "") -> None:
        """A tensor, by its own name if none is given. Those of whole numbers and single ones are
        left out: they tell a layer its sizes.
        """
        found: dict[int, list] = {}
        for number, value in message.fields():
            found.setdefault(number, []).append(value)
        name = name or "".join(value.text() for value in found.get(NAME, ()))
        dtype = FLOATS.get(found.get(TYPE, [0])[-1], "")
        shape = tuple(map(natural, integers(found.get(SHAPE, ()))))
        if not dtype or not shape:
            return
        if name in self.stored:
            raise WeightsError(f"holds {name!a:.100} twice; {DAMAGED}")
        self.stored[name] = dense(name, dtype, shape)
        self.places[name] = _places(name, dtype, math.prod(shape), found)


def open_onnx(file: BinaryIO) -> Scattered:
    """The weights of a network, by their names in its graph."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
        graphs = [value for number, value in Message(buffer).fields() if number == GRAPH]
        if len(graphs) != 1 or not isinstance(graphs[0], Message):
            raise WeightsError(f"is a TensorFlow graph, or no network of ONNX; {KNOWN_FORMATS}")
        nodes, held = _read(graphs[0])
    for node in nodes:
        _apply(node, held.stored)
    names = _as_caffes(held.stored)
    _refuse_others(nodes, names)
    return Scattered(file, names, held.places)


def _read(graph: Message) -> tuple[list[Node], Held]:
    nodes, held = [], Held()
    for number, value in graph.fields():
        if number == SPARSE:
            raise WeightsError(f"holds sparse weights; {KNOWN_FORMATS}")
        if number == NODE and isinstance(value, Message):
            nodes.append(_node(value))
        elif number == INITIALISER and isinstance(value, Message):
            held.add(value)
    for node in nodes:
        if node.kind == "Constant" and "value" in node.tensors and node.outputs:
            held.add(node.tensors["value"], node.outputs[0])
    return nodes, held


def _node(message: Message) -> Node:
    node = Node()
    for number, value in message.fields():
        if not isinstance(value, Message):
            continue
        if number == INPUT:
            node.inputs.append(value.text())
        elif number == OUTPUT:
            node.outputs.append(value.text())
        elif number == KIND:
            node.kind = value.text()
        elif number == ATTRIBUTE:
            found = dict(value.fields())
            label = found[LABEL].text()
            node.integers[label] = found.get(INTEGER, 0)
            if isinstance(found.get(TENSOR), Message):
                node.tensors[label] = found[TENSOR]
    return node


def _places(name: str, dtype: str, count: int, found: dict[int, list]) -> tuple[Run, ...]:
    """Where so many numbers of a tensor with these fields stand."""
    if EXTERNAL in found or found.get(LOCATION, [0])[-1]:
        raise WeightsError(
            f'keeps {name!a:.100} in another file; make it one: python -c "import onnx; '
            "onnx.save(onnx.load('FILE'), 'whole.onnx')\""
        )
    number = RAW if RAW in found else TYPED.get(dtype)
    if number is None:
        raise WeightsError(f"holds {name!a:.100} as {dtype} in an odd form; write it as float32")
    places = runs(found.get(number, ()), SIZES[dtype])
    there = sum(run.count for run in places)
    if there != count:
        raise ValueError(f"{name!a:.60} has {there:,} numbers, not {count:,}")
    return places


def _apply(node: Node, stored: dict[str, Stored]) -> None:
    """What a node makes of weights before a layer reads them: another name for equal ones, or a
    matrix that stands input by output.
    """
    weight = node.inputs[1] if len(node.inputs) > 1 else ""
    if node.kind == "Identity" and node.outputs and node.inputs[0] in stored:
        stored[node.outputs[0]] = stored[node.inputs[0]]
    elif weight not in stored or len(stored[weight].shape) != 2:
        return
    elif node.kind == "MatMul" or (node.kind == "Gemm" and not node.integers.get("transB")):
        part = stored[weight]
        rows, columns = part.shape
        stored[weight] = proved(part.storage, part.dtype, 0, (columns, rows), (1, columns))


def _as_caffes(stored: dict[str, Stored]) -> dict[str, Stored]:
    """Caffe's names, where all are Caffe2's of them."""
    found = {name: CAFFE2.fullmatch(name) for name in stored}
    if not all(found.values()):
        return stored
    return {f"{match[1]}.{PARTS[match[2]]}": stored[name] for name, match in found.items()}


def _refuse_others(nodes: list[Node], names: dict[str, Stored]) -> None:
    """Raises WeightsError for weights that no table could read, saying why."""
    if any(node.kind in QUANTISED for node in nodes):
        raise WeightsError("is quantised; give the network in floating point that it was made from")
    if not names:
        raise WeightsError(f"holds no weights; {KNOWN_FORMATS}")
    if numbered := [name for name in names if NUMBERED.fullmatch(name)]:
        raise WeightsError(
            f"holds weights under numbers ({numbered[0]!a:.40}), as exporters do that fold norms "
            "into convolutions, which cannot be undone; give the checkpoint that it was made from, "
            "or export that anew with torch.onnx.export(..., dynamo=True, optimize=False)"
        )
    pools = {name for node in nodes if node.kind == "MaxPool" for name in node.outputs}
    refuse_caffenet(
        "fc6.weight" in names
        and any(node.kind == "LRN" and pools.intersection(node.inputs) for node in nodes)
    )
