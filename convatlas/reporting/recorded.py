"""The files of a run's folder, checked: whoever sent it may have written them. No torch."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from convatlas import strict_json
from convatlas.errors import RunError
from convatlas.training.answers_file import Answers
from convatlas.training.folder import LARGEST as LARGEST_OF_RUN
from convatlas.training.plain_files import kind, read_plain
from convatlas.training.recipe import Recipe, deciding

LARGEST = LARGEST_OF_RUN | {"run.json": 100_000, "latency.json": 100_000}  # bytes
LONGEST_LINE = 2000  # bytes of a line of log.jsonl
MOST = 2**53  # what any count may be
ELSEWHERE = ("network", "data", "seed", "threads")  # fields that a report says in their own places
PER_EPOCH = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr")
REMEDY = "give the folder as `convatlas train` left it, or leave it out of the report"


def read(folder: Path, name: str) -> bytes:
    """One file; empty where there is none. RunError for a link, a pipe, or what is too large."""
    path = folder / name
    try:
        return read_plain(path, LARGEST[name]) if kind(path) else b""
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror}; {REMEDY}") from None


def recipe_of(folder: Path) -> Recipe:
    """RunError where it is no plain file, RecipeError where it is no recipe."""
    read(folder, "recipe.toml")
    return Recipe.recorded(folder / "recipe.toml")


def told(recipe: Recipe, folder: Path) -> dict[str, object]:
    """The fields that make this another recipe, wherever its files lie: of starting weights the
    name and the checksum that the run remembers.
    """
    fields = {name: value for name, value in deciding(recipe).items() if name not in ELSEWHERE}
    if recipe.weights:
        name = recipe.weights
        if not name.startswith("hub:"):
            name = Path(name).name
        start = _object(folder, "run.json").get("start")
        digest = start.get("sha256") if isinstance(start, dict) else None
        fields["weights"] = f"{name} ({digest[:12]})" if isinstance(digest, str) else name
    return fields


def metrics_of(folder: Path) -> dict[str, Any] | None:
    """What metrics.json says, as Run's fields, and itself as "all"; None where there is none.
    RunError where it is damaged, or cannot be right.
    """
    content = read(folder, "metrics.json")
    if not content:
        if kind(folder / "metrics.json"):
            raise _damaged(folder)
        return None
    try:
        found = strict_json.loads_signed(content)
        return _checked(found) | {"all": found}
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise _damaged(folder) from None


def _damaged(folder: Path) -> RunError:
    return RunError(
        f"{folder / 'metrics.json'} is damaged, or of a version that recorded too little; {REMEDY}"
    )


def _checked(found: dict) -> dict[str, Any]:
    """Raises ValueError, KeyError or TypeError for what no run wrote."""
    test, validation = found["test"], found["validation"]
    classes = _names(found["classes"])
    confusion = None
    if found["confusion"] is not None:
        confusion = _confusion(found["confusion"], len(classes))
        if (int(confusion.sum()), int(confusion.trace())) != (test["count"], test["correct"]):
            raise ValueError("the confusions do not add up to the counts")
    elif "answers" not in found:
        raise ValueError("nothing is left of the confusions")
    if not _count(test["count"]):
        raise ValueError("no test pictures")
    return {
        "network": _text(found["network"]),
        "data": _text(found["data"]),
        "fingerprint": _text(found["fingerprint"]),
        "classes": classes,
        "confusion": confusion,
        "tested_on": _text(found.get("splits", {}).get("test", "")),
        "top5": _share(test["top5"]),
        "loss": None if test["loss"] is None else _number(test["loss"]),
        "calibration_error": _share(test["calibration_error"]),
        "validation_error": 1 - _share(validation["accuracy"]),
        "best_epoch": _count(validation["epoch"]),
        "epochs": _count(found["epochs"]),
        "seconds": _number(found["seconds"]),
        "date": _text(found["date"]),
        "provenance": {_text(name): _word(value) for name, value in found["provenance"].items()},
    }


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len({*map(_text, value)}) != len(value):
        raise ValueError
    return tuple(value)


def confusion_of(answers: Answers, classes: int) -> sparse.csr_array:
    """Of many classes, whose matrix metrics.json leaves out: what the answers add up to."""
    ones = np.ones(len(answers.classes), np.int64)
    return sparse.csr_array((ones, (answers.classes, answers.answers)), (classes, classes))


def _confusion(rows: object, classes: int) -> sparse.csr_array:
    if not isinstance(rows, list) or len(rows) != classes or not classes:
        raise ValueError
    for row in rows:
        if not isinstance(row, list) or len(row) != classes:
            raise ValueError
        for count in row:
            _count(count)
    found = np.array(rows, np.int64)
    if sum(map(sum, rows)) > MOST:
        raise ValueError
    return sparse.csr_array(found)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _word(value: object) -> str | int:
    if not isinstance(value, str | int):
        raise TypeError
    return value


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MOST:
        raise ValueError
    return value


def _number(value: object) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError
    return float(value)


def _share(value: object) -> float:
    number = _number(value)
    if not -1e-9 <= number <= 1 + 1e-9:
        raise ValueError
    return min(1.0, max(0.0, number))


def log_of(folder: Path) -> tuple[Mapping[str, float | None], ...]:
    """An epoch each, in order, as far as they can be read: a run that goes on may be writing its
    last line just now. RunError for what is no plain file.
    """
    epochs: dict[int, dict[str, float | None]] = {}
    for line in read(folder, "log.jsonl").splitlines():
        try:
            found = json.loads(line, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            continue
        number = found.get("epoch") if isinstance(found, dict) else None
        if len(line) > LONGEST_LINE or type(number) is not int or not 1 <= number <= 10**6:
            continue
        epochs[number] = {name: _finite(found.get(name)) for name in PER_EPOCH}
    return tuple({"epoch": number, **epochs[number]} for number in sorted(epochs))


def _finite(value: object) -> float | None:
    is_number = type(value) in (int, float) and abs(value) < 1e300
    return float(value) if is_number else None  # NaN compares as false


def milliseconds_of(folder: Path, run: object) -> float | None:
    """For one picture, as measured after the run; None where it was not, or of another run."""
    found = _object(folder, "latency.json")
    value = found.get("milliseconds")
    if found.get("run") != run or type(value) not in (int, float):
        return None
    return float(value) if math.isfinite(value) and value > 0 else None


def _object(folder: Path, name: str) -> dict:
    """What a file says; {} where there is none that says anything."""
    try:
        found = strict_json.loads(read(folder, name) or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
