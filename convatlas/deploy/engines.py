"""Exported files, opened by the engine that they were written for, in its default settings unless
others are asked for.

No torch is imported for a file that needs none.
"""

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np

from convatlas.deploy.openvino_cpu import compiled
from convatlas.deploy.record import KEY, Record, installed, sha256
from convatlas.deploy.scaling_graph import longest
from convatlas.errors import ExportError, first_line

LARGEST_PROOF = 8_000_000  # bytes


@dataclass(frozen=True)
class Kind:
    """A kind of exported file."""

    name: str  # as in --to
    suffix: str
    package: str  # the engine, as it is imported
    extra: str  # of convatlas, that installs it; "" where torch is enough
    beside: str = ""  # suffix of a second file with the weights
    precisions: tuple[str, ...] = ("f32",)  # that the engine can count in


KINDS = {
    "onnx": Kind("onnx", ".onnx", "onnxruntime", "onnx"),
    "openvino": Kind("openvino", ".xml", "openvino", "openvino", ".bin", ("f32", "bf16")),
    "pt2": Kind("pt2", ".pt2", "torch", ""),
    "aoti": Kind("aoti", ".pt2", "torch", ""),
    "executorch": Kind("executorch", ".pte", "executorch", "executorch"),
}
REPOSITORIES = {
    "triton": "onnx",
    "ovms": "openvino",
}  # folders of servers -> the kind of file in it


