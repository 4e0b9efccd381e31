"""The proof of an exported file: the file itself, opened by its engine in default settings and fed
raw pictures, against the network that it was made from.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from convatlas.data import Split
from convatlas.deploy.engines import Opened, content_hashes, proof_path
from convatlas.errors import ExportError
from convatlas.model_file import Saved

BATCH = 8
PICTURES = 256  # of a run, spread evenly over its validation pictures
Batch = tuple[np.ndarray, np.ndarray | None]  # pictures, and their classes where known


@dataclass(frozen=True)
class Limit:
    """What an engine that counts in a precision may differ by."""

    error: float  # largest difference of logits, relative to the largest logit
    agreement: float  # share of pictures with the same likeliest class


# bfloat16 keeps 8 bits, so that every layer rounds by up to 2^-9; measured up to 0.06 on trained
# networks. A network whose classes lie closer than that loses pictures, and is refused.
LIMITS = {"f32": Limit(1e-5, 1.0), "bf16": Limit(0.1, 0.97)}


@dataclass(frozen=True)
class Proof:
    """How far an exported file is from the network, picture by picture."""

    engine: str
    precision: str
    pictures: int
    source: str  # of the pictures
    error: float
    agreement: float
    limit: Limit
    accuracy: float | None = None  # of the file, where the classes of the pictures are known
    accuracy_before: float | None = None  # of the network
    usual: bool = True  # in the precision in which the engine counts unless asked for another
    others: tuple["Proof", ...] = ()  # of the same file, in other precisions

    @property
    def holds(self) -> bool:
        return self.error <= self.limit.error and self.agreement >= self.limit.agreement

    def __str__(self) -> str:
        return "; ".join(one._told() for one in (self, *self.others))

    def _told(self) -> str:
        scored = (
            f", {100 * self.accuracy:.2f} % right (predict {100 * self.accuracy_before:.2f} %)"
            if self.accuracy is not None and self.accuracy_before is not None
            else ""
        )
        note = " (its default here)" if self.usual and self.precision != "f32" else ""
        refused = "" if self.holds else "; refused in this precision"
        return (
            f"{self.engine} in {self.precision}{note}, {self.pictures} {self.source}: "
            f"largest error {self.error:.1e} of the largest logit (limit {self.limit.error:.0e}), "
            f"{100 * self.agreement:.1f} % the same answer (limit "
            f"{100 * self.limit.agreement:.0f} %){scored}{refused}"
        )


def prove(saved: Saved, forms: list[Opened], batches: Iterable[Batch], source: str) -> list[Proof]:
    """Of one file, in each of the precisions in which it was opened.

    Raises ExportError where such a precision has no limit, or there is no picture.
    """
    for opened in forms:
        if opened.precision not in LIMITS:
            raise ExportError(
                f"{opened.engine} counts in {opened.precision} here, for which no limit is stated; "
                "choose another engine with --to"
            )
    found, wanted, truth = [], [], []
    for pictures, classes in batches:
        found.append([opened(pictures)[0] for opened in forms])
        wanted.append(answers(saved, pictures))
        truth.append(classes)
    if not found:
        raise ExportError("there is no picture to prove the file with")
    ours = np.concatenate(wanted)
    known = None if any(t is None for t in truth) else np.concatenate(truth)
    return [
        _compared(opened, np.concatenate(theirs), ours, known, source)
        for opened, theirs in zip(forms, zip(*found, strict=True), strict=True)
    ]


def _compared(
    opened: Opened, theirs: np.ndarray, ours: np.ndarray, known: np.ndarray | None, source: str
) -> Proof:
    right = [None if known is None else share(x.argmax(1) == known) for x in (theirs, ours)]
    return Proof(
        opened.engine,
        opened.precision,
        len(ours),
        source,
        relative_error(theirs, ours),
        share(theirs.argmax(1) == ours.argmax(1)),
        LIMITS[opened.precision],
        *right,
        usual=opened.usual,
    )


def write_proof(proof: Proof, opened: Opened, path: Path) -> None:
    """FILE.proof.json beside the export at `path`."""
    about = {
        **_told(proof),
        "others": [_told(other) for other in proof.others],
        "files": content_hashes(path),
        "record": json.loads(opened.record.to_json()),
    }
    proof_path(path).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def _told(proof: Proof) -> dict:
    return {"holds": proof.holds, **asdict(proof)}


def batches_of(split: Split, white: float | None, count: int = PICTURES) -> Iterator[Batch]:
    """Pictures of a split, spread evenly, as they are read: raw; those of equal size together."""
    count = min(count, len(split))
    waiting: list[tuple[np.ndarray, int]] = []
    for i in (n * len(split) // count for n in range(count)):
        picture = split.read(i, white=white).permute(1, 2, 0).numpy()
        if waiting and (waiting[0][0].shape != picture.shape or len(waiting) == BATCH):
            yield _together(waiting)
            waiting = []
        waiting.append((picture, int(split.labels[i])))
    if waiting:
        yield _together(waiting)


def _together(waiting: list[tuple[np.ndarray, int]]) -> Batch:
    pictures, classes = zip(*waiting, strict=True)
    return np.stack(pictures), np.array(classes)


def answers(saved: Saved, pictures: np.ndarray) -> np.ndarray:
    """What `predict` computes for these pictures, before the softmax."""
    planes = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()
    with torch.inference_mode():
        return saved.net(saved.preprocess.normalise(saved.preprocess.fit_images(planes))).numpy()


def relative_error(found: np.ndarray, wanted: np.ndarray) -> float:
    """The largest difference over the largest value; inf where anything is not finite: a NaN must
    not pass for a small error.
    """
    error = float(abs(found.astype(np.float64) - wanted).max() / abs(wanted).max())
    return error if np.isfinite(error) else float("inf")


def share(hits: np.ndarray) -> float:
    return float(hits.mean())
