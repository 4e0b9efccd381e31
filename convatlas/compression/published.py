"""The file that SqueezeNet's authors published: compressed_SqueezeNet.net of
github.com/songhan/SqueezeNet-Deep-Compression, as their decode.py reads it.

    4 bytes a layer     how many codes it has, fillers included
    then layer by layer:
    1,024 bytes         256 values, float32 (of a fully connected layer 64 bytes, 16 values)
    4 bytes a channel   biases, float32
    codes               a byte each, of a fully connected layer four bits
    gaps                four bits each: zeros before the code

All is little-endian, of two halves of a byte the lower one comes first, and the layers follow one
another as in the network. A gap of 15 zeros and more is bridged by a filler, the code of a value
that is 0. There is no Huffman code in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from convatlas.data import Preprocess
from convatlas.errors import ModelFileError
from convatlas.model_file import Saved
from convatlas.registry import create_model
from convatlas.regular_file import read_regular
from convatlas.weights.caffe import BLUE_FIRST, ROUND
from convatlas.weights.published import imagenet_classes

NETWORK, STEM, SUFFIX = "squeezenet1_0", "conv1.conv.weight", ".net"
SHORTER = 256  # side of a picture, as is usual for ImageNet: the authors say only the crop of 227
LARGEST = 1 << 31  # bytes of a file that is read at all
CODE_BITS = {4: 8, 2: 4}  # axes of the weights, of a convolution or not -> bits of a code


@dataclass(frozen=True)
class Layer:
    """One layer's tensors, and where its weights and biases stand in the network's state_dict."""

    name: str  # "conv1": the tensors are called conv1.weight and conv1.bias
    weight: tuple[int, ...]
    bias: int


def open_published(path: str | Path) -> Saved:
    """The authors' SqueezeNet, ready for pictures: red first, less the means of their
    SqueezeNet_trainval.prototxt, in ImageNet's classes. ModelFileError as read_published.

    Their conv10 is padded by 1, ours as in the paper is not, so that their printed accuracy is of
    a slightly other network.
    """
    net = create_model(NETWORK)
    tensors = read_published(path, {name: tuple(t.shape) for name, t in net.state_dict().items()})
    tensors[STEM] = tensors[STEM][:, BLUE_FIRST].contiguous()
    net.load_state_dict(tensors)
    mean, std = ROUND
    prepare = Preprocess(3, net.side, mean, (std,) * 3, "whole", SHORTER)
    about = {"weights": Path(path).name, "kind": "SqueezeNet's authors' compressed file"}
    return Saved(net.eval(), NETWORK, imagenet_classes(), prepare, about)


def read_published(path: str | Path, shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """The tensors of a file in that layout, for a network whose state_dict has these names and
    shapes: of each layer a weight and a bias, and nothing else.

    Weights of the first layer stay in the file's order of channels, which is Caffe's: blue, green,
    red. Raises ModelFileError unless the file is used up to its last byte.
    """
    path = Path(path).expanduser()
    layers = list(_layers(path, shapes))
    try:
        content = read_regular(path, LARGEST)
    except OSError as error:
        raise ModelFileError(
            f"cannot read {path} ({error.strerror}); give the authors' compressed_SqueezeNet.net"
        ) from None
    if len(content) < 4 * len(layers):
        raise _damaged(path, f"it ends within the counts of its {len(layers)} layers")
    counts = np.frombuffer(content, dtype="<u4", count=len(layers)).astype(np.int64)
    sizes = _sizes(path, layers, counts, len(content))
    tensors, begin = {}, 4 * len(layers)
    for layer, count, size in zip(layers, counts.tolist(), sizes, strict=True):
        part = content[begin : begin + size]
        begin += size
        weight, bias = _decoded(path, layer, count, part)
        tensors[f"{layer.name}.weight"] = torch.from_numpy(weight)
        tensors[f"{layer.name}.bias"] = torch.from_numpy(bias)
    return {name: tensors[name] for name in shapes}


def _layers(path: Path, shapes: dict[str, tuple[int, ...]]) -> Iterator[Layer]:
    for name, shape in shapes.items():
        layer, _, what = name.rpartition(".")
        bias = shapes.get(f"{layer}.bias")
        if what == "weight" and len(shape) in CODE_BITS and bias == shape[:1]:
            yield Layer(layer, shape, bias[0])
        elif what != "bias" or f"{layer}.weight" not in shapes:
            raise ModelFileError(
                f"{path} cannot be of a network with {name}: that layout knows convolutions and "
                "fully connected layers with biases; give the name of such a network"
            )


def _sizes(path: Path, layers: list[Layer], counts: np.ndarray, size: int) -> list[int]:
    """Bytes of each layer, once they and the counts add up to the file."""
    for layer, count in zip(layers, counts.tolist(), strict=True):
        if not 1 <= count <= np.prod(layer.weight):
            raise _damaged(path, f"{layer.name} cannot have {count:,} codes")
    sizes = [sum(_parts(*one)) for one in zip(layers, counts.tolist(), strict=True)]
    if 4 * len(layers) + sum(sizes) != size:
        needed = 4 * len(layers) + sum(sizes)
        raise _damaged(path, f"it has {size:,} bytes instead of the {needed:,} of its layers")
    return sizes


def _parts(layer: Layer, count: int) -> tuple[int, int, int, int]:
    """Bytes of the codebook, the biases, the codes and the gaps."""
    bits = CODE_BITS[len(layer.weight)]
    return 4 << bits, 4 * layer.bias, -(-count * bits // 8), -(-count // 2)


def _decoded(path: Path, layer: Layer, count: int, part: bytes) -> tuple[np.ndarray, np.ndarray]:
    ends = np.cumsum(_parts(layer, count))
    codebook = np.frombuffer(part[: ends[0]], dtype="<f4").astype(np.float32)
    bias = np.frombuffer(part[ends[0] : ends[1]], dtype="<f4").astype(np.float32)
    codes = np.frombuffer(part[ends[1] : ends[2]], dtype=np.uint8)
    gaps = _halves(np.frombuffer(part[ends[2] :], dtype=np.uint8), count)
    if CODE_BITS[len(layer.weight)] == 4:
        codes = _halves(codes, count)
    places = np.cumsum(gaps.astype(np.int64) + 1) - 1
    if places[-1] >= np.prod(layer.weight):
        raise _damaged(path, f"the gaps of {layer.name} lead out of it")
    if not (np.isfinite(codebook).all() and np.isfinite(bias).all()):
        raise _damaged(path, f"{layer.name} is not finite")
    flat = np.full(int(np.prod(layer.weight)), codebook[0], dtype=np.float32)
    flat[places] = codebook[codes]
    return flat.reshape(layer.weight), bias


def _halves(packed: np.ndarray, count: int) -> np.ndarray:
    """Four bits each, the lower ones first."""
    return np.stack([packed & 15, packed >> 4], axis=1).reshape(-1)[:count]


def _damaged(path: Path, why: str) -> ModelFileError:
    return ModelFileError(f"{path} is damaged: {why}; fetch it again")
