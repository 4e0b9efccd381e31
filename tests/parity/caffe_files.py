"""Writes what Caffe writes, field by field from its caffe.proto: nothing of convatlas is
imported.
"""

import struct
from collections.abc import Sequence

import torch
from torch import Tensor

# V1LayerParameter.LayerType
OLD_KINDS = {"Convolution": 4, "InnerProduct": 14, "LRN": 15, "Pooling": 17, "ReLU": 18}
Layer = tuple[str, str, str, Sequence[Tensor]]  # name, type, bottom, blobs


def varint(value: int) -> bytes:
    low = [value >> shift & 127 for shift in range(0, max(value.bit_length(), 1), 7)]
    return bytes([*(byte | 128 for byte in low[:-1]), low[-1]])


def field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def numbers(tensor: Tensor, form: str) -> bytes:
    """Field 5 of floats, or 8 of doubles: packed, packed in two pieces, or one by one."""
    if tensor.dtype == torch.float64:
        return field(8, tensor.contiguous().numpy().astype("<f8").tobytes())
    raw = tensor.contiguous().numpy().astype("<f4").tobytes()
    if form == "pieces":
        half = len(raw) // 8 * 4
        return field(5, raw[:half]) + field(5, raw[half:])
    if form == "one by one":
        return b"".join(b"\x2d" + raw[i : i + 4] for i in range(0, len(raw), 4))
    return field(5, raw)


def blob(tensor: Tensor, form: str = "packed", four: bool = False) -> bytes:
    """A BlobProto, with a shape or with num, channels, height and width."""
    if four:
        sizes = (*(1,) * (4 - tensor.dim()), *tensor.shape)
        return b"".join(field(i, n) for i, n in enumerate(sizes, start=1)) + numbers(tensor, form)
    dims = b"".join(varint(size) for size in tensor.shape)
    return numbers(tensor, form) + field(7, field(1, dims))


def new(layers: Sequence[Layer], form: str = "packed", name: str = "Net") -> bytes:
    """Layers as since October 2014, each with a parameter of its own that no reader needs."""
    return field(1, name) + b"".join(
        field(
            100,
            field(1, called)
            + field(2, kind)
            + (field(3, bottom) if bottom else b"")
            + field(4, called)
            + b"".join(field(7, blob(part, form)) for part in blobs)
            + field(10, 1)
            + field(106, field(1, 20) + b"\x3d" + struct.pack("<f", 0.5)),
        )
        for called, kind, bottom, blobs in layers
    )


def old(layers: Sequence[Layer], form: str = "packed", name: str = "Net") -> bytes:
    """Layers as before, with numbers for their types and four sizes for everything."""
    return (
        field(1, name)
        + b"".join(
            field(
                2,
                (field(2, bottom) if bottom else b"")
                + field(3, called)
                + field(4, called)
                + field(5, OLD_KINDS[kind])
                + b"".join(field(6, blob(part, form, four=True)) for part in blobs)
                + b"\x3d\0\0\x80\x3f",
            )
            for called, kind, bottom, blobs in layers
        )
        + field(3, "data")
        + field(4, 10)
    )
