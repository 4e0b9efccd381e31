"""answers.csv: what a finished run answered for each test image, so that two runs can be compared
image by image. Imports no torch.

    image,class,answer,confidence,probability
    test/cat/17.png,0,2,0.517231,0.402118

A line an image, in the order of the test set. `image` is its path within the folder of images, or
its number within a set with a name; as in any table of ours, what cannot be printed is escaped, and
where two would then be written alike, all are numbered. `class` (the true one) and `answer` are
places in metrics.json's list of classes; `confidence` is the probability of the answer,
`probability` that of the true class. metrics.json holds the file's sha256 under "answers"; older
runs have neither. Of more than 500 classes this file is the confusion matrix, too: metrics.json has
null in its place.
"""

import csv
import hashlib
import io
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convatlas import strict_json
from convatlas.errors import RunError
from convatlas.printable import cell
from convatlas.training.folder import LARGEST
from convatlas.training.plain_files import read_plain

NAME = "answers.csv"
HEADER = ["image", "class", "answer", "confidence", "probability"]
MOST_DENSE = 500  # classes whose confusion matrix metrics.json holds, zeros and all
MILLION = 10**6  # probabilities are whole millionths: the same text, whoever wrote it
PLACE = re.compile(r"[0-9]{1,9}")
SHARE = re.compile(r"[01]\.[0-9]{6}")


@dataclass(frozen=True, eq=False)
class Answers:
    """A row an image, in the order of the test set; places are those in the list of classes."""

    images: tuple[str, ...]  # each once
    classes: np.ndarray  # int64 (N,), the true ones
    answers: np.ndarray  # int64 (N,)
    confidence: np.ndarray  # float64 (N,), 0 to 1: the probability of the answer
    probability: np.ndarray  # float64 (N,), 0 to 1: that of the true class

    @property
    def right(self) -> np.ndarray:
        """bool (N,): which images were answered rightly."""
        return self.classes == self.answers


def text_of(images: Sequence[str], labels: np.ndarray, table: np.ndarray) -> bytes:
    """The file's content. `labels`: int64 (N,); `table`: int64 (N, 3), the answer, and confidence
    and probability in millionths.
    """
    names = [cell(image) for image in images]
    if len({*names}) < len(names):  # as escaped, or cut short, two may be written alike
        names = [f"{place} {name}" for place, name in enumerate(names)]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(
        (name, label, answer, f"{sure / MILLION:.6f}", f"{share / MILLION:.6f}")
        for name, label, (answer, sure, share) in zip(
            names, labels.tolist(), table.tolist(), strict=True
        )
    )
    return file.getvalue().encode()


def read_answers(folder: Path, metrics: Mapping) -> Answers | None:
    """The answers of the finished run in a folder, whose metrics.json holds `metrics`; None where
    an older version made the run. RunError where the file is gone, or not what the run wrote.
    """
    if "answers" not in metrics:
        return None
    path = folder / NAME
    try:
        return _parsed(_content(path, metrics["answers"]), metrics)
    except OSError as error:
        reason = error.strerror
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        reason = error if isinstance(error, _NotWritten) else "it is not what a run writes"
    raise RunError(
        f"{path} is of no use ({reason}); copy it again from the run that wrote it, or remove "
        f"metrics.json, and convatlas train --resume {shlex.quote(str(folder))} measures the test "
        "images again"
    )


def fault_of(folder: Path) -> str:
    """What is wrong with the answers of the run in a folder, in a sentence; "" where nothing is, or
    where metrics.json says nothing of them.
    """
    try:
        metrics = strict_json.loads(read_plain(folder / "metrics.json", LARGEST["metrics.json"]))
        read_answers(folder, metrics if isinstance(metrics, dict) else {})
    except RunError as error:
        return str(error)
    except (OSError, ValueError):
        pass
    return ""


class _NotWritten(ValueError):
    """A file with another checksum."""


def _content(path: Path, digest: object) -> str:
    content = read_plain(path, LARGEST[NAME])
    if hashlib.sha256(content).hexdigest() != digest:
        raise _NotWritten("its sha256 is not that of metrics.json")
    return content.decode()


def _parsed(text: str, metrics: Mapping) -> Answers:
    """Raises ValueError, KeyError, TypeError or csv.Error for what no run writes."""
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    if next(rows, None) != HEADER:
        raise ValueError
    read = list(_checked(rows, len(metrics["classes"])))
    images, *columns = zip(*read, strict=True) if read else [()] * len(HEADER)
    found = Answers(
        images,
        *(np.array(column, np.int64) for column in columns[:2]),
        *(np.array(column, np.float64) / MILLION for column in columns[2:]),
    )
    test = metrics["test"]
    if len({*images}) != len(images) or len(images) != test["count"]:
        raise ValueError
    if int(found.right.sum()) != test["correct"]:
        raise ValueError
    return found


def _checked(rows: Iterator[list[str]], classes: int) -> Iterator[tuple[str, int, int, int, int]]:
    for image, *places, sure, share in rows:
        if len(places) != 2 or not all(map(PLACE.fullmatch, places)):
            raise ValueError
        if not (SHARE.fullmatch(sure) and SHARE.fullmatch(share)):
            raise ValueError
        label, answer = map(int, places)
        shares = [int(number.replace(".", "")) for number in (sure, share)]
        if max(label, answer) >= classes or max(shares) > MILLION:
            raise ValueError
        yield image, label, answer, *shares
