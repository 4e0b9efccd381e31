"""A trained network on disk: model.safetensors with the weights, model.json with all that is needed
to use them.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

import convatlas
from convatlas.data import Preprocess
from convatlas.errors import ModelFileError
from convatlas.registry import create_model

FORMAT = 1
LARGEST_DESCRIPTION = 10_000_000  # bytes of model.json that are read at all


@dataclass(frozen=True)
class Saved:
    """A network ready for use, and where it comes from."""

    net: "convatlas.Network"  # in evaluation mode
    network: str
    classes: tuple[str, ...]
    preprocess: Preprocess
    provenance: dict


def describe_model(
    network: str, classes: tuple[str, ...], preprocess: Preprocess, provenance: dict, weights: bytes
) -> str:
    """The text of model.json for these weights."""
    return json.dumps(
        {
            "format": FORMAT,
            "network": network,
            "classes": classes,
            "preprocess": preprocess.to_dict(),
            "sha256": hashlib.sha256(weights).hexdigest(),
            "provenance": provenance,
        },
        indent=1,
    )


def weights_file(state: dict[str, Tensor]) -> bytes:
    """The bytes of model.safetensors for a state_dict: equal tensors give equal bytes."""
    return save({name: tensor.detach().cpu().contiguous() for name, tensor in state.items()})


def load_model(folder: str | Path) -> Saved:
    """The network of a run folder, checked byte for byte.

    Raises ModelFileError when a file is missing, altered, of another network, or written by a newer
    version.
    """
    folder = Path(folder).expanduser()
    about = _read_description(folder / "model.json")
    weights = _read(folder / "model.safetensors")
    if hashlib.sha256(weights).hexdigest() != about["sha256"]:
        raise ModelFileError(
            f"{folder / 'model.safetensors'} is not the file that model.json describes (its sha256 "
            f"differs); copy the two together again"
        )
    preprocess = Preprocess.from_dict(about["preprocess"])
    net = create_model(
        about["network"], num_classes=len(about["classes"]), in_channels=preprocess.channels
    )
    try:
        net.load_state_dict(load(weights))
    except (SafetensorError, RuntimeError) as error:
        first = str(error).splitlines()[-1].strip()
        raise ModelFileError(
            f"{folder / 'model.safetensors'} does not fit {about['network']}: {first}"
        ) from None
    return Saved(
        net.eval(), about["network"], tuple(about["classes"]), preprocess, about["provenance"]
    )


def _read_description(path: Path) -> dict:
    text = _read(path, LARGEST_DESCRIPTION)
    try:
        about = json.loads(text)
        if about["format"] > FORMAT:
            raise ModelFileError(f"{path} was written by a newer convatlas; upgrade to read it")
        if not all(isinstance(name, str) for name in about["classes"]) or not about["classes"]:
            raise ValueError
        return {
            key: about[key] for key in ("network", "classes", "preprocess", "sha256", "provenance")
        }
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(
            f"{path} is damaged; copy it again from the run that wrote it"
        ) from None


def _read(path: Path, limit: int | None = None) -> bytes:
    try:
        if limit is not None and path.stat().st_size > limit:
            raise ModelFileError(
                f"{path} is larger than {limit:,} bytes, so it is not a description of a model"
            )
        return path.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"cannot read {path} ({error.strerror}); give the folder of a finished run, one that "
            f"holds model.safetensors and model.json"
        ) from None
