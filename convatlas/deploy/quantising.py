"""From a finished run to an int8 file that is proved, and faster than the float one."""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np

from convatlas.data import Split
from convatlas.deploy import calibration
from convatlas.deploy.calibration import Calibration
from convatlas.deploy.engines import (
    KINDS,
    Opened,
    content_hashes,
    needed,
    open_unproved,
    proof_path,
)
from convatlas.deploy.exporting import require_free, take
from convatlas.deploy.proof import Batch, answers, batches_of, relative_error, share
from convatlas.deploy.writers import record_of, write
from convatlas.errors import ExportError
from convatlas.finished_run import open_run
from convatlas.model_file import Saved
from convatlas.timing import alternated

PICTURES = 5000  # of the validation split, all where it has fewer
QUANTISERS = {  # --to -> how it is made, the extra, and the packages
    "onnx": ("int8", "onnx", ("onnx", "onnxscript", "onnxruntime")),
    "openvino": ("int8_openvino", "nncf", ("onnx", "onnxscript", "openvino", "nncf")),
}
LOSS = 0.5  # largest loss of top-1 accuracy, in points
AGREEMENT = 0.97
FLOAT_SHARE = 0.5  # of the layers; a network with more of them in float is no int8 network
LISTED = 32  # pictures that the layers are compared on
SECONDS = 2.0  # of timing


@dataclass(frozen=True)
class Int8Proof:
    """How an int8 file answers beside its network, from what its scales are, how fast it is."""

    engine: str
    latency_ms: dict[str, float]  # a picture at a time, of the same file in "int8" and in float
    pictures: int
    source: str  # of the pictures
    accuracy: float
    accuracy_before: float
    agreement: float
    error: float  # largest difference of logits, relative to the largest logit
    calibration: dict  # source, count, sha256
    layers: list[dict]  # layer, node and error of each in int8 alone, worst first
    in_float: list[str]  # layers left so
    sizes: dict[str, int]  # bytes of the file in "int8" and in float
    precision: str = "int8"
    limit_loss: float = LOSS
    limit_agreement: float = AGREEMENT

    @property
    def loss(self) -> float:
        """In points."""
        return 100 * (self.accuracy_before - self.accuracy)

    @property
    def holds(self) -> bool:
        # 0.5 points of 200 pictures are one picture, and 100 * (0.5 - 0.495) is above 0.5 in floats
        return self.loss <= LOSS + 1e-9 and self.agreement >= AGREEMENT

    @property
    def faster(self) -> bool:
        return self.latency_ms["int8"] < min(
            value for name, value in self.latency_ms.items() if name != "int8"
        )

    def __str__(self) -> str:
        left = f", {len(self.in_float)} layers left in float" if self.in_float else ""
        return (
            f"{self.engine} in int8, {self.pictures} {self.source}: {100 * self.accuracy:.2f} % "
            f"right (predict {100 * self.accuracy_before:.2f} %, limit {LOSS} points less), "
            f"{100 * self.agreement:.1f} % the same answer (limit {100 * AGREEMENT:.0f} %)"
            f"{left}; {self.speeds()}"
        )

    def speeds(self) -> str:
        return ", ".join(f"{ms:.2f} ms in {name}" for name, ms in self.latency_ms.items())


def export_int8(
    run: str | Path,
    output: str | Path | None = None,
    calibrate: str | Path | None = None,
    keep_slower: bool = False,
    said: Callable[[str], None] = lambda line: None,
    to: str = "onnx",
) -> tuple[Path, Int8Proof]:
    """Writes a file in int8 that takes raw pictures, for ONNX Runtime or with to="openvino" for
    OpenVINO, and its proof beside it.

    The scales are taken from the pictures below the folder `calibrate`, or from the run's own for
    training. The layers that int8 changes most are left in float, one or more at a time, until the
    file holds its limits on the run's validation pictures. `said` hears each step. Raises
    ExportError where the limits are missed, or the file is not faster than the float one in the
    same engine, in whichever precision that is fastest, and `keep_slower` was not asked for: then
    nothing is left; and DataError or ModelFileError for pictures or a run that cannot be read.
    """
    if to not in QUANTISERS:
        raise ExportError(
            f"--int8 writes files for {' and '.join(QUANTISERS)}, not {to}; choose one with --to"
        )
    _, extra, packages = QUANTISERS[to]
    for package in packages:
        needed(package, extra, f"--int8 --to {to}")
    saved, _, images = open_run(run)
    kind = KINDS[to]
    place = Path(output or f"{saved.network}.int8{kind.suffix}").expanduser()
    if place.suffix != kind.suffix:
        raise ExportError(f"{place} must end in {kind.suffix}, as files for {to} do")
    require_free(place, kind)
    name = "val" if "val" in images.parts else images.usual
    validation = images.of(images.split(name))
    taken = (
        calibration.of_run(saved, images)
        if calibrate is None
        else calibration.of_folder(saved, calibrate)
    )
    try:
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".export-") as folder:
            written = Path(folder) / place.name
            about = f"{name} pictures of {images.name}"
            proof = _Attempts(saved, to, written, validation, about, taken, said).proved()
            if not (proof.faster or keep_slower):
                raise ExportError(
                    f"{saved.network} is not faster in int8 on this machine ({proof.speeds()} for "
                    "a picture), and was not kept; export it without --int8, or keep it all the "
                    "same with --keep-slower"
                )
            _write_proof(proof, saved, written)
            take(written, place, kind)
    except OSError as error:
        raise ExportError(
            f"cannot write {place} ({error.strerror}); choose another place with --output"
        ) from None
    return place, proof


