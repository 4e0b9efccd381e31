"""ONNX files written by hand, field by field, so that nothing of ONNX is needed to test them."""

import struct
from pathlib import Path

FLOAT, LONG = 1, 7  # TensorProto.DataType


def varint(value: int) -> bytes:
    value %= 2**64
    low = [value >> shift & 127 for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([*(byte | 128 for byte in low[:-1]), low[-1]])


def field(number: int, value: int | float | bytes | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name: str, shape: tuple[int, ...], content: bytes | None = None, kind=FLOAT) -> bytes:
    """A TensorProto; of zeros where no content is given."""
    count = 1
    for side in shape:
        count *= side
    raw = bytes(count * (4 if kind == FLOAT else 8)) if content is None else content
    sizes = b"".join(field(1, side) for side in shape)
    return sizes + field(2, kind) + field(8, name) + field(9, raw)


def whole(name: str, *values: int) -> bytes:
    """A tensor of whole numbers."""
    return tensor(name, (len(values),), struct.pack(f"<{len(values)}q", *values), LONG)


def setting(name: str, value) -> bytes:
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, 2)
    if isinstance(value, float):
        return field(1, name) + field(2, value) + field(20, 1)
    if isinstance(value, str):
        return field(1, name) + field(4, value) + field(20, 3)
    if isinstance(value, bytes):
        return field(1, name) + field(5, value) + field(20, 4)
    return field(1, name) + field(8, b"".join(map(varint, value))) + field(20, 7)


def node(kind: str, reads: str, writes: str, domain: str = "", **settings) -> bytes:
    return field(
        1,
        b"".join(field(1, name) for name in reads.split())
        + b"".join(field(2, name) for name in writes.split())
        + field(3, f"/{writes}/{kind}")
        + field(4, kind)
        + b"".join(field(5, setting(name, value)) for name, value in settings.items())
        + (field(7, domain) if domain else b""),
    )


def value(name: str, *shape: int | str) -> bytes:
    sides = b"".join(
        field(1, field(1, side) if isinstance(side, int) else field(2, side)) for side in shape
    )
    return field(1, name) + field(2, field(1, field(1, FLOAT) + field(2, sides)))


def model(nodes: bytes, held: list[bytes], size=("batch", 3, 32, 32), inputs=("image",)) -> bytes:
    graph = (
        nodes
        + b"".join(field(5, one) for one in held)
        + b"".join(field(11, value(name, *size)) for name in inputs)
        + field(12, value("answer", "batch", 10))
    )
    return field(1, 8) + field(7, graph) + field(8, field(2, 17))


def written(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


LENET = (
    node("Conv", "image c1.weight c1.bias", "a", kernel_shape=(5, 5), pads=(2, 2, 2, 2))
    + node("Sigmoid", "a", "b")
    + node("AveragePool", "b", "c", kernel_shape=(2, 2), strides=(2, 2))
    + node("Conv", "c c2.weight c2.bias", "d", kernel_shape=(5, 5))
    + node("Sigmoid", "d", "e")
    + node("AveragePool", "e", "f", kernel_shape=(2, 2), strides=(2, 2))
    + node("Reshape", "f shape", "g")
    + node("Gemm", "g f1.weight f1.bias", "h", transB=1)
    + node("Sigmoid", "h", "i")
    + node("MatMul", "i f2.weight", "j")
    + node("Add", "j f2.bias", "k")
    + node("Sigmoid", "k", "l")
    + node("Gemm", "l f3.weight f3.bias", "answer")
)
LENET_HELD = [
    *(tensor("c1.weight", (6, 1, 5, 5)), tensor("c1.bias", (6,))),
    *(tensor("c2.weight", (16, 6, 5, 5)), tensor("c2.bias", (16,))),
    *(tensor("f1.weight", (120, 400)), tensor("f1.bias", (120,))),
    *(tensor("f2.weight", (120, 84)), tensor("f2.bias", (84,))),  # input by output
    *(tensor("f3.weight", (84, 10)), tensor("f3.bias", (10,))),
    whole("shape", 1, -1),
]
