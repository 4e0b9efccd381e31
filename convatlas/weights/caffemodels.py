"""Caffe's .caffemodel: a protocol buffer of layers, each with a name, a kind and its blobs
(src/caffe/proto/caffe.proto). Nothing of Caffe is needed to read it.

A blob goes by its layer's name and what it is there: conv1.weight, bn_conv1.running_mean.
"""

import math
import mmap
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import BinaryIO, NamedTuple

import torch
from torch import Tensor

from convatlas.errors import WeightsError
from convatlas.weights.pickles import DAMAGED, KNOWN_FORMATS
from convatlas.weights.protobuf import Message, Run, Scattered, integers, runs
from convatlas.weights.stored import SIZES, Stored, dense, natural

# What a file may begin with: the network's name, its layers of either format, its input
BEGINNINGS = (b"\x0a", b"\x12", b"\x1a", b"\xa2\x06")
OLD_LAYERS, LAYERS = 2, 100  # fields of the network; the old ones were given up in October 2014
OLD_KINDS = {4: "Convolution", 14: "InnerProduct", 15: "LRN", 17: "Pooling", 39: "Deconvolution"}
BLOBS = {
    **dict.fromkeys(("Convolution", "Deconvolution", "InnerProduct", "Scale"), ("weight", "bias")),
    "BatchNorm": ("running_mean", "running_var", "divisor"),
}
DIVIDED = BLOBS["BatchNorm"][:2]
SIZES_ALONE = (1, 2, 3, 4)  # fields of a blob, before it had a shape: num, channels, height, width
DATA, SHAPE, DOUBLES = 5, 7, 8


class Layer(NamedTuple):
    name: str
    kind: str
    bottoms: tuple[str, ...]
    blobs: tuple[Message, ...]


class Network(Scattered):
    """The blobs of a file. Those of a BatchNorm are sums, to be divided by its third."""

    def __init__(
        self,
        file: BinaryIO,
        held: Mapping[str, Stored],
        places: Mapping[str, tuple[Run, ...]],
        divisors: Mapping[str, Stored],
    ):
        super().__init__(file, held, places)
        self._divisors = divisors

    def tensors(self, stored: Mapping[str, Stored], size: int) -> dict[str, Tensor]:
        tensors = super().tensors(stored, size)
        for layer, divisor in self._divisors.items():
            by = self._tensor(divisor).reshape(())
            factor = by.reciprocal() if by else torch.zeros_like(by)  # as Caffe, of one never moved
            for name in (f"{layer}.{part}" for part in DIVIDED):
                if name in tensors and by != 1:
                    tensors[name] = tensors[name] * factor
        return tensors


def open_caffemodel(file: BinaryIO) -> Network:
    """The blobs of a network, by the names of its layers."""
    held: dict[str, Stored] = {}
    places: dict[str, tuple[Run, ...]] = {}
    divisors = {}
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
        layers = list(_layers(Message(buffer)))
        _refuse_others(layers)
        for layer in layers:
            parts = BLOBS.get(layer.kind, ())
            for i, blob in enumerate(layer.blobs):
                part = parts[i] if i < len(parts) else f"blob{i}"
                name = f"{layer.name}.{part}"
                stored, places[name] = _blob(name, layer.kind, part, blob)
                if part == "divisor":
                    divisors[layer.name] = stored
                else:
                    held[name] = stored
    return Network(file, held, places, divisors)


def _layers(network: Message) -> Iterator[Layer]:
    for number, value in network.fields():
        if isinstance(value, Message) and number == LAYERS:
            yield _layer(value, name=1, kind=2, bottom=3, blobs=7)
        elif isinstance(value, Message) and number == OLD_LAYERS:
            yield _layer(value, name=4, kind=5, bottom=2, blobs=6)


def _layer(message: Message, name: int, kind: int, bottom: int, blobs: int) -> Layer:
    """A layer whose fields have these numbers."""
    called, is_of, bottoms, parts = "", "", [], []
    for number, value in message.fields():
        if number == kind and isinstance(value, int):
            is_of = OLD_KINDS.get(value, "")
        elif not isinstance(value, Message):
            continue
        elif number == name:
            called = value.text()
        elif number == kind:
            is_of = value.text()
        elif number == bottom:
            bottoms.append(value.text())
        elif number == blobs:
            parts.append(value)
        elif number == 1:  # of an old layer: one that is older still
            raise WeightsError(
                "is in Caffe's format of before 2014; write it anew with Caffe's "
                "upgrade_net_proto_binary"
            )
    return Layer(called, is_of, tuple(bottoms), tuple(parts))


def _refuse_others(layers: list[Layer]) -> None:
    """Raises WeightsError for what holds no blobs, or those of a network that would be taken for
    another.
    """
    held = [layer.name for layer in layers if layer.blobs]
    if not held:
        raise WeightsError(f"is no checkpoint, nor a Caffe network with weights; {KNOWN_FORMATS}")
    twice = [name for name, times in Counter(held).items() if times > 1]
    if twice:
        raise WeightsError(f"holds {twice[0]!a:.100} twice; {DAMAGED}")
    refuse_caffenet(
        "fc6" in held
        and any(layer.kind == "LRN" and layer.bottoms[:1] == ("pool1",) for layer in layers)
    )


def refuse_caffenet(is_one: bool) -> None:
    """The names and shapes of CaffeNet are AlexNet's."""
    if is_one:
        raise WeightsError(
            "holds a CaffeNet, which pools before it normalises and is no network of the atlas; "
            "AlexNet's own order has Caffe's bvlc_alexnet"
        )


def _blob(name: str, kind: str, part: str, message: Message) -> tuple[Stored, tuple[Run, ...]]:
    """A blob, and where its numbers stand."""
    sizes = dict.fromkeys(SIZES_ALONE, 0)
    shape, floats, doubles = None, [], []
    for number, value in message.fields():
        if number in sizes and isinstance(value, int):
            sizes[number] = natural(value)
        elif number == SHAPE and isinstance(value, Message):
            shape = integers(dim for i, dim in value.fields() if i == 1)
        elif number == DATA:
            floats.append(value)
        elif number == DOUBLES:
            doubles.append(value)
    dtype = "float64" if doubles and not floats else "float32"
    places = runs(doubles if dtype == "float64" else floats, SIZES[dtype])
    shape = tuple(sizes.values()) if shape is None else tuple(map(natural, shape))
    there = sum(run.count for run in places)
    if math.prod(shape) != there:
        raise ValueError(f"{name!a:.60} has {there:,} numbers for {shape}")
    return dense(name, dtype, _without_ones(kind, part, shape)), places


def _without_ones(kind: str, part: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The old format gives everything four sizes: a bias 1x1x1xN, a matrix 1x1xNxK."""
    rank = 1 if part != "weight" or kind == "Scale" else 2 if kind == "InnerProduct" else len(shape)
    beyond = len(shape) - rank
    return shape[beyond:] if beyond > 0 and set(shape[:beyond]) == {1} else shape
