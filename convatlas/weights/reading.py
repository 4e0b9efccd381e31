"""Reads checkpoints from outside as tensors and nothing else. A file is looked through before
anything is allocated, and nothing in it is run.

safetensors, PyTorch's zip and legacy files, NumPy's .npz, TensorFlow's and Keras's files are read;
whatever holds code is refused by its name.
"""

import errno
import hashlib
import json
import os
import re
import stat
import struct
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from torch import Tensor

from convatlas.errors import WeightsError
from convatlas.regular_file import without_waiting
from convatlas.weights import hdf5, tflite
from convatlas.weights.archives import Archive, entries_of, open_legacy, open_zip
from convatlas.weights.arrays import are_arrays, open_npz
from convatlas.weights.bundles import BUNDLE, data_of, open_bundle
from convatlas.weights.keras import is_keras, open_h5, open_keras
from convatlas.weights.pickles import DAMAGED, KNOWN_FORMATS, LONGEST_NAME, is_tensor
from convatlas.weights.sections import apart, chosen, sections
from convatlas.weights.stored import SIZES
from convatlas.weights.tflite import open_tflite

LARGEST = 8_000_000_000  # bytes; VGG-19, the largest network of the atlas, has 575 million
LARGEST_HEADER = 4_000_000  # bytes of a safetensors header; 200 for a tensor are usual
SOLID = 64_000_000  # bytes that a file may have without being written out on the disk
HASH_IN_NAME = re.compile(r"-(?P<sha256>[0-9a-f]{8,64})(?:\.(?:pth|pt|pkl|bin|tar|safetensors))+$")
NO_HASH = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])|\d{9,}")  # a date, a time
KINDS = {
    b"GGUF": "a GGUF file",
    b"\x08": "an ONNX or TensorFlow graph",
    b"\x1f\x8b": "a gzip archive; unpack it and give what is inside",
    b"BZh": "a bzip2 archive; unpack it first",
}
A_WHILE = 1_000_000  # values that are looked at in one go, so that it takes little memory
TAR = 257  # where a tar archive says that it is one


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
    section, needs code to be read, holds values that are not finite, or is not the one whose hash
    its name bears.
    """
    path = data_of(Path(path))
    if path.is_dir():
        raise WeightsError(f"{path} is a folder; give the file inside it that holds the weights")
    try:
        with open(path, "rb", opener=without_waiting) as file:
            return _certified(path, file, section)
    except OSError as error:
        raise WeightsError(f"cannot read {path} ({error.strerror}); check the path") from None


def _certified(path: Path, file: BinaryIO, section: str | None) -> Checkpoint:
    try:
        contents = _contents(path, file, section)
        _check(contents.tensors)
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        _compare_with_name(path.name, sha256)
    except WeightsError as error:
        raise WeightsError(f"{path} {error}") from None
    except MemoryError:
        raise WeightsError(f"{path} needs more memory than there is; close something") from None
    except Exception as error:  # whatever a damaged or hostile file brings about where it is parsed
        reason = str(error).partition("\n")[0] or type(error).__name__
        shown = reason if reason.isprintable() else ascii(reason)
        raise WeightsError(f"{path} is damaged ({shown:.100}); download or copy it again") from None
    return Checkpoint(path, sha256, *contents)


class _Contents(NamedTuple):
    """The last fields of a Checkpoint."""

    tensors: dict[str, Tensor]
    metadata: dict[str, str]
    section: str = ""
    others: tuple[str, ...] = ()


def _contents(path: Path, file: BinaryIO, section: str | None) -> _Contents:
    size = _size(file)
    if BUNDLE.fullmatch(path.name):
        return _chosen(open_bundle(path, file, size), size, section)
    start = file.read(16)
    if start.startswith(b"PK\x03\x04"):
        entries = entries_of(file)
        opened = open_npz if are_arrays(entries) else open_keras if is_keras(entries) else open_zip
        return _chosen(opened(file, entries, size), size, section)
    if start.startswith(hdf5.MAGIC):
        return _chosen(open_h5(file, size), size, section)
    if start[4:8] == tflite.IDENTIFIER:
        return _chosen(open_tflite(file, size), size, section)
    if start[8:9] == b"{":  # first, for the length before it may begin as a pickle does
        tensors, metadata = _read_safetensors(file, size)
        _refuse_odd_names(tensors)
        found = apart({"": tensors} if tensors else {})
        place = chosen(found, tensors, section)
        return _Contents(
            found[place], metadata, place, tuple(name for name in found if name != place)
        )
    if start.startswith(b"\x80"):
        return _chosen(open_legacy(file, size), size, section)
    file.seek(TAR)
    if file.read(5) == b"ustar":
        raise WeightsError("is a tar archive; unpack it and give the checkpoint inside")
    kind = next((kind for magic, kind in KINDS.items() if start.startswith(magic)), "no checkpoint")
    raise WeightsError(f"is {kind}; {KNOWN_FORMATS}")


def _chosen(archive: Archive, size: int, section: str | None) -> _Contents:
    found = apart(sections(archive.held, is_tensor))
    place = chosen(found, archive.held, section)
    others = tuple(name for name in found if name != place)
    _refuse_odd_names((*found[place], *found))
    return _Contents(archive.tensors(found[place], size), {}, place, others)


def _refuse_odd_names(names: Iterable[str]) -> None:
    """Names reach the screen, where some letters move the cursor."""
    for name in names:
        if len(name) > LONGEST_NAME or not name.isprintable():
            raise WeightsError(f"holds tensors under the name {name!a:.100}; {DAMAGED}")


def _size(file: BinaryIO) -> int:
    """The bytes of a plain file, of which most are really there."""
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise WeightsError("is a pipe or a device, not a file; copy what it gives into a file")
    size = status.st_size
    if size > LARGEST:
        raise WeightsError(
            f"has {size:,} bytes, more than any network of the atlas ({LARGEST:,} at most)"
        )
    if not size:
        raise WeightsError("is empty; download or copy it again")
    if size > SOLID and _is_mostly_holes(file, size):
        raise WeightsError(
            f"has {size:,} bytes, most of which were never written; download or copy it again"
        )
    return size


def _is_mostly_holes(file: BinaryIO, size: int) -> bool:
    """Whether a disk that keeps no empty blocks keeps less than an eighth of the file."""
    end = written = 0
    try:
        while written * 8 < size:
            begin = os.lseek(file.fileno(), end, os.SEEK_DATA)
            end = os.lseek(file.fileno(), begin, os.SEEK_HOLE)
            written += end - begin
        return False
    except AttributeError:  # a system that does not say
        return False
    except OSError as error:
        return error.errno == errno.ENXIO  # no data after the last
    finally:
        file.seek(0)


def _compare_with_name(name: str, sha256: str) -> None:
    """Published files bear the first digits of their SHA-256: resnet18-f37072fd.pth."""
    match = HASH_IN_NAME.search(name)
    if match and not NO_HASH.fullmatch(match["sha256"]) and not sha256.startswith(match["sha256"]):
        promised = match["sha256"]
        raise WeightsError(
            f"is not the file that its name promises (its sha256 begins with "
            f"{sha256[: len(promised)]}, not {promised}); download it again, or rename it without "
            f"-{promised} if that is no checksum"
        )


def _read_safetensors(file: BinaryIO, size: int) -> tuple[dict[str, Tensor], dict[str, str]]:
    from safetensors.torch import load

    file.seek(0)
    (length,) = struct.unpack("<Q", file.read(8))
    if length > min(size, LARGEST_HEADER):
        raise WeightsError(
            f"promises a header of {length:,} bytes; it is damaged, or no safetensors file"
        )
    header = json.loads(file.read(length), object_pairs_hook=_without_twins)
    metadata = header.get("__metadata__", {})
    file.seek(0)
    return load(file.read()), metadata


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. One name for two tensors is read differently by different readers."""
    names = Counter(name for name, _ in pairs)
    twice = [name for name, times in names.items() if times > 1]
    if twice:
        raise WeightsError(f"holds {twice[0]!a:.100} twice; {DAMAGED}")
    return dict(pairs)


def _check(tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if str(tensor.dtype).removeprefix("torch.") not in SIZES or tensor.is_complex():
            raise WeightsError(f"holds {name} as {tensor.dtype}; save it as plain floating point")
        pieces = tensor.flatten().split(A_WHILE) if tensor.is_floating_point() else ()
        if not all(piece.isfinite().all() for piece in pieces):
            raise WeightsError(
                f"holds values in {name} that are not finite: the training that made it went wrong"
            )
