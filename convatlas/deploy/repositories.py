"""Model repositories, from which NVIDIA's Triton and OpenVINO Model Server load: a folder for the
network, one below it for the version with the proved file, and what the server must be told.

Layouts as the two document them: docs.nvidia.com, Triton's "Model Repository" and "Model
Configuration"; docs.openvino.ai, "Prepare a Model Repository" and "Model Server Parameters".
"""

import json
import tempfile
from pathlib import Path

from convatlas.deploy.engines import KINDS, REPOSITORIES
from convatlas.deploy.exporting import export
from convatlas.deploy.proof import BATCH, Proof
from convatlas.errors import ExportError
from convatlas.model_file import Saved, load_model

VERSION = "1"
LABELS = "labels.txt"
TRITON, OVMS = "config.pbtxt", "config.json"

# Dimensions after the batch. Requests of equal size are answered together, up to as many as the
# proof tried; the processor is named, for Triton takes a GPU where there is one.
_CONFIG = """name: "{name}"
backend: "onnxruntime"
max_batch_size: {batch}
input [
  {{ name: "pictures" data_type: TYPE_UINT8 dims: [ -1, -1, -1 ] }}
]
output [
  {{ name: "logits" data_type: TYPE_FP32 dims: [ {classes} ] }},
  {{ name: "probabilities" data_type: TYPE_FP32 dims: [ {classes} ] label_filename: "{labels}" }}
]
dynamic_batching {{ }}
instance_group [ {{ kind: KIND_CPU }} ]
"""


def export_repository(
    model: Saved | str | Path, to: str, output: str | Path | None = None
) -> tuple[Path, Proof]:
    """The network's folder in a model repository, and the proof of the file in it.

    `output` is the repository [models], which may hold other networks. Raises ExportError as export
    does, and where the repository has this network or, for ovms, a configuration already.
    """
    saved = model if isinstance(model, Saved) else load_model(model)
    root = Path(output or "models").expanduser()
    place = root / saved.network
    for file in (place, *([root / OVMS] if to == "ovms" else [])):
        if file.exists():
            raise ExportError(f"{file} exists; remove it, or name another with --output")
    try:
        with tempfile.TemporaryDirectory(dir=root.parent, prefix=".export-") as folder:
            proof = _write(model, saved, to, Path(folder))
            _take(Path(folder), root)
    except OSError as error:
        raise ExportError(
            f"cannot write {root} ({error.strerror or error}); choose another place with --output"
        ) from None
    return place, proof


def _write(model: Saved | str | Path, saved: Saved, to: str, root: Path) -> Proof:
    kind = KINDS[REPOSITORIES[to]]
    version = root / saved.network / VERSION
    version.mkdir(parents=True)
    labels = _labels(saved.classes)
    _, proof = export(model, kind.name, version / f"model{kind.suffix}")
    (version.parent / LABELS).write_text(labels, encoding="utf-8")
    if to == "triton":
        config = triton_config(saved.network, len(saved.classes))
        (version.parent / TRITON).write_text(config, encoding="utf-8")
    else:
        config = ovms_config(saved.network, proof.precision)
        (root / OVMS).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    return proof


def triton_config(name: str, classes: int) -> str:
    """A ModelConfig as protobuf's text."""
    return _CONFIG.format(name=name, batch=BATCH, classes=classes, labels=LABELS)


def ovms_config(name: str, precision: str) -> dict:
    """With the precision that the file was proved in: OpenVINO would choose by the processor."""
    settings = {"INFERENCE_PRECISION_HINT": precision}
    model = {"name": name, "base_path": name, "plugin_config": settings}
    return {"model_config_list": [{"config": model}]}


def _labels(classes: tuple[str, ...]) -> str:
    """One a line."""
    for name in classes:
        if len(name.splitlines()) > 1:
            raise ExportError(
                f"the class {name!r} holds a line break, and {LABELS} has a line for each class; "
                "rename the class's folder and train again"
            )
    return "".join(name + "\n" for name in classes)


def _take(written: Path, root: Path) -> None:
    """Moves everything into the repository; what was moved is taken back where the rest fails."""
    new = not root.exists()
    root.mkdir(exist_ok=True)
    done = []
    try:
        for part in sorted(written.iterdir(), key=Path.is_file):  # config.json last
            part.rename(root / part.name)
            done.append(part)
    except OSError:
        for part in done:
            (root / part.name).rename(part)
        if new:
            root.rmdir()
        raise
