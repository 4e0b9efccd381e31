"""Files as Keras writes them, from variables named "layer/variable": legacy_h5_format.py and
saving_lib.py of Keras 3, and of Keras 2 what they took over. Nothing of the reader is imported.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np

ORDER = (
    *("depthwise_kernel", "pointwise_kernel", "kernel", "bias"),
    *("gamma", "beta", "moving_mean", "moving_variance"),
    *("mean", "variance", "count"),
)


def layers(held: Mapping[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """Each layer's variables, in the order in which Keras keeps them."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for name, array in held.items():
        layer, _, kind = name.rpartition("/")
        found.setdefault(layer, {})[kind] = array
    return {
        layer: dict(sorted(parts.items(), key=lambda part: ORDER.index(part[0])))
        for layer, parts in found.items()
    }


def kind_of(layer: str, parts: Mapping[str, np.ndarray]) -> str:
    """The class of a layer with these variables."""
    if "pointwise_kernel" in parts:
        return "SeparableConv2D"
    if "moving_mean" in parts:
        return "BatchNormalization"
    if "variance" in parts:
        return "Normalization"
    if "_dw_" in layer:
        return "DepthwiseConv2D"
    return "Conv2D" if parts["kernel"].ndim == 4 else "Dense"


def legacy(path: Path, held: Mapping[str, np.ndarray], whole=False, inside="", spelling="{}:0"):
    """.h5 of Keras 2. `whole` with the model, `inside` a model that is a layer."""
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if whole else file
        if whole:
            file.attrs["model_config"] = json.dumps({"class_name": "Functional"}).encode()
            slots = file.create_group("optimizer_weights")
            slots["Adam/iterations:0"] = np.array(9)
        found = layers(held)
        root.attrs["layer_names"] = [inside.encode()] if inside else [n.encode() for n in found]
        for layer, parts in found.items():
            for kind, array in parts.items():
                outer = inside or layer
                root[f"{outer}/{layer}/{spelling.format(kind)}"] = array
    return path


def first_years(path: Path, held: Mapping[str, np.ndarray]) -> Path:
    """.h5 of Keras 1, whose layers keep their variables as layer_W_1:0."""
    short = {"kernel": "W", "bias": "b", "moving_mean": "running_mean"}
    short["moving_variance"] = "running_std"
    with h5py.File(path, "w") as file:
        for layer, parts in layers(held).items():
            for kind, array in parts.items():
                file[f"{layer}/{layer}_{short.get(kind, kind)}_1:0"] = array
    return path


def numbered(target, held: Mapping[str, np.ndarray], named: bool = True, inside="") -> dict:
    """model.weights.h5 of Keras 3, and the description of its layers."""
    counts: dict[str, int] = {}
    described = []
    above = "layers/functional/" if inside else ""
    with h5py.File(target, "w") as file:
        if inside:
            file.create_group(f"{above}vars").attrs["name"] = inside
        for layer, parts in layers(held).items():
            kind = kind_of(layer, parts)
            snake = {
                "BatchNormalization": "batch_normalization",
                "DepthwiseConv2D": "depthwise_conv2d",
                "SeparableConv2D": "separable_conv2d",
            }.get(kind, kind.lower())
            number = counts.get(snake, 0)
            counts[snake] = number + 1
            group = file.create_group(f"{above}layers/{snake}{f'_{number}' if number else ''}/vars")
            if named:
                group.attrs["name"] = layer
            for i, array in enumerate(parts.values()):
                group[str(i)] = array
            described.append({"class_name": kind, "config": {"name": layer}})
        file.create_group("optimizer/vars")["0"] = np.array(9)
    return {"class_name": "Functional", "config": {"name": "a", "layers": described}}


def archive(path: Path, held: Mapping[str, np.ndarray], named: bool = True, **config) -> Path:
    """A model of Keras 3; `config` is added to its description."""
    weights = io.BytesIO()
    described = numbered(weights, held, named)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        file.writestr("config.json", json.dumps(described | config))
        file.writestr("model.weights.h5", weights.getvalue())
    return path
