"""Keras's files as tensors under one spelling of its names, "conv1_bn/gamma": weights as Keras 2
wrote them (.h5), as Keras 3 does (.weights.h5), and in a model's archive (.keras).

Nothing of a model is built. Its description is looked through for names, and refused where it holds
code.
"""

import json
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

from convatlas.errors import WeightsError
from convatlas.weights.archives import Archive, place_of, refuse_bombs
from convatlas.weights.hdf5 import DEEP, LABELLED, Directory, look_through

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
LARGEST_CONFIG = 16_000_000  # bytes; ResNet-152's has 300,000
A_WHILE = 1_000_000  # bytes that are read in one go
CODE = ("Lambda", "__lambda__")
NOT_THE_MODELS = re.compile(r"^_?(?:optimizer|optimizer_weights|metrics)/")
WHOLE = "model_weights/"  # where the weights of a model's file stand
LAYERS, OLDER = "layers", "_layer_checkpoint_dependencies"  # of Keras 3, of Keras 2.12 and later
NUMBERS = re.compile(rf"{LABELLED}/\d+$")
# Keras 3 counts a layer's variables: by its class, and where two lists fit, by their length
VARIABLES = {
    "conv2d": (("kernel", "bias"),),
    "depthwise_conv2d": (("kernel", "bias"),),
    "separable_conv2d": (("depthwise_kernel", "pointwise_kernel", "bias"),),
    "dense": (("kernel", "bias"),),
    "batch_normalization": (
        ("gamma", "beta", "moving_mean", "moving_variance"),
        ("beta", "moving_mean", "moving_variance"),
    ),
    "normalization": (("mean", "variance", "count"),),
}
# Names that layers get from their class are numbered through a session: 94 in a second model's file
# is what 0 is in a first one's
NUMBERED = re.compile(rf"^({'|'.join(VARIABLES)})(?:_(\d+))?$")
NUMBER = re.compile(r"_\d+$")
MOST = 1 << 62
FORMER = {
    **{"W": "kernel", "b": "bias", "gamma": "gamma", "beta": "beta"},
    **{"running_mean": "moving_mean", "running_std": "moving_variance"},
}
FIRST_YEARS = re.compile(rf"_({'|'.join(FORMER)})(?:_\d+)?$")


class Variable(NamedTuple):
    """One array of a layer."""

    model: str  # in the model that the file holds: "vgg16."; "" for its own layers
    layer: str
    kind: str  # "kernel", "gamma"


def open_h5(file: BinaryIO, size: int) -> Archive:
    """Weights that Keras wrote as .h5 or .weights.h5; with `model.save("x.h5")` a model's too."""
    return _archive(file, look_through(file, 0, size), {})


def is_keras(entries: list[zipfile.ZipInfo]) -> bool:
    """Whether an archive with these contents is a model of Keras 3."""
    return {CONFIG, WEIGHTS} <= {entry.filename for entry in entries}


def open_keras(file: BinaryIO, entries: list[zipfile.ZipInfo], size: int) -> Archive:
    """The weights in a model's archive."""
    refuse_bombs(entries, size)
    there = {entry.filename: entry for entry in entries}
    if any(there[name].compress_type != zipfile.ZIP_STORED for name in (CONFIG, WEIGHTS)):
        raise WeightsError("is compressed, which Keras never does; do not use it")
    labels = _labels(json.loads(_config(file, there[CONFIG], size)))
    begin = place_of(file, there[WEIGHTS], size)
    _compare(file, begin, there[WEIGHTS])
    return _archive(file, look_through(file, begin, there[WEIGHTS].file_size), labels)


def _config(file: BinaryIO, entry: zipfile.ZipInfo, size: int) -> bytes:
    if entry.file_size > LARGEST_CONFIG:
        raise WeightsError(f"describes itself in {entry.file_size:,} bytes; do not use it")
    begin = place_of(file, entry, size)
    _compare(file, begin, entry)
    file.seek(begin)
    return file.read(entry.file_size)


def _compare(file: BinaryIO, begin: int, entry: zipfile.ZipInfo) -> None:
    """Raises ValueError where an entry's checksum differs."""
    file.seek(begin)
    checksum = 0
    for start in range(0, entry.file_size, A_WHILE):
        checksum = zlib.crc32(file.read(min(A_WHILE, entry.file_size - start)), checksum)
    if checksum != entry.CRC:
        raise ValueError(f"the checksum of {entry.filename} differs")


def _labels(config: Any) -> dict[str, str]:
    """The layers' names by their places in the archive, which counts layers of a class."""
    if any(held.get("class_name") in CODE for held in _mappings(config)):
        raise WeightsError("holds a Lambda layer, which is code; do not use it")
    return dict(_named(config, "", 0))


