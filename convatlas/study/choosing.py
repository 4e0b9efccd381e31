"""Which setting of each network on each data set goes on to the test images: the one with the best
mean validation accuracy over the seeds. Imports no torch.
"""

import itertools
import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from convatlas import strict_json
from convatlas.errors import RunError
from convatlas.study import asking
from convatlas.study.log import best_score
from convatlas.study.plan import Line, continue_command
from convatlas.training.plain_files import kind, read_plain, replace_durably

FORMAT = 1
RULE = "the best mean validation accuracy over all seeds; of equals the first"
FILE = "chosen.json"
LARGEST = 64_000_000


def choose(study: Path, lines: Sequence[Line]) -> list[Line]:
    """The lines of the chosen settings, all where nothing varies; chosen.json says which, by which
    figures. What was chosen once stays so, for its test images may have been looked at.

    A setting of which a run has failed or is not trained is not chosen.
    """
    if not any(line.vary for line in lines):
        return list(lines)
    before = {_key(entry): entry["chosen"] for entry in _read(study)}
    entries, chosen = [], []
    for key, group in itertools.groupby(sorted(lines, key=_group), key=_group):
        figures = _figures(study, list(group))
        pick = before.get(key) or _best(figures)
        entries.append(
            {"network": key[0], "data": key[1], "chosen": pick, "settings": list(figures.values())}
        )
        chosen += [] if pick is None else [(*key, strict_json.dumps(pick))]
    text = strict_json.dumps({"format": FORMAT, "rule": RULE, "choices": entries}, indent=1)
    try:
        replace_durably(study / FILE, text.encode())
    except OSError as error:
        raise RunError(
            f"cannot write {study / FILE}: {error.strerror}; free some space or make the folder "
            f"writable, then go on with {continue_command(study)}"
        ) from None
    return [line for line in lines if (*_group(line), strict_json.dumps(dict(line.vary))) in chosen]


def unchosen(study: Path, lines: Sequence[Line]) -> frozenset[str]:
    """The names of the runs whose test images are not to be looked at, for another setting was
    chosen.
    """
    picks = {_key(entry): entry["chosen"] for entry in _read(study)}
    return frozenset(
        line.run
        for line in lines
        if _group(line) in picks and picks[_group(line)] != dict(line.vary)
    )


def said(study: Path) -> list[str]:
    """Each choice in words."""
    return [
        f"{entry['network']} on {entry['data']}: {asking.said(entry['chosen'])}, chosen by the "
        "validation images"
        for entry in _read(study)
    ]


def _group(line: Line) -> tuple[str, str]:
    return line.network, line.data


def _key(entry: dict) -> tuple[str, str]:
    return entry["network"], entry["data"]


def _figures(study: Path, lines: list[Line]) -> dict[str, dict]:
    """For each setting: its values, the validation accuracy of each seed, and their mean; null
    where a run is not trained.
    """
    found: dict[str, dict] = {}
    for line in sorted(lines, key=lambda line: line.seed):
        entry = found.setdefault(line.setting, {"vary": dict(line.vary), "validation": []})
        entry["validation"].append(best_score(study, line))
    for entry in found.values():
        scores = entry["validation"]
        entry["mean"] = None if None in scores else math.fsum(scores) / len(scores)
    return found


def _best(figures: dict[str, dict]) -> dict | None:
    """The setting with the highest mean; None where no setting has one."""
    whole = [entry for entry in figures.values() if entry["mean"] is not None]
    return max(whole, key=lambda entry: entry["mean"])["vary"] if whole else None


def _read(study: Path) -> list[dict]:
    """What was chosen before, as far as it can be read."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        if kind(study / FILE):
            told = strict_json.loads(read_plain(study / FILE, LARGEST))
            kinds = {"network": str, "data": str, "chosen": dict}
            return [
                entry
                for entry in told["choices"]
                if all(isinstance(entry[name], each) for name, each in kinds.items())
            ]
    return []