class _Attempts:
    """int8 files of one network, each with more layers in float than the one before."""

    def __init__(
        self,
        saved: Saved,
        to: str,
        place: Path,
        validation: Split,
        source: str,
        taken: Calibration,
        said: Callable[[str], None],
    ):
        self.saved = saved
        self.to = to
        self.quantiser = import_module(f"convatlas.deploy.{QUANTISERS[to][0]}")
        self.place = place
        self.validation = validation
        self.source = source
        self.taken = taken
        self.said = said
        self.network = self.quantiser.network_of(saved)
        both = [(answers(saved, pictures), classes) for pictures, classes in self._batches()]
        self.wanted = np.concatenate([one for one, _ in both])
        self.truth = np.concatenate([classes for _, classes in both])

    def _batches(self) -> Iterator[Batch]:
        """Read anew each time: thousands of photographs are too much to hold."""
        return batches_of(self.validation, self.saved.preprocess.white, PICTURES)

    def proved(self) -> Int8Proof:
        """The first that holds its limits. ExportError where none does."""
        in_float: dict[str, str] = {}  # node -> layer
        more, count = 1, 0
        listed = [batch[:1] for batch in self.taken.inputs[:LISTED]]
        while True:
            model = self.quantiser.quantised(self.network, self.taken.inputs, in_float)
            # one in float may still read what its neighbour hands on in int8
            found = self.quantiser.layer_errors(self.network, model, listed)
            layers = [one for one in found if one.node not in in_float]
            count = count or len(layers)
            self.quantiser.write(self.saved, model, self.place)
            proof = self._proof(layers, list(in_float.values()))
            if proof.holds:
                return self._timed(proof)
            self.said(f"{_figures(proof)}; the worst layers:")
            for one in layers[:5]:
                self.said(f"  {one.layer}  {100 * one.error:.1f} % off")
            if not layers or len(in_float) + more > FLOAT_SHARE * count:
                raise ExportError(
                    f"{self.saved.network} in int8 does not answer as predict does, and was not "
                    f"kept: {_figures(proof)} (limits {LOSS} points and {100 * AGREEMENT:.0f} %), "
                    f"with {len(in_float)} of {count} layers in float; export it without --int8"
                )
            in_float |= {one.node: one.layer for one in layers[:more]}
            more = max(1, len(in_float))

    def _proof(self, layers: list, in_float: list[str]) -> Int8Proof:
        opened = open_unproved(self.place)
        found = np.concatenate([opened(pictures)[0] for pictures, _ in self._batches()])
        if not np.isfinite(found).all():
            raise ExportError(f"{self.saved.network} in int8 gives answers that are no numbers")
        return Int8Proof(
            engine=opened.engine,
            latency_ms={},
            pictures=len(found),
            source=self.source,
            accuracy=share(found.argmax(1) == self.truth),
            accuracy_before=share(self.wanted.argmax(1) == self.truth),
            agreement=share(found.argmax(1) == self.wanted.argmax(1)),
            error=relative_error(found, self.wanted),
            calibration={
                "source": self.taken.source,
                "count": self.taken.count,
                "sha256": self.taken.sha256,
            },
            layers=[asdict(one) for one in layers],
            in_float=in_float,
            sizes={"int8": _size(self.place)},
        )

    def _timed(self, proof: Int8Proof) -> Int8Proof:
        """With what a file in float takes in the same engine, in each precision that it has there,
        in turn with this one.
        """
        kind = KINDS[self.to]
        beside = self.place.with_name(f"float{kind.suffix}")
        write(self.saved, self.to, beside)
        forms = {"int8": open_unproved(self.place)}
        for precision in kind.precisions:
            in_float = open_unproved(beside, precision if len(kind.precisions) > 1 else None)
            forms[in_float.precision] = in_float
            proof.sizes[in_float.precision] = _size(beside)
        proof.latency_ms.update(latencies(forms, next(self._batches())[0][:1]))
        return proof


def _size(place: Path) -> int:
    """Bytes of all that an export consists of."""
    return sum(place.with_suffix(suffix).stat().st_size for suffix in content_hashes(place))


def latencies(forms: dict[str, Opened], picture: np.ndarray) -> dict[str, float]:
    """Milliseconds for one picture in each form, the median."""
    calls = {name: partial(opened, picture) for name, opened in forms.items()}
    return {name: 1000 * one.median for name, one in alternated(calls, SECONDS).items()}


def _figures(proof: Int8Proof) -> str:
    return f"{proof.loss:.2f} points lost, {100 * proof.agreement:.1f} % the same answer"


def _write_proof(proof: Int8Proof, saved: Saved, place: Path) -> None:
    about = {
        "holds": proof.holds,
        "faster": proof.faster,
        **asdict(proof),
        "files": content_hashes(place),
        "record": json.loads(record_of(saved).to_json()),
    }
    proof_path(place).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