@dataclass(frozen=True, eq=False)
class Opened:
    """An exported file, ready: uint8 pictures (N, H, W, 1 or 3) in, logits and probabilities, each
    float32 (N, classes), out. ExportError for anything else, and for pictures that are too large.
    """

    record: Record
    engine: str  # and its version
    precision: str  # in which the engine counts: "f32", "bf16"
    run: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    usual: bool = True  # the engine counts so unless it is asked for another precision
    longest: int | None = None  # pixels of a side that the file can scale

    def __call__(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[3] not in (1, 3):
            raise ExportError(
                "pictures must be uint8 of shape (N, height, width, 1 or 3), not "
                f"{pictures.dtype} of {pictures.shape}"
            )
        h, w = pictures.shape[1:3]
        if self.longest and max(h, w) > self.longest:
            raise ExportError(
                f"this file takes pictures of up to {self.longest:,} pixels a side, not {h:,} x "
                f"{w:,}; scale them down first"
            )
        return self.run(np.ascontiguousarray(pictures))


def kind_of(path: Path) -> Kind:
    from convatlas.deploy.aoti import is_package

    for kind in KINDS.values():
        if path.suffix == kind.suffix:
            return KINDS["aoti"] if kind.name == "pt2" and is_package(path) else kind
    known = ", ".join(dict.fromkeys(kind.suffix for kind in KINDS.values()))
    raise ExportError(f"{path} is no exported file; their names end in {known}")


def needed(package: str, extra: str, purpose: str) -> ModuleType:
    """A package of an extra. ExportError, with what to type, where it is not installed."""
    try:
        return import_module(package)
    except ImportError:
        raise ExportError(
            f"{purpose} needs {package}, which is not installed: pip install 'convatlas[{extra}]'"
        ) from None


def proof_path(path: Path) -> Path:
    return path.with_name(path.name + ".proof.json")


def content_hashes(path: Path) -> dict[str, str]:
    """suffix -> sha256 of each file that an export consists of."""
    kind = kind_of(path)
    try:
        return {
            suffix: sha256(path.with_suffix(suffix).read_bytes())
            for suffix in (kind.suffix, kind.beside)
            if suffix
        }
    except OSError as error:
        raise ExportError(f"cannot read {path} ({error.strerror}); give an exported file") from None


def open_export(
    path: str | Path, precision: str | None = None, threads: int | None = None
) -> Opened:
    """An exported file, once its proof says that it is the file that was proved.

    `precision` is f32 or bf16 where the engine has both, `threads` how many the engine may use;
    None leaves either to the engine, except that a file for which only f32 was proved is opened in
    f32. Raises ExportError for a file that is missing, without its proof, altered since, not proved
    in the precision, or whose engine is not installed or lacks the precision.
    """
    path = Path(path).expanduser()
    hashes = content_hashes(path)
    beside = proof_path(path)
    try:
        with beside.open("rb") as file:
            proof = json.loads(file.read(LARGEST_PROOF))
        proved, record = proof["files"], proof["record"]
        forms = [proof, *proof.get("others", [])]
        precisions = [form.get("precision") for form in forms if form.get("holds")]
    except OSError:
        raise ExportError(
            f"{path} has no proof beside it ({beside.name}); copy the two together again, or "
            "export the network again"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ExportError(f"{beside} is damaged; export the network again") from None
    if proved != hashes:
        raise ExportError(
            f"{path} is not the file that was proved (its sha256 differs from that in "
            f"{beside.name}); copy the two together again, or export the network again"
        )
    opened = _opened(path, precision, threads, precisions)
    if json.loads(opened.record.to_json()) != record:
        raise ExportError(
            f"{beside} is of other classes, other preprocessing or another network than {path}; "
            "export the network again"
        )
    return opened


def _opened(path: Path, precision: str | None, threads: int | None, proved: list[str]) -> Opened:
    """In a precision that was proved, where the engine has several. Of an int8 file the engine says
    how it counts around the whole numbers.
    """
    opened = open_unproved(path, precision, threads)
    if len(kind_of(path).precisions) == 1 or {opened.precision, "int8"} & {*proved}:
        return opened
    if precision is None and "f32" in proved:
        return open_unproved(path, "f32", threads)
    raise ExportError(
        f"{path} was proved in {' and '.join(proved)}, not in {opened.precision}; export the "
        "network again on a machine like this one"
    )


def open_unproved(path: Path, precision: str | None = None, threads: int | None = None) -> Opened:
    """The same without looking for a proof."""
    kind = kind_of(path)
    if precision not in (None, *kind.precisions):
        raise ExportError(
            f"{kind.package} has no {precision} for {path}; it has {' and '.join(kind.precisions)}"
        )
    from convatlas.deploy.aoti import open_aoti
    from convatlas.deploy.executorch import open_executorch

    opener = {
        "onnx": _onnx,
        "openvino": _openvino,
        "pt2": _pt2,
        "aoti": open_aoti,
        "executorch": open_executorch,
    }[kind.name]
    try:
        return opener(path, kind, precision, threads)
    except ExportError:
        raise
    except Exception as error:  # each engine raises its own
        raise ExportError(
            f"{kind.package} cannot open {path} ({first_line(error)}); install a newer one, or "
            "export the network again"
        ) from error


def _onnx(path: Path, kind: Kind, precision: str | None, threads: int | None) -> Opened:
    ort = needed(kind.package, kind.extra, f"{path.name}")
    options = ort.SessionOptions()
    options.log_severity_level = 3  # it warns of constants that its own folding leaves unused
    if threads is not None:
        options.intra_op_num_threads = threads
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    text = session.get_modelmeta().custom_metadata_map.get(KEY, "")

    def run(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logits, probabilities = session.run(["logits", "probabilities"], {"pictures": pictures})
        return logits, probabilities

    record = Record.from_json(text, str(path))
    return Opened(record, _called("onnxruntime"), "f32", run, longest=_longest(record))


def _openvino(path: Path, kind: Kind, precision: str | None, threads: int | None) -> Opened:
    ov = needed(kind.package, kind.extra, f"{path.name}")
    model = ov.Core().read_model(str(path))
    has = model.has_rt_info([KEY])
    text = model.get_rt_info([KEY]).astype(str) if has else ""
    asked = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads}
    settings = {name: value for name, value in asked.items() if value is not None}
    network = compiled(ov, model, settings)
    counted = network.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    if precision not in (None, counted):
        raise ExportError(f"{kind.package} has no {precision} on this machine; it has {counted}")

    def run(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = network(pictures)
        return found["logits"], found["probabilities"]

    record = Record.from_json(text, str(path))
    engine = _called("openvino")
    return Opened(record, engine, counted, run, precision is None, _longest(record))


def _pt2(path: Path, kind: Kind, precision: str | None, threads: int | None) -> Opened:
    torch = needed(kind.package, kind.extra, f"{path.name}")
    zipfile.ZipFile(path).close()  # what it cannot read was not searched for machine code
    extra = {KEY: ""}
    program = torch.export.load(path, extra_files=extra).module()
    text = extra[KEY]
    text = text.decode() if isinstance(text, bytes) else text
    record = Record.from_json(text, str(path))
    return Opened(record, _called("torch"), "f32", answering(program, threads))


def answering(
    program: Callable, threads: int | None
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """What `Opened.run` is, of a program that takes and gives torch's tensors."""
    import torch

    if threads is not None:
        torch.set_num_threads(threads)  # torch has one setting for the whole process

    def run(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with torch.inference_mode():
            logits, probabilities = program(torch.from_numpy(pictures))
        return logits.numpy(), probabilities.numpy()

    return run


def _longest(record: Record) -> int:
    prep = record.preprocess
    return longest(prep.get("interpolation", "bilinear"), prep["content"])


def _called(package: str) -> str:
    return f"{package} {installed(package).get(package, '')}".strip()
