"""What an exported file says of itself: the same lines in the file's own metadata and in the proof
beside it. Imports no torch.
"""

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from convatlas import strict_json
from convatlas.errors import ExportError

FORMAT = 1
KEY = "convatlas"  # under which a file's metadata holds the record
PARTS = ("format", "network", "classes", "preprocess", "weights", "provenance", "versions")


@dataclass(frozen=True)
class Record:
    """Which network answers, in which classes, to pictures read how, from which weights."""

    network: str
    classes: tuple[str, ...]
    preprocess: dict  # as Preprocess.to_dict writes it
    weights: str  # sha256 of the weights as model.safetensors would hold them
    provenance: dict
    versions: dict[str, str]  # of the packages that wrote the file

    def to_json(self) -> str:
        """Equal records give equal text; its digest is last."""
        about = {"format": FORMAT} | {name: getattr(self, name) for name in PARTS[1:]}
        return json.dumps(about | {"digest": _digest(about)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, where: str) -> "Record":
        """Raises ExportError for text that to_json has not written, or that was altered since."""
        try:
            about = strict_json.loads(text.encode())
        except ValueError:
            about = None
        if not isinstance(about, dict) or {*about} != {*PARTS, "digest"}:
            raise ExportError(
                f"{where} holds no record of convatlas, or a damaged one; export the network again"
            )
        if about.pop("digest") != _digest(about):
            raise ExportError(
                f"the classes, the preprocessing or the origin that {where} names were altered "
                "after it was written; export the network again"
            )
        if about.pop("format") != FORMAT:
            raise ExportError(f"{where} was written by a newer convatlas; upgrade to read it")
        return cls(**about | {"classes": tuple(about["classes"])})


def installed(*packages: str) -> dict[str, str]:
    """Their versions, of those that are installed."""
    found = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest(about: dict) -> str:
    return sha256(json.dumps(about, sort_keys=True, allow_nan=False).encode())
