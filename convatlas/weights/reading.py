"""Reads checkpoints from outside as tensors and nothing else. A file is looked through before
anything is allocated.

safetensors and PyTorch's zip and legacy files are read; whatever holds code is refused by its type.
"""

import hashlib
import json
import pickle
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from convatlas.errors import WeightsError
from convatlas.weights.pickles import MANY, Inspector, inspect
from convatlas.weights.sections import chosen, sections

LARGEST = 8_000_000_000  # bytes; VGG-19, the largest network of the atlas, has 575 million
LARGEST_HEADER = 16_000_000  # bytes of a safetensors header
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
CODE = {
    b"\x89HDF": "a Keras or HDF5 file",
    b"GGUF": "a GGUF file",
    b"\x08": "an ONNX or TensorFlow graph",
    b"\x1f\x8b": "a gzip archive; unpack it and give what is inside",
    b"BZh": "a bzip2 archive; unpack it first",
}
KNOWN_FORMATS = "give a .safetensors file or a state_dict saved by torch.save"


@dataclass(frozen=True)
class Checkpoint:
    """The tensors of a file, under the file's own names, and what the file says of itself."""

    path: Path
    sha256: str
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str]  # of a safetensors file; empty for others
    section: str = ""  # where in the file they stand: "state_dict", "ema.model"; "" is the whole
    others: tuple[str, ...] = ()  # the other places that hold tensors


def read(path: str | Path, section: str | None = None) -> Checkpoint:
    """The tensors of a checkpoint file, on the CPU.

    A dictionary inside the file ("state_dict", "model", ...) is opened: the section that is asked
    for, or the one that most likely is the state of a network; what is no tensor beside them is
    read past. Raises WeightsError for a file that is missing, damaged, too large, without such a
    section, needs code to be read, or holds values that are not finite.
    """
    path = Path(path)
    if path.is_dir():
        raise WeightsError(f"{path} is a folder; give the file inside it that holds the weights")
    try:
        with path.open("rb") as file:
            return _certified(path, file, section)
    except OSError as error:
        raise WeightsError(f"cannot read {path} ({error.strerror}); check the path") from None


def _certified(path: Path, file: BinaryIO, section: str | None) -> Checkpoint:
    try:
        held, metadata = _read(file, path.stat().st_size)
        found = sections(held, Tensor)
        place = chosen(found, held, section)
        _check(found[place])
    except WeightsError as error:
        raise WeightsError(f"{path} {error}") from None
    except (
        Exception
    ) as error:  # whatever a damaged or hostile file brings about in those who parse it
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise WeightsError(
            f"{path} is damaged ({reason:.100}); download or copy it again"
        ) from None
    file.seek(0)
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    others = tuple(name for name in found if name != place)
    return Checkpoint(path, sha256, found[place], metadata, place, others)


def _read(file: BinaryIO, size: int) -> tuple[dict[str, Tensor], dict[str, str]]:
    if size > LARGEST:
        raise WeightsError(
            f"has {size:,} bytes, more than any network of the atlas ({LARGEST:,} at most)"
        )
    if not size:
        raise WeightsError("is empty; download or copy it again")
    start = file.read(16)
    if start.startswith(b"PK\x03\x04"):
        _look_through_zip(file, size)
        return _load(file), {}
    if start[8:9] == b"{":  # first, for the length before it may begin as a pickle does
        return _read_safetensors(file, size)
    if start.startswith(b"\x80"):
        _look_through_legacy(file, size)
        return _load(file), {}
    kind = next((kind for magic, kind in CODE.items() if start.startswith(magic)), "no checkpoint")
    raise WeightsError(f"is {kind}; {KNOWN_FORMATS}")


def _read_safetensors(file: BinaryIO, size: int) -> tuple[dict[str, Tensor], dict[str, str]]:
    from safetensors.torch import load

    file.seek(0)
    (length,) = struct.unpack("<Q", file.read(8))
    if length > min(size, LARGEST_HEADER):
        raise WeightsError(
            f"promises a header of {length:,} bytes; it is damaged, or no safetensors file"
        )
    header = json.loads(file.read(length))
    metadata = header.pop("__metadata__", {})
    if len(header) > MANY:
        raise WeightsError(f"holds {len(header):,} tensors, more than any network of the atlas")
    file.seek(0)
    return load(file.read()), metadata


def _look_through_zip(file: BinaryIO, size: int) -> None:
    """Refuses by type what is no plain state: exported programs and TorchScript run code when they
    are opened.
    """
    archive = zipfile.ZipFile(file)
    entries = archive.infolist()
    names = {entry.filename.partition("/")[2] or entry.filename for entry in entries}
    if "archive_format" in names or any(
        name.startswith(("models/", "data/aotinductor")) for name in names
    ):
        raise WeightsError(f"is an exported program (.pt2), which holds code; {KNOWN_FORMATS}")
    if "constants.pkl" in names or any(name.startswith("code/") for name in names):
        raise WeightsError(f"is a TorchScript program, which holds code; {KNOWN_FORMATS}")
    pickles = [entry for entry in entries if entry.filename.partition("/")[2] == "data.pkl"]
    if len(pickles) != 1:
        raise WeightsError(f"is a zip archive, but no PyTorch checkpoint; {KNOWN_FORMATS}")
    if len(entries) > MANY or sum(entry.file_size for entry in entries) > size:
        raise WeightsError("unpacks to more than its size; do not use it")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise WeightsError("is compressed, which torch.save never does; do not use it")
    with archive.open(pickles[0]) as stream:
        inspect(stream, size)


def _look_through_legacy(file: BinaryIO, size: int) -> None:
    """The format before PyTorch 1.6: magic, version, system and object, each a pickle, then the
    numbers.
    """
    file.seek(0)
    first = Inspector(file)
    try:
        is_torch = first.load() == LEGACY_MAGIC
    except Exception:  # whatever a hostile stream of opcodes can bring about
        is_torch = False
    if not is_torch:
        raise WeightsError(f"is a pickle, which can hold code; {KNOWN_FORMATS}")
    for _ in range(3):
        inspect(file, size)


def _load(file: BinaryIO) -> dict[str, Tensor]:
    file.seek(0)
    try:
        held = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        culprit = (
            str(error).partition("GLOBAL ")[2].partition(" ")[0] or "something that is no tensor"
        )
        raise WeightsError(
            f"holds code or objects ({culprit}), not only tensors; {KNOWN_FORMATS}"
        ) from None
    return held


def _check(tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if (
            tensor.layout != torch.strided
            or tensor.is_quantized
            or tensor.is_complex()
            or tensor.device.type != "cpu"
        ):
            raise WeightsError(
                f"holds {name} as {tensor.dtype}, {tensor.layout}; save it as plain floating point"
            )
        if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            raise WeightsError(
                f"holds {name}, {tuple(tensor.shape)}, in fewer bytes than it has; do not use it"
            )
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise WeightsError(
                f"holds values in {name} that are not finite: the training that made it went wrong"
            )
