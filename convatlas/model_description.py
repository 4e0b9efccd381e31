"""model.json: all that is needed to use a trained network besides its weights, with a checksum over
all of it.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from convatlas import strict_json
from convatlas.data import Preprocess
from convatlas.errors import DataError, ModelFileError
from convatlas.regular_file import read_regular

FORMAT = 2  # the newest; 1 is written where no width is narrower than the network's own
LARGEST = 6_000_000  # bytes that are read at all: the names of 100,000 classes
MOST_DIMENSIONS = 8  # of a tensor
MOST_CHANNELS = 1 << 31
SHA256 = re.compile("[0-9a-f]{64}")
NEEDED = ("format", "network", "classes", "preprocess", "sha256", "provenance")
Widths = Mapping[str, tuple[int, ...]]  # shapes of the tensors that were narrowed, by name


@dataclass(frozen=True)
class Description:
    """What model.json says of the weights beside it."""

    network: str
    classes: tuple[str, ...]
    preprocess: Preprocess
    sha256: str  # of model.safetensors
    provenance: dict
    widths: Widths = field(default_factory=dict)


def describe_model(
    network: str,
    classes: tuple[str, ...],
    preprocess: Preprocess,
    provenance: dict,
    weights: bytes | str,
    widths: Widths | None = None,
) -> str:
    """The text of model.json for these weights, a file's bytes or its sha256, which are those of a
    network with some tensors narrower than its own: `widths`.
    """
    about = {
        "format": FORMAT if widths else 1,
        "network": network,
        "classes": classes,
        "preprocess": preprocess.to_dict(),
        "sha256": weights if isinstance(weights, str) else hashlib.sha256(weights).hexdigest(),
        "provenance": provenance,
    }
    if widths:
        about["widths"] = {name: list(shape) for name, shape in widths.items()}
    return json.dumps(about | {"checksum": checksum(about)}, indent=1)


def checksum(about: dict) -> str:
    """sha256 over all that a description says, however it is laid out; of its own checksum nothing.

    Raises ValueError for numbers that are not JSON.
    """
    rest = {name: value for name, value in about.items() if name != "checksum"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def read_description(path: Path) -> Description:
    """What a model.json says. Raises ModelFileError for a file that is missing, no plain file or
    too large, and as description_of does.
    """
    try:
        about = strict_json.loads(read_regular(path, LARGEST))
    except OSError as error:
        raise ModelFileError(
            f"cannot read {path} ({error.strerror}); give the folder of a finished run, one that "
            "holds model.safetensors and model.json"
        ) from None
    except ValueError:
        about = None
    return description_of(about, path)


def description_of(about: object, path: Path) -> Description:
    """What describe_model's text says once it is parsed, every value of the type and size that it
    writes. `path` is the file that it stood in.

    Those of earlier versions have no checksum, and are read without. Raises ModelFileError for one
    that was changed, or is of a newer version.
    """
    if not isinstance(about, dict):
        raise _damaged(path, "it is not the JSON that was written")
    version = about.get("format")
    if type(version) is int and version > FORMAT:
        raise ModelFileError(f"{path} was written by a newer convatlas; upgrade to read it")
    if wrong := _first_wrong(about):
        raise _damaged(path, wrong)
    try:
        preprocess = Preprocess.from_dict(about["preprocess"])
    except DataError as error:
        raise ModelFileError(f"{path}: {error}") from None
    widths = {name: tuple(shape) for name, shape in about.get("widths", {}).items()}
    return Description(
        *(about["network"], tuple(about["classes"]), preprocess, about["sha256"]),
        *(about["provenance"], widths),
    )


def _first_wrong(about: dict) -> str:
    """What describe_model cannot have written; "" where there is nothing."""
    if missing := [name for name in NEEDED if name not in about]:
        return f"it lacks {missing[0]}"
    if "checksum" in about and about["checksum"] != checksum(about):
        return "what it says was changed since it was written (its checksum differs)"
    legal = {
        "format": type(about["format"]) is int and about["format"] >= 1,
        "network": isinstance(about["network"], str),
        "classes": _are_classes(about["classes"]),
        "sha256": isinstance(about["sha256"], str) and SHA256.fullmatch(about["sha256"]),
        "provenance": isinstance(about["provenance"], dict),
        "widths": _are_widths(about.get("widths"), about["format"]),
    }
    return next((f"its {name} cannot be right" for name in legal if not legal[name]), "")


def _are_classes(names: object) -> bool:
    if not isinstance(names, list) or not names or not all(map(_is_name, names)):
        return False
    return len(set(names)) == len(names)


def _are_widths(widths: object, version: object) -> bool:
    """Whether they are there in format 2 and only there, each a shape."""
    if version == 1:
        return widths is None
    return isinstance(widths, dict) and bool(widths) and all(map(_is_shape, widths.values()))


def _is_shape(sizes: object) -> bool:
    if not isinstance(sizes, list) or not 1 <= len(sizes) <= MOST_DIMENSIONS:
        return False
    return all(type(size) is int and 1 <= size <= MOST_CHANNELS for size in sizes)


def _is_name(name: object) -> bool:
    """Whether a folder can have this name: in a name that is not UTF-8, half a surrogate pair
    stands for each odd byte.
    """
    if not isinstance(name, str) or not name or "\0" in name:
        return False
    try:
        name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _damaged(path: Path, why: str) -> ModelFileError:
    return ModelFileError(f"{path} is damaged: {why}; copy it again from the run that wrote it")
