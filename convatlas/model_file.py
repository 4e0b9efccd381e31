"""A trained network on disk: model.safetensors with the weights, model.json with all that is needed
to use them. Both may come from a stranger: nothing is made before they are proved to fit.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

import convatlas
from convatlas.data import Preprocess
from convatlas.device import usable_device
from convatlas.errors import InputError, ModelFileError, UnknownNetwork
from convatlas.model_description import (
    Description,
    Widths,
    describe_model,
    read_description,
)
from convatlas.narrowing.surgery import narrowed, require_runs
from convatlas.registry import create_model
from convatlas.regular_file import open_regular
from convatlas.shapes_only import shapes_only

__all__ = ["Saved", "describe_model", "load_model", "weights_file"]

COMPRESSED = ".dc"  # the ending of a file that compress writes
LARGEST_HEADER = 4_000_000  # bytes of a safetensors header; 200 for a tensor are usual
BYTES = {"F32": 4, "F64": 8, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "U8": 1, "BOOL": 1}
KINDS = {  # as safetensors calls them
    torch.float32: "F32",
    torch.float64: "F64",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
Picture = str | Path | Image.Image | Tensor
Outline = dict[str, tuple[str, tuple[int, ...]]]  # of each tensor its kind and shape


@dataclass(frozen=True)
class Saved:
    """A network ready for use, and where it comes from."""

    net: "convatlas.Network"  # in evaluation mode
    network: str
    classes: tuple[str, ...]
    preprocess: Preprocess
    provenance: dict
    widths: Widths = field(default_factory=dict)  # of tensors narrower than the network's own

    def __call__(
        self, pictures: Picture | Sequence[Picture], top: int = 5
    ) -> "list[convatlas.Prediction]":
        """The `top` likeliest classes of each picture: a file, an image of Pillow, a uint8 tensor
        (1 or 3, height, width), or a list of such. Raises DataError for what is no picture; a file
        that cannot be read gets its `problem`.
        """
        from convatlas.prediction import predict_pictures

        return predict_pictures(self, pictures, top)

    def to(self, device: str) -> "Saved":
        """The same network on a device: cpu, cuda, cuda:1, mps or auto. InputError where there is
        none of that name.
        """
        return replace(self, net=self.net.to(usable_device(device)))

    def on_engine(self, engine: str = "auto", bf16: bool = False) -> "Saved":
        """The same network, answering on the processor through torch, onnxruntime, openvino, ncnn,
        or with "auto" the fastest of those that are installed. It is compared with torch first:
        only what is within the limits of an export's proof is taken, and what is in bfloat16 only
        where `bf16` asks for it. The choice is remembered for these weights and this processor.

        Raises ExportError for an engine that is unknown, missing, or refused.
        """
        from convatlas.speed.choosing import on_engine

        return on_engine(self, engine, bf16)[0]


def weights_file(state: dict[str, Tensor]) -> bytes:
    """The bytes of model.safetensors for a state_dict: equal tensors give equal bytes."""
    return save({name: tensor.detach().cpu().contiguous() for name, tensor in state.items()})


def load_model(folder: str | Path, device: str = "cpu") -> Saved:
    """The network of a run folder, or of a compressed file (.dc), checked byte for byte, on a
    device: cpu, cuda, cuda:1, mps or auto.

    Raises InputError for a device that is not there, ModelFileError when a file is missing,
    altered, no plain file, of another network, or written by a newer version.
    """
    folder, there = Path(folder).expanduser(), usable_device(device)
    if folder.suffix == COMPRESSED and not folder.is_dir():
        from convatlas.compression.compressed_file import load_compressed

        return load_compressed(folder).to(device)
    about = read_description(folder / "model.json")
    net = described_network(folder / "model.json", about)
    weights = _weights(folder / "model.safetensors", about, _outline(net))
    weights = {name: tensor.clone() for name, tensor in weights.items()}  # in aligned memory
    net.load_state_dict(weights, assign=True)
    return Saved(
        *(net.eval().to(there), about.network, about.classes, about.preprocess),
        *(about.provenance, about.widths),
    )


def described_network(path: Path, about: Description) -> "convatlas.Network":
    """The described network on the meta device, so that nothing is allocated, and no weights are
    drawn: all that it computes with is in its state_dict (a test holds every network to that).
    ModelFileError where there is no such network, or widths that it cannot have.
    """
    side, channels = about.preprocess.side, about.preprocess.channels
    try:
        with shapes_only():
            net = create_model(about.network, len(about.classes), channels)
        net.check_size(side, side)
        if about.widths:
            narrowed(net, about.widths)
            require_runs(net, (channels, side, side))
    except (UnknownNetwork, InputError) as error:
        raise ModelFileError(f"{path}: {error}") from None
    return net


def _outline(net: "convatlas.Network") -> Outline:
    """The tensors that the network has."""
    return {
        name: (KINDS.get(tensor.dtype, ""), tuple(tensor.shape))
        for name, tensor in net.state_dict().items()
    }


def _weights(path: Path, about: Description, outline: Outline) -> dict[str, Tensor]:
    """What the file holds, once its header and its size are those of the network."""
    try:
        with open_regular(path) as (file, size):
            _require_fit(path, file, size, about.network, outline)
            file.seek(0)
            content = file.read(size)
    except OSError as error:
        raise ModelFileError(
            f"cannot read {path} ({error.strerror}); give the folder of a finished run, one that "
            "holds model.safetensors and model.json"
        ) from None
    if hashlib.sha256(content).hexdigest() != about.sha256:
        raise ModelFileError(
            f"{path} is not the file that model.json describes (its sha256 differs); copy the two "
            "together again"
        )
    try:
        weights = load(content)
    except (SafetensorError, RuntimeError, ValueError, KeyError) as error:
        raise ModelFileError(f"{path} is damaged: {error}; copy it again") from None
    if wild := [name for name, tensor in weights.items() if not is_finite(tensor)]:
        raise ModelFileError(
            f"{path} is damaged: {wild[0]} is not finite; copy it again, or train the network again"
        )
    return weights


def is_finite(tensor: Tensor) -> bool:
    """Whether all of it is; the sum alone tells that of most, and is eight times as fast."""
    return bool(tensor.sum().isfinite()) or bool(tensor.isfinite().all())


def _require_fit(path: Path, file: BinaryIO, size: int, network: str, outline: Outline) -> None:
    """ModelFileError unless the header names the network's tensors, and the size is theirs."""
    length = int.from_bytes(file.read(8), "little")
    try:
        if length > min(size - 8, LARGEST_HEADER):
            raise ValueError
        header = _tensors(json.loads(file.read(length)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ModelFileError(f"{path} is damaged, or no safetensors file; copy it again") from None
    for name in [*outline, *header]:
        if header.get(name) != outline.get(name):
            raise ModelFileError(
                f"{path} does not fit {network}: {name} is {_shaped(header.get(name))}, not "
                f"{_shaped(outline.get(name))}; copy model.json and model.safetensors together "
                "again"
            )
    needed = 8 + length + sum(BYTES[kind] * math.prod(shape) for kind, shape in outline.values())
    if size != needed:
        raise ModelFileError(
            f"{path} has {size:,} bytes instead of the {needed:,} that its tensors need; copy it "
            "again"
        )


def _tensors(header: dict) -> Outline:
    header.pop("__metadata__", None)
    return {name: (one["dtype"], tuple(one["shape"])) for name, one in header.items()}


def _shaped(tensor: tuple[str, tuple[int, ...]] | None) -> str:
    if tensor is None:
        return "absent"
    kind, shape = tensor
    return f"{'x'.join(map(str, shape)) or 'a scalar'} {kind}"
