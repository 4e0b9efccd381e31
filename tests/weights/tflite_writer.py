"""TensorFlow Lite's models, byte by byte (schema.fbs): nothing of the reader is imported."""

import struct
from collections.abc import Callable

import numpy as np

FLOAT32, FLOAT16, INT32, INT8 = 0, 1, 2, 9
CONV, DEPTHWISE, DEQUANTIZE, FULLY, PAD = 3, 4, 6, 9, 34
SAME, VALID = 0, 1
RELU, RELU6 = 1, 3
DTYPES = {np.dtype("<f4"): FLOAT32, np.dtype("<f2"): FLOAT16, np.dtype("<i4"): INT32}
DTYPES[np.dtype("i1")] = INT8
Part = Callable[[bytearray], int]  # writes itself at the end, and says where it begins


def number(kind: str, value: int) -> bytes:
    return struct.pack(kind, value)


def table(fields: dict[int, bytes | Part]) -> Part:
    """Its fields are numbers, or parts that follow it."""

    def write(out: bytearray) -> int:
        out += bytes(-len(out) % 4)
        count = max(fields, default=-1) + 1
        offsets, size = [0] * count, 4
        for field in sorted(fields):
            offsets[field] = size
            size += 4
        begin = len(out) + (4 + 2 * count + 3) // 4 * 4
        vtable = struct.pack(f"<HH{count}H", 4 + 2 * count, size, *offsets)
        out += vtable.ljust(begin - len(out), b"\0")
        out += struct.pack("<i", len(vtable.ljust((4 + 2 * count + 3) // 4 * 4, b"\0")))
        for field in sorted(fields):
            out += fields[field].ljust(4, b"\0") if isinstance(fields[field], bytes) else bytes(4)
        for field, part in fields.items():
            if not isinstance(part, bytes):
                place = begin + offsets[field]
                struct.pack_into("<I", out, place, part(out) - place)
        return begin

    return write


def several(parts: list[Part]) -> Part:
    def write(out: bytearray) -> int:
        begin = len(out)
        out += struct.pack("<I", len(parts)) + bytes(4 * len(parts))
        for i, part in enumerate(parts):
            place = begin + 4 + 4 * i
            struct.pack_into("<I", out, place, part(out) - place)
        return begin

    return write


def numbers(values: list[int]) -> Part:
    return raw(struct.pack(f"<{len(values)}i", *values), len(values))


def raw(content: bytes, count: int | None = None) -> Part:
    def write(out: bytearray) -> int:
        out += bytes(-len(out) % 4)
        begin = len(out)
        out += struct.pack("<I", len(content) if count is None else count) + content
        out += bytes(-len(out) % 4)
        return begin

    return write


class Model:
    """A graph that grows by layers; `side` is that of the map between them."""

    def __init__(self, side: int):
        self.side = side
        self.tensors: list[Part] = []
        self.buffers: list[Part] = [table({})]
        self.operators: list[Part] = []
        self.codes: list[int] = []
        self.map = self.tensor([1, side, side, 3])

    def tensor(self, shape: list[int], array: np.ndarray | None = None) -> int:
        fields = {0: numbers(shape), 1: number("<b", FLOAT32), 2: number("<I", 0)}
        if array is not None:
            fields[1] = number("<b", DTYPES[array.dtype])
            fields[2] = number("<I", len(self.buffers))
            self.buffers.append(table({0: raw(np.ascontiguousarray(array).tobytes())}))
        self.tensors.append(table(fields))
        return len(self.tensors) - 1

    def constant(self, array: np.ndarray) -> int:
        return self.tensor(list(array.shape), array)

    def weight(self, array: np.ndarray, half: bool) -> int:
        """With `half`, written in half precision and read in full."""
        if not half:
            return self.constant(array)
        return self.run(DEQUANTIZE, [self.constant(array.astype("<f2"))], list(array.shape))

    def run(self, code: int, read: list[int], shape: list[int], options: Part | None = None) -> int:
        if code not in self.codes:
            self.codes.append(code)
        written = self.tensor(shape)
        fields = {0: number("<I", self.codes.index(code)), 1: numbers(read), 2: numbers([written])}
        if options:
            fields |= {3: number("<B", 1), 4: options}
        self.operators.append(table(fields))
        return written

    def pad(self, added: tuple[int, int, int, int]) -> None:
        sizes = self.constant(np.array([0, 0, *added, 0, 0], "<i4").reshape(4, 2))
        self.map = self.run(PAD, [self.map, sizes], [1, self.side, self.side, 1])

    def layer(
        self,
        code: int,
        filters: np.ndarray,
        bias: np.ndarray,
        stride: int = 1,
        activation: int = 0,
        padding: int = SAME,
        half: bool = False,
    ) -> None:
        read = [self.map, self.weight(filters, half), self.weight(bias, half)]
        if code == FULLY:
            options = table({0: number("<b", activation)})
        else:
            place = 3 if code == CONV else 4
            options = table(
                {
                    0: number("<b", padding),
                    1: number("<i", stride),
                    2: number("<i", stride),
                    place: number("<b", activation),
                }
            )
        self.side = -(-self.side // stride)
        self.map = self.run(code, read, [1, self.side, self.side, len(bias)], options)

    def content(self) -> bytes:
        graph = table({0: several(self.tensors), 3: several(self.operators)})
        codes = several(
            [table({0: number("<b", code), 3: number("<i", code)}) for code in self.codes]
        )
        model = table({0: number("<I", 3), 1: codes, 2: several([graph]), 4: several(self.buffers)})
        out = bytearray(b"\0\0\0\0TFL3")
        struct.pack_into("<I", out, 0, model(out))
        return bytes(out)
