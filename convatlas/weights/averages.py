"""Which of a file's weights are a running average of others: by the name of where they stand.

A teacher, a target and a key encoder (MoCo's encoder_k) are averages of the student, the online and
the query encoder that is trained.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from convatlas.errors import WeightsError
from convatlas.weights.reading import Checkpoint, read

AVERAGE = re.compile(
    r"(?:^|[._])(?:ema\d?|avg|averaged?|averaging|swa|shadow|teacher|target|momentum|encoder_k|"
    r"exponentialmovingaverage)"
    r"(?=[._]|$)",
    re.IGNORECASE,
)
OF_ANOTHER_PURPOSE = re.compile(
    r"(?:^|[._])(?:optim\w*|adamw?|sgd|scheduler|scaler|loss\w*)(?=[._]|$)", re.I
)
COUNT = "n_averaged"  # in the state of torch.optim.swa_utils.AveragedModel
# Lightning keeps the average under state_dict and what was averaged under this name
LIGHTNINGS_RAW = "current_model_state"
AVERAGED = "these are averaged weights"
REMEDY = "ema=True (on the command line --ema; for training --weights-ema)"


def is_average(place: str) -> bool:
    """Whether what stands there in a file, a section or a prefix, is an average of weights."""
    return bool(AVERAGE.search(place)) and not OF_ANOTHER_PURPOSE.search(place)


def average_among(places: Iterable[str]) -> list[str]:
    """Those of the places that hold an average."""
    return [place for place in places if is_average(place)]


def open_checkpoint(path: Path, ema: bool = False) -> Checkpoint:
    """The file's raw weights where it has them, or with `ema` the average. The folder of a finished
    run stands for the weights in it.

    Raises WeightsError for a file that cannot be read safely, or that has several averages.
    """
    own = path / "model.safetensors"
    path = own if path.is_dir() and own.exists() else path
    file = read(path)
    if LIGHTNINGS_RAW in file.others:
        return file
    averages = average_among((file.section, *file.others))
    if ema and len(averages) > 1:
        raise WeightsError(
            f"{path} holds several averages, {', '.join(averages)}; save the one that you mean on "
            "its own"
        )
    if ema and averages:
        return file if file.section in averages else read(path, averages[0])
    if file.section in averages:
        return _raw(path, file) or file
    return file


def said(file: Checkpoint, under: str, beside: Iterable[str]) -> str:
    """In words, whether what was read is an average, or has one beside it; "" for neither.

    `under` is the prefix that was read, `beside` are the names that were not.
    """
    if LIGHTNINGS_RAW in file.others:
        return f"{AVERAGED}; the last step's lie beside them ({LIGHTNINGS_RAW})"
    if COUNT in file.tensors or is_average(file.section) or is_average(under):
        return AVERAGED
    found = average_among((*(name.rpartition(".")[0] for name in beside), *file.others))
    if not found:
        return ""
    place = found[0][: AVERAGE.search(found[0]).end()]
    return f"an average of these weights lies beside them ({place}): {REMEDY} reads it"


def _raw(path: Path, average: Checkpoint) -> Checkpoint | None:
    """The weights beside an average that are of its kind: as many tensors of the same names."""
    for place in average.others:
        if is_average(place) or OF_ANOTHER_PURPOSE.search(place):
            continue
        raw = read(path, place)
        if 2 * len(raw.tensors) > len(average.tensors):
            return raw
    return None
