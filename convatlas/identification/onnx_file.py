"""The graph in an ONNX file (onnx/onnx.proto), read as data: nodes, their settings, the shapes of
its weights and the content of its small constants. Nothing of ONNX is needed for it, and no other
file is opened: of weights that stand in one, shapes are all that a graph needs.
"""

import mmap
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from convatlas.errors import IdentifyError, WeightsError
from convatlas.regular_file import open_regular
from convatlas.weights.protobuf import Message, Run, integers, varint

Setting = int | float | str | np.ndarray | tuple
GRAPH, OPSETS = 7, 8  # fields of the model
NODE, INITIALISER, SPARSE, INPUT, OUTPUT = 1, 5, 15, 11, 12  # of the graph
READS, WRITES, NAME, KIND, ATTRIBUTE, DOMAIN = 1, 2, 3, 4, 5, 7  # of a node
LABEL, FLOAT, INTEGER, TEXT, TENSOR, SUBGRAPH, FLOATS, INTEGERS, TEXTS = 1, 2, 3, 4, 5, 6, 7, 8, 9
DIMS, TYPE, FLOAT_DATA, INT32_DATA, INT64_DATA, TENSOR_NAME, RAW = 1, 2, 4, 5, 7, 8, 9
DOUBLE_DATA, LOCATION = 10, 14
TYPES = {
    **{1: "<f4", 2: "u1", 3: "i1", 4: "<u2", 5: "<i2", 6: "<i4", 7: "<i8", 9: "?"},
    **{10: "<f2", 11: "<f8", 12: "<u4", 13: "<u8"},
}
BFLOAT16 = 16
FLOATING = {1, 10, 11, BFLOAT16}
MOST_CONTENT = 100_000  # numbers of a constant that are read
OURS = ("", "ai.onnx")
SHORT = 6  # digits of a number that somebody has typed
LEAST = 1e-4  # of the numbers that may be one over a whole one


@dataclass(frozen=True)
class Constant:
    """A tensor of the file. `content` is None for what is large, or stands in another file."""

    name: str
    shape: tuple[int, ...]
    floating: bool
    content: np.ndarray | None


@dataclass
class Operation:
    kind: str = ""
    name: str = ""
    reads: list[str] = field(default_factory=list)  # "" for an input that is left out
    writes: list[str] = field(default_factory=list)
    settings: dict[str, Setting | Constant] = field(default_factory=dict)


@dataclass
class File:
    operations: list[Operation] = field(default_factory=list)
    constants: dict[str, Constant] = field(default_factory=dict)
    inputs: dict[str, tuple[int, ...]] = field(default_factory=dict)  # 0: any number
    outputs: list[str] = field(default_factory=list)
    opset: int = 1


def read(path: str | Path) -> File:
    """The network in it. Raises IdentifyError for a file that is missing, damaged or no network."""
    shown = str(path)
    try:
        with (
            open_regular(Path(path)) as (file, size),
            mmap.mmap(file.fileno(), _some(size), access=mmap.ACCESS_READ) as buffer,
        ):
            return _model(buffer)
    except OSError as error:
        raise IdentifyError(f"cannot read {shown} ({error.strerror}); check the path") from None
    except WeightsError as error:
        raise IdentifyError(f"{shown} {error}") from None
    except (ValueError, TypeError, AttributeError, KeyError, struct.error) as error:
        if isinstance(error, IdentifyError):
            raise
        raise IdentifyError(f"{shown} is no ONNX file, or damaged; export it again") from None


def _some(size: int) -> int:
    if not size:
        raise WeightsError("is empty; export it again")
    return size


def _model(buffer: mmap.mmap) -> File:
    file = File()
    graphs = []
    for number, value in Message(buffer).fields():
        if number == GRAPH:
            graphs.append(value)
        elif number == OPSETS:
            found = dict(value.fields())
            if 1 not in found or found[1].text() in OURS:
                file.opset = found.get(2, 1)
    if len(graphs) != 1:
        raise ValueError("no graph")
    for number, value in graphs[0].fields():
        if number == NODE:
            file.operations.append(_operation(value, buffer))
        elif number == INITIALISER:
            constant = _constant(value, buffer)
            file.constants[constant.name] = constant
        elif number == INPUT:
            name, shape = _input(value)
            file.inputs[name] = shape
        elif number == OUTPUT:
            file.outputs.append(_input(value)[0])
        elif number == SPARSE:
            raise WeightsError("holds sparse weights, which are not read; export it densely")
    for name in file.constants:  # old files list their weights among the inputs
        file.inputs.pop(name, None)
    if not file.operations or not file.outputs:
        raise ValueError("no operations")
    return file


