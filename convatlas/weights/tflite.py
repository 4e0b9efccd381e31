"""TensorFlow Lite's models (.tflite) as the weights of their layers, in the order of running.

What a layer of the file does besides, its activation and a border that is not TensorFlow's SAME, is
a part of the name: a network with ReLUs is another than one with ReLU6s. Names in the file are the
converter's and are not read.
Schema: tensorflow/compiler/mlir/lite/schema/schema.fbs.
"""

import math
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from convatlas.errors import WeightsError
from convatlas.weights.archives import Archive
from convatlas.weights.flatbuffers import Table
from convatlas.weights.pickles import DAMAGED
from convatlas.weights.stored import DIMENSIONS, SIZES, Stored, dense

IDENTIFIER = b"TFL3"  # behind the first four bytes
MANY = 20_000  # operators, tensors; MobileNetV3's models have 200
DTYPES = {0: "float32", 1: "float16"}
INTEGERS = {3: "uint8", 7: "int16", 9: "int8", 17: "int4", 19: "int2", 20: "uint4"}
ACTIVATIONS = {0: "", 1: "_relu", 3: "_relu6"}
DEQUANTIZE, PADS = 6, (34, 60)
INPUT, FILTER, BIAS = range(3)  # what a layer reads
OTHER = 127  # in the old field, where the code stands in the new one


class Layer(NamedTuple):
    """An operator with weights."""

    kind: str
    activation: int  # the number of this field in its options


LINEAR = "fully_connected"
LAYERS = {3: Layer("conv2d", 3), 4: Layer("depthwise_conv2d", 4), 9: Layer(LINEAR, 0)}
SAME = 0  # of the two paddings
ADDED = struct.Struct("<8i")  # to both sides of four dimensions


def open_tflite(file: BinaryIO, size: int) -> Archive:
    """The filters and biases of the first graph's layers."""
    file.seek(0)
    model = Model(Table.root(file.read(size)))
    held: dict[str, Stored] = {}
    places: dict[str, tuple[int, None]] = {}
    for name, tensor in model.weights():
        begin, held[name] = model.stored(name, tensor)
        places[name] = begin, None
    return Archive(file, held, places)


class Model:
    """The tables of a model that lead to its weights."""

    def __init__(self, root: Table):
        self._buffer = root.buffer
        graphs = root.tables(2)
        if not graphs:
            raise WeightsError(f"holds no graph; {DAMAGED}")
        self._codes = [_code(table) for table in _few(root.tables(1))]
        self._buffers = _few(root.tables(4))
        self._tensors = _few(graphs[0].tables(0))
        self._operators = _few(graphs[0].tables(3))
        self._halves = self._read_by((DEQUANTIZE,))
        self._pads = self._read_by(PADS)

    def weights(self) -> Iterator[tuple[str, Table]]:
        count = 0
        for operator in self._operators:
            layer = LAYERS.get(self._code(operator))
            if layer is None:
                continue
            read = operator.numbers(1, BIAS + 1)
            weights = self._weight(read[FILTER])
            options = operator.table(4)
            if options is None:
                raise ValueError("a layer without its options")
            name = f"{layer.kind}_{count}{_activation(options, layer)}"
            if layer.kind != LINEAR:
                name += self._border(options, read[INPUT], weights.numbers(0, DIMENSIONS))
            count += 1
            yield f"{name}/filter", weights
            if len(read) > BIAS and read[BIAS] >= 0:
                yield f"{name}/bias", self._weight(read[BIAS])

    def stored(self, name: str, tensor: Table) -> tuple[int, Stored]:
        """Where a tensor's numbers begin in the file, and what it is."""
        kind = tensor.number(1, "<b")
        if kind in INTEGERS:
            raise WeightsError(
                f"holds {name} as {INTEGERS[kind]}: a quantised network, which answers otherwise "
                "than one of floating point; convert it again without optimizations"
            )
        if kind not in DTYPES:
            raise WeightsError(f"holds {name} as numbers of another kind; {DAMAGED}")
        shape = tensor.numbers(0, DIMENSIONS + 1)
        begin, length = self._content(tensor)
        dtype = DTYPES[kind]
        stored = dense(name, dtype, shape)
        if not begin or math.prod(shape) * SIZES[dtype] != length:
            raise WeightsError(f"holds {name}, {shape}, in {length:,} bytes; {DAMAGED}")
        return begin, stored

    def _border(self, options: Table, read: int, shape: tuple[int, ...]) -> str:
        """How many rows and columns are added round a map, "" for as many as SAME adds. Where Keras
        has a layer for it, so has the file.
        """
        if options.number(0, "<b") == SAME:
            return ""
        pad = self._pads.get(read)
        sizes = self._tensor(pad[INPUT] if pad else read).numbers(0, DIMENSIONS)
        added = self._added(pad[1]) if pad else (0, 0, 0, 0)
        strides = options.number(2, "<i", 1), options.number(1, "<i", 1)
        windows = [*zip(sizes[1:3], shape[1:3], strides, strict=True)]
        even = [_same(2 * k * s, k, s) for _, k, s in windows]
        if added in ((*even[0], *even[1]), tuple(n for w in windows for n in _same(*w))):
            return ""
        return f"_padded_{'_'.join(map(str, added))}"

    def _added(self, number: int) -> tuple[int, ...]:
        """Top, bottom, left, right of a list of what is added to each of four dimensions."""
        begin, length = self._content(self._tensor(number))
        if length != ADDED.size:
            raise ValueError("a border of another form")
        return ADDED.unpack_from(self._buffer, begin)[2:6]

    def _content(self, tensor: Table) -> tuple[int, int]:
        return self._buffers[tensor.number(2, "<I")].bytes_at(0)

    def _read_by(self, codes: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
        """What each operator of these kinds reads, by what it writes."""
        return {
            operator.numbers(2, 1)[0]: operator.numbers(1, 2)
            for operator in self._operators
            if self._code(operator) in codes
        }

    def _code(self, operator: Table) -> int:
        return self._codes[operator.number(0, "<I")]

    def _weight(self, number: int) -> Table:
        """A tensor, in half precision where it is written so and read in full."""
        return self._tensor(self._halves.get(number, (number,))[0])

    def _tensor(self, number: int) -> Table:
        if not 0 <= number < len(self._tensors):
            raise ValueError("a tensor that is not there")
        return self._tensors[number]


def _same(n: int, k: int, s: int) -> tuple[int, int]:
    """What TensorFlow's SAME adds on both sides of n for a kernel k at stride s."""
    if s < 1:
        raise ValueError("a stride that is none")
    added = max((n - 1) // s * s + k - n, 0)
    return added // 2, added - added // 2


def _few(tables: list[Table]) -> list[Table]:
    if len(tables) > MANY:
        raise WeightsError(f"lists {len(tables):,} parts of one kind; {DAMAGED}")
    return tables


def _code(table: Table) -> int:
    """What kind of operator this is, from the field that holds it."""
    old = table.number(0, "<b")
    return table.number(3, "<i") if old == OTHER or not old else old


def _activation(options: Table, layer: Layer) -> str:
    number = options.number(layer.activation, "<b")
    return ACTIVATIONS.get(number, f"_activation{number}")
