"""What a run's log says of it: how far it is, how fast it goes, how good it is on the validation
images. Imports no torch.
"""

from contextlib import suppress
from pathlib import Path

from convatlas import strict_json
from convatlas.study.plan import Line
from convatlas.training.plain_files import read_plain
from convatlas.training.standing import standing

LARGEST = 64_000_000  # bytes of a log that are read
MOST_EPOCHS = 10**6


def records(study: Path, line: Line) -> list[dict]:
    """The lines of a run's log that can be read: those with an epoch, its validation accuracy and
    the seconds until then.
    """
    rows: list[bytes] = []
    with suppress(OSError):
        rows = read_plain(line.folder(study) / "log.jsonl", LARGEST).splitlines()
    found = []
    for row in rows:
        with suppress(ValueError, KeyError, TypeError):
            told = strict_json.loads(row)
            if _is_epoch(told["epoch"]) and _is_share(told["val_accuracy"]):
                found.append(told)
    return found


def _is_epoch(value: object) -> bool:
    return type(value) is int and 1 <= value <= MOST_EPOCHS


def _is_share(value: object) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1


def best_score(study: Path, line: Line) -> float | None:
    """The best validation accuracy of a run that is trained, 0 to 1; None of any other."""
    scores = [told["val_accuracy"] for told in records(study, line)]
    return (
        max(scores, default=None) if standing(line.folder(study)) in ("trained", "done") else None
    )
