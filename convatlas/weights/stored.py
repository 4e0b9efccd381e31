"""Tensors as a file describes them, before any memory is taken: each is proved to lie inside its
storage.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

LARGEST = 1 << 48  # of a size, a stride, an offset
DIMENSIONS = 16
DTYPES = {
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "UntypedStorage": "uint8",
    "QInt8Storage": "int8",
    "QUInt8Storage": "uint8",
    "QInt32Storage": "int32",
    "QUInt4x2Storage": "uint8",
    "QUInt2x4Storage": "uint8",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
}
SIZES = {
    **{"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2},
    **{"int64": 8, "int32": 4, "int16": 2, "int8": 1, "bool": 1},
    **{"uint64": 8, "uint32": 4, "uint16": 2, "uint8": 1},
    **{"complex64": 8, "complex128": 16},
}


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """A run of numbers in the file, or the part of it from `start`, in elements."""

    key: str
    dtype: str
    whole: int
    start: int
    elements: int


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A tensor, as the file describes it; it was proved to lie inside its storage."""

    kind: ClassVar[str] = "Tensor"
    storage: Storage
    dtype: str
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def natural(number: Any) -> int:
    if type(number) is not int or not 0 <= number < LARGEST:
        raise ValueError("a size that is none")
    return number


def part_of(whole: Storage, view: Any) -> Storage:
    """The part of a storage that a legacy file calls a storage of its own."""
    _, start, elements = view
    if natural(start) + natural(elements) > whole.elements:
        raise ValueError("a view that leaves its storage")
    return Storage(whole.key, whole.dtype, whole.whole, start, elements)


def proved(storage: Storage, dtype: str, offset: Any, shape: Any, stride: Any) -> Stored:
    """The tensor, after it was proved to lie inside its storage."""
    if not (isinstance(shape, tuple) and isinstance(stride, tuple)):
        raise ValueError("a shape that is none")
    if len(shape) != len(stride) or len(shape) > DIMENSIONS or dtype not in SIZES:
        raise ValueError("a tensor of an unknown form")
    last = sum((natural(n) - 1) * natural(step) for n, step in zip(shape, stride, strict=True))
    elements = math.prod(shape) and natural(offset) + last + 1
    held = storage.elements * SIZES[storage.dtype]
    if elements * SIZES[dtype] > held:
        raise ValueError("a tensor that leaves its storage")
    return Stored(storage, dtype, natural(offset) if elements else 0, shape, stride)


def dense(key: str, dtype: str, shape: tuple[int, ...]) -> Stored:
    """The tensor that fills a storage of its own, the last dimension fastest."""
    steps = [1]
    for count in reversed(shape[1:]):
        steps.append(steps[-1] * natural(count))
    elements = math.prod(shape)
    strides = tuple(reversed(steps[: len(shape)]))
    return proved(Storage(key, dtype, elements, 0, elements), dtype, 0, shape, strides)