def _operation(message: Message, buffer: mmap.mmap) -> Operation:
    node = Operation()
    for number, value in message.fields():
        if number == READS:
            node.reads.append(value.text())
        elif number == WRITES:
            node.writes.append(value.text())
        elif number == NAME:
            node.name = value.text()
        elif number == KIND:
            node.kind = value.text() + node.kind
        elif number == DOMAIN and value.text() not in OURS:
            node.kind += f" of {value.text()}"
        elif number == ATTRIBUTE:
            label, setting = _setting(value, buffer)
            node.settings[label] = setting
    return node


def _setting(message: Message, buffer: mmap.mmap) -> tuple[str, Setting | Constant | None]:
    label, found = "", None
    several: list = []
    for number, value in message.fields():
        if number == LABEL:
            label = value.text()
        elif number == FLOAT:
            found = meant(struct.unpack_from("<f", buffer, value.place)[0])
        elif number == INTEGER:
            found = _signed(value)
        elif number == TEXT:
            found = buffer[value.begin : value.end].decode()
        elif number == TENSOR:
            found = _constant(value, buffer)
        elif number == INTEGERS:
            several += _whole([value])
        elif number == FLOATS:
            several += map(meant, _numbers([value], "<f4", buffer).tolist())
        elif number == TEXTS:
            several.append(value.text())
        elif number == SUBGRAPH:
            found = "a graph"
    return label, tuple(several) if several or found is None else found


def meant(number: float) -> float:
    """The number that a program wrote in single precision: 0.0005 for 0.0005000000237, a sixth for
    0.1666666716.
    """
    short = str(np.float32(number))
    whole = round(1 / number) if number and abs(number) > LEAST else 0
    if len(short.strip("-0.")) > SHORT and whole and np.float32(1 / whole) == np.float32(number):
        return 1 / whole
    return float(short)


def _constant(message: Message, buffer: mmap.mmap) -> Constant:
    found: dict[int, list] = {}
    for number, value in message.fields():
        found.setdefault(number, []).append(value)
    kind = found.get(TYPE, [0])[-1]
    shape = integers(found.get(DIMS, ()))
    count = int(np.prod(shape, dtype=object))
    content = None
    if count <= MOST_CONTENT and kind in TYPES and not found.get(LOCATION, [0])[-1]:
        content = _content(found, TYPES[kind], buffer)
        if content.size != count:
            raise ValueError("cut short")
        content = content.reshape(shape)
    name = found[TENSOR_NAME][-1].text() if TENSOR_NAME in found else ""
    return Constant(name, shape, kind in FLOATING, content)


def _content(found: dict[int, list], dtype: str, buffer: mmap.mmap) -> np.ndarray:
    if RAW in found:
        whole = b"".join(buffer[each.begin : each.end] for each in found[RAW])
        return np.frombuffer(whole, dtype)
    if FLOAT_DATA in found:
        return _numbers(found[FLOAT_DATA], "<f4", buffer)
    if DOUBLE_DATA in found:
        return _numbers(found[DOUBLE_DATA], "<f8", buffer)
    return np.array(_whole([*found.get(INT32_DATA, ()), *found.get(INT64_DATA, ())]), dtype)


def _numbers(values: list, dtype: str, buffer: mmap.mmap) -> np.ndarray:
    """Those of packed fields and of single ones."""
    parts = []
    for value in values:
        if isinstance(value, Run):
            width = value.width
            begins = range(value.place, value.place + value.count * value.step, value.step)
            parts += [buffer[begin : begin + width] for begin in begins[: MOST_CONTENT + 1]]
        else:
            parts.append(buffer[value.begin : value.end])
    return np.frombuffer(b"".join(parts), dtype)


def _whole(values: list) -> list[int]:
    found = []
    for value in values:
        if isinstance(value, int):
            found.append(_signed(value))
            continue
        at = value.begin
        while at < value.end and len(found) <= MOST_CONTENT:
            number, at = varint(value.buffer, at, value.end)
            found.append(_signed(number))
    return found


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def _input(message: Message) -> tuple[str, tuple[int, ...]]:
    """Its name and shape; a dimension of any size is 0."""
    name, shape = "", []
    for number, value in message.fields():
        if number == 1:
            name = value.text()
        elif number == 2:
            tensor = dict(value.fields()).get(1)
            sides = dict(tensor.fields()).get(2) if tensor is not None else None
            for _, side in sides.fields() if sides is not None else ():
                given = dict(side.fields()).get(1, 0)
                shape.append(given if isinstance(given, int) and given < 2**31 else 0)
    return name, tuple(shape)
