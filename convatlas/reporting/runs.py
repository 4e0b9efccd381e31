"""A run as a report sees it: who was trained on what, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from convatlas.training.answers_file import Answers


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run. Errors are shares, 0 to 1."""

    name: str  # of its folder, as seen from the folder that holds all runs of the report
    folder: Path
    network: str
    data: str  # the set's name
    fingerprint: str  # of its images
    seed: int
    recipe: Mapping[str, object]  # what can change the result, but network, data, seed and threads
    classes: tuple[str, ...]
    confusion: "csr_array"  # (classes, classes) int64: row is the true class, column the answer
    tested_on: str  # where the test pictures come from; "" where an older version made the run
    top5: float  # share of pictures whose class is among the five likeliest
    loss: float | None  # mean over the test pictures
    calibration_error: float
    validation_error: float  # of the epoch that was tested
    best_epoch: int  # that epoch, from 1
    epochs: int  # that were trained
    seconds: float  # of training and validation
    date: str  # of the test
    provenance: Mapping[str, object]  # versions, commit, device, cores, threads, processes
    log: tuple[Mapping[str, float | None], ...]  # an epoch each
    answers: "Answers | None"  # None: the run recorded none
    milliseconds: float | None = None  # for one picture, where latency.json says so

    @property
    def pictures(self) -> int:
        """Test pictures."""
        return int(self.confusion.sum())

    @property
    def correct(self) -> int:
        return int(self.confusion.trace())

    @property
    def error(self) -> float:
        return (self.pictures - self.correct) / self.pictures


@dataclass(frozen=True)
class Unfinished:
    """A run that has no result yet."""

    name: str
    network: str
    data: str
    seed: int
    epochs: int  # done
    of: int  # to be done
    validation_error: float | None  # the lowest so far, a share
    is_trained: bool  # to its end, and the test pictures were not looked at


@dataclass(frozen=True)
class Gathered:
    """All runs of a report, each once."""

    runs: tuple[Run, ...]
    unfinished: tuple[Unfinished, ...]
    home: Path | None  # of the study or folder of runs that was given, where it was one and alone
