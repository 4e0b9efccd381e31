"""The exported files that a server answers from, each under the name of its file."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convatlas.deploy.engines import Opened, kind_of, open_export, proof_path
from convatlas.errors import ExportError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # stands in addresses as it is
SERVED = ("onnx", "openvino")  # kinds whose engines need no torch, the usual one first


@dataclass(frozen=True, eq=False)
class Model:
    name: str
    opened: Opened

    @property
    def classes(self) -> tuple[str, ...]:
        return self.opened.record.classes

    @property
    def white(self) -> float | None:
        return self.opened.record.preprocess.get("white")


def open_models(files: Sequence[Path]) -> dict[str, Model]:
    """name -> model, in the order given.

    Raises ExportError for a file that open_export refuses, one that is no export for ONNX Runtime
    or OpenVINO, and names that are taken or cannot stand in an address.
    """
    found = {}
    for file in files:
        if kind_of(file).name not in SERVED:
            raise ExportError(
                f"a server does not answer from {file}, whose engine is "
                f"{kind_of(file).package}; export with --to {' or --to '.join(SERVED)}"
            )
        if not NAME.fullmatch(file.stem):
            raise ExportError(
                f"{file} has a name that cannot stand in an address; rename it, with its proof, to "
                "letters, digits, '.', '_' and '-'"
            )
        if file.stem in found:
            raise ExportError(f"two files are called {file.stem}; rename one, with its proof")
        found[file.stem] = Model(file.stem, _as_proved(file))
    return found


def _as_proved(file: Path) -> Opened:
    """In f32 where it was proved in that, whatever the engine would rather count in here."""
    opened = open_export(file)
    proved = json.loads(proof_path(file).read_bytes()).get("precision")
    if proved == "f32" != opened.precision:
        return open_export(file, "f32")
    return opened


def likeliest(model: Model, logits: np.ndarray, top: int) -> tuple[list[str], list[float]]:
    """The `top` classes of one picture's logits (classes,) and their probabilities, best first, in
    float64 as `predict` has them.
    """
    shares = np.exp(logits.astype(np.float64) - logits.max())
    shares /= shares.sum()
    best = np.argsort(-shares, kind="stable")[:top]
    return [model.classes[i] for i in best], shares[best].tolist()