def _mappings(config: Any) -> Iterator[Mapping]:
    waiting = [config]
    while waiting:
        held = waiting.pop()
        if isinstance(held, Mapping):
            yield held
            waiting.extend(held.values())
        elif isinstance(held, list):
            waiting.extend(held)


def _named(model: Any, above: str, depth: int) -> Iterator[tuple[str, str]]:
    """The names of a model's layers, and of those of models in it."""
    if depth > DEEP:
        raise ValueError("models in one another without end")
    inner = model.get("config") if isinstance(model, Mapping) else None
    layers = inner.get("layers") if isinstance(inner, Mapping) else None
    counts: dict[str, int] = {}
    for layer in layers if isinstance(layers, list) else []:
        kind = _snake(layer["class_name"])
        number = counts.get(kind, 0)
        counts[kind] = number + 1
        place = f"{above}layers/{kind}_{number}" if number else f"{above}layers/{kind}"
        yield place, str(layer["config"]["name"])
        yield from _named(layer, f"{place}/", depth + 1)


def _snake(name: str) -> str:
    """DepthwiseConv2D: depthwise_conv2d."""
    apart = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", apart).lower()


def _archive(file: BinaryIO, directory: Directory, labels: Mapping[str, str]) -> Archive:
    """The model's arrays under the names of their layers and variables."""
    labels = {
        place.replace(OLDER, LAYERS): name for place, name in directory.labels.items()
    } or labels
    paths = [path for path in directory.arrays if not NOT_THE_MODELS.search(path)]
    places = {path: path.replace(OLDER, LAYERS).removeprefix(WHOLE) for path in paths}
    if not labels and any(map(NUMBERS.search, places.values())):
        raise WeightsError(
            "counts its layers without naming them, as Keras 2 does in .weights.h5; save the model "
            "as .keras there, or its weights as .h5"
        )
    lengths = Counter(place.rpartition("/")[0] for place in places.values())
    names = {
        path: _by_number(place, labels, lengths) if NUMBERS.search(place) else _by_name(place)
        for path, place in places.items()
    }
    found = {name: path for path, name in zip(names, _from_zero([*names.values()]), strict=True)}
    if len(found) < len(names):
        raise ValueError("one name for two arrays")
    return Archive(
        file, {name: directory.arrays[path] for name, path in found.items()}, directory.places
    )


def _by_name(place: str) -> Variable:
    """layer/layer/kernel:0, where Keras 2 writes a layer's weights, and layer/layer_W_1:0 of its
    first years; model/layer/kernel:0 for those of a model that is a layer.
    """
    *parts, kind = place.removesuffix(":0").split("/")
    half = len(parts) // 2
    layer, again = "/".join(parts[:half]), "/".join(parts[half:])
    if layer in (again, NUMBER.sub("", again)):
        return Variable("", layer, kind)
    if match := FIRST_YEARS.search(kind):
        return Variable("", again, FORMER[match[1]])
    inner = parts[1:]
    return Variable(f"{parts[0]}." if inner else "", "/".join(inner or parts), kind)


def _by_number(place: str, labels: Mapping[str, str], lengths: Mapping[str, int]) -> Variable:
    """layers/conv2d_7/vars/0, where Keras 3 does; layers/functional/layers/... for a model's."""
    above, _, number = place.rpartition("/")
    layer = above.removesuffix(LABELLED)
    ends = [match.start() for match in re.finditer(f"/{LAYERS}/", layer)]
    model = "".join(f"{labels.get(layer[:end], layer[:end])}." for end in ends)
    kind = NUMBER.sub("", layer.rpartition("/")[2])
    lists = VARIABLES.get(kind, ())
    known = next((names for names in lists if len(names) == lengths[above]), (lists or ((),))[0])
    variable = known[int(number)] if int(number) < len(known) else number
    return Variable(model, labels.get(layer, layer), variable)


def _from_zero(variables: list[Variable]) -> list[str]:
    """All names, spelt alike; layers with a number instead of a name begin with 0 in each model."""
    two = {(v.model, v.layer) for v in variables if v.kind == "pointwise_kernel"}
    first: dict[tuple[str, str], int] = {}
    for v in variables:
        if match := NUMBERED.search(v.layer):
            key = v.model, match[1]
            first[key] = min(first.get(key, MOST), int(match[2] or 0))
    names = []
    for v in variables:
        match = NUMBERED.search(v.layer)
        layer = (
            f"{match[1]}_{int(match[2] or 0) - first[v.model, match[1]]}"
            if match
            else v.layer.lower().replace("/", "_").replace("batchnorm", "bn")
        )
        alone = v.kind == "depthwise_kernel" and (v.model, v.layer) not in two
        names.append(f"{v.model}{layer}/{'kernel' if alone else v.kind}")
    return names
