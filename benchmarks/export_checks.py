"""One network of the atlas as a file of each engine, opened by it and fed raw pictures."""

import contextlib
import copy
import io
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.lively_weights import distance, enliven
from convatlas.data import Preprocess
from convatlas.deploy.engines import KINDS, open_unproved
from convatlas.deploy.proof import LIMITS, answers, relative_error, share
from convatlas.deploy.record import installed, sha256
from convatlas.deploy.sample_pictures import picture
from convatlas.deploy.writers import onnx_model, write_onnx, write_openvino, write_pt2
from convatlas.errors import ExportError
from convatlas.model_file import Saved, load_model
from convatlas.registry import create_model, stored_facts
from convatlas.training import builtin, train

HOUSE = Path(__file__).parents[1] / "convatlas"
SIDE = 64  # pixels, of networks that read as little
BATCHES = ((1, 150, 200), (3, 97, 61), (8, 40, 120))  # pictures, height, width
COUNT = sum(count for count, _, _ in BATCHES)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
LIMIT = LIMITS["f32"]
CHAOS = 2  # times as far from the answer in float64 as the network's own in float32, at most
ROUNDING = 1e-3  # of the largest logit, by which float32 may differ from float64 in any network
EPOCHS = 4  # of LeNets, on the built-in digits
PACKAGES = {
    "pt2": ("torch",),
    "onnx": ("torch", "onnx", "onnxscript", "onnxruntime"),
    "openvino": ("torch", "onnx", "onnxscript", "openvino"),
}
PARTS = ("network_graph", "picture_graph", "picture_module", "scaling_graph", "sample_pictures")
OWN_PARTS = {"openvino": ("openvino_graph",)}  # of an engine
_BUILT_ON = re.compile(r"^from convatlas\.nets(?:\.(\w+))? import (\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """A network ready to be exported, and what it answers."""

    saved: Saved
    weights: str  # how they were made
    apart: float  # how far its answers are apart, of the largest logit
    pictures: list[np.ndarray]
    wanted: np.ndarray


def sample() -> list[np.ndarray]:
    """The pictures of each batch, the same for every network."""
    numbers = iter(range(COUNT))
    return [
        np.stack([picture(next(numbers), height, width) for _ in range(count)])
        for count, height, width in BATCHES
    ]


def case(name: str, pictures: list[np.ndarray]) -> Case:
    """Raises ValueError for a network whose logits do not tell the pictures apart."""
    if stored_facts()[name]["family"].startswith("lenet"):
        saved, how = trained(name), f"trained for {EPOCHS} epochs on digits"
        wanted = _answers(saved, pictures)
        apart = distance(torch.from_numpy(wanted))
    else:
        saved = fresh(name)
        how, apart = enliven(saved.net, torch.cat([_input(saved, batch) for batch in pictures]))
        wanted = _answers(saved, pictures)
    return Case(saved, how, apart, pictures, wanted)


def fresh(name: str) -> Saved:
    torch.manual_seed(0)
    net = create_model(name).eval()
    side, channels = max(net.smallest, min(net.side, SIDE)), net.in_channels
    prep = Preprocess(channels, side, MEAN[:channels], STD[:channels], "resize", side)
    classes = tuple(map(str, range(stored_facts()[name]["num_classes"])))
    return Saved(net, name, classes, prep, {"weights": "of benchmarks.exports"})


def trained(name: str) -> Saved:
    recipe = builtin.read("lenet5_digits")
    loss = recipe.loss if name == recipe.network else "cross-entropy"
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        with contextlib.redirect_stdout(io.StringIO()):
            train(recipe.change(network=name, epochs=EPOCHS, loss=loss), run)
        return load_model(run)


def rows(case: Case, kinds: list[str]) -> Iterator[dict]:
    """What came of each engine: its figures, why the network is refused, or what broke."""
    model = None
    for kind in kinds:
        start = time.process_time()
        row = {
            "network": case.saved.network,
            "engine": kind,
            "side": case.saved.preprocess.side,
            "pictures": len(case.wanted),
            "weights": case.weights,
            "apart": case.apart,
        }
        try:
            if kind != "pt2" and model is None:
                model = onnx_model(case.saved)
            row |= measured(case, kind, model)
        except ExportError as error:
            row |= {"refused": str(error)}
        except Exception as error:  # whatever a writer or an engine brings about is a fault
            row |= {"broken": f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"}
        yield row | {"seconds": round(time.process_time() - start, 1)}


def measured(case: Case, kind: str, model: object) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"network{KINDS[kind].suffix}"
        if kind == "pt2":
            write_pt2(case.saved, place)
        else:
            {"onnx": write_onnx, "openvino": write_openvino}[kind](case.saved, place, model)
        opened = open_unproved(place, "f32", threads=1)
        found = np.concatenate([opened(batch)[0] for batch in case.pictures])
    return {"precision": opened.precision} | judged(
        found, case.wanted, lambda: exact(case.saved, case.pictures)
    )


def judged(found: np.ndarray, wanted: np.ndarray, exact: Callable[[], np.ndarray]) -> dict:
    """Against the network's own answers; where these are too far away, both against those in
    float64, which the engine must not miss by more than CHAOS times what the network does.
    """
    error, agreement = relative_error(found, wanted), agreeing(found, wanted)
    row = {"error": error, "agreement": agreement, "reference": "float32"}
    if error <= LIMIT.error and agreement >= LIMIT.agreement:
        return row | {"holds": True}
    truth = exact()
    ours, theirs = relative_error(wanted, truth), relative_error(found, truth)
    if ours > ROUNDING:
        raise ValueError(
            f"float32 itself is off by {ours:.1e}: rounding decides, nothing is proved"
        )
    agreement = agreeing(found, truth)
    return {
        "error": theirs,
        "agreement": agreement,
        "reference": "float64",
        "own_error": ours,
        "between": error,
        "holds": theirs <= max(LIMIT.error, CHAOS * ours) and agreement >= LIMIT.agreement,
    }


def agreeing(found: np.ndarray, wanted: np.ndarray) -> float:
    return share(found.argmax(1) == wanted.argmax(1))


def exact(saved: Saved, pictures: list[np.ndarray]) -> np.ndarray:
    net = copy.deepcopy(saved.net).double()
    with torch.inference_mode():
        return np.concatenate([net(_input(saved, batch).double()).numpy() for batch in pictures])


def _answers(saved: Saved, pictures: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([answers(saved, batch) for batch in pictures])


def _input(saved: Saved, batch: np.ndarray) -> torch.Tensor:
    planes = torch.from_numpy(batch).permute(0, 3, 1, 2).contiguous()
    return saved.preprocess.normalise(saved.preprocess.fit_images(planes))


def source(name: str) -> str:
    """Of what a network is: its file, those it builds on, and the layers and the function that the
    index holds of it, which its tests compare with what it computes.
    """
    golden = (HOUSE / "index" / kind / f"{name}.json" for kind in ("layers", "functions"))
    return _digest([*nets(stored_facts()[name]["family"]), *golden])


def shared_source(kind: str) -> str:
    """Of the files that all networks share in an engine: their layers, the writer of graphs, what
    makes input of pictures, and what measures.
    """
    deploy = HOUSE / "deploy"
    parts = [*PARTS, *OWN_PARTS.get(kind, ())]
    checks = [Path(__file__), Path(__file__).with_name("lively_weights.py")]
    pictures = HOUSE / "data" / "preprocess.py"
    layers = sorted((HOUSE / "layers").glob("*.py"))
    return _digest([*(deploy / f"{part}.py" for part in parts), pictures, *checks, *layers])


def nets(family: str) -> list[Path]:
    """The file of a family and those of nets/ that it builds on."""
    found: dict[Path, None] = {}
    waiting = [family]
    while waiting:
        file = HOUSE / "nets" / f"{waiting.pop()}.py"
        if file not in found and file.exists():
            found[file] = None
            text = file.read_text(encoding="utf-8")
            waiting += [one or other for one, other in _BUILT_ON.findall(text)]
    return sorted(found)


def _digest(files: list[Path]) -> str:
    told = "\0".join(file.read_text(encoding="utf-8") for file in files)
    return sha256(told.encode())[:16]


def versions(kind: str) -> dict[str, str]:
    return installed(*PACKAGES[kind])
