"""A report as JSON: every figure that the other forms show, and those that have no room there."""

from collections.abc import Mapping
from dataclasses import asdict

import numpy as np

from convatlas import strict_json
from convatlas.reporting.hard_pictures import Disputed, Hard, HardPictures
from convatlas.reporting.mistakes import confused
from convatlas.reporting.recorded import PER_EPOCH
from convatlas.reporting.runs import Run
from convatlas.reporting.sections import Entry, Report, Section
from convatlas.training.answers_file import MOST_DENSE

FORMAT = 1
MOST_CONFUSED = 50  # differences of a pair


def text(report: Report, hard: Mapping[str, HardPictures | None], times: bool = True) -> str:
    """Shares, 0 to 1; null for what is not known. `times` are the fields "seconds", "milliseconds"
    and "date" of runs.
    """
    found = {
        "format": FORMAT,
        "data_sets": [_section(section, hard[section.data], times) for section in report.sections],
        "ranking": asdict(report.ranking) if report.ranking else None,
        "unfinished": [asdict(run) for run in report.unfinished],
    }
    return strict_json.dumps(_plain(found), indent=1) + "\n"


def _section(section: Section, hard: HardPictures | None, times: bool) -> dict:
    return {
        "data": section.data,
        "fingerprint": section.fingerprint,
        "test_pictures": section.pictures,
        "tested_on": section.tested_on,
        "classes": section.classes,
        "verdict": section.comparison.sentence,
        "level": section.comparison.level,
        "networks": [_entry(entry, times) for entry in section.entries],
        "pairs": [asdict(pair) | {"sentence": pair.sentence} for pair in section.comparison.pairs],
        "confusions": _confusions(section),
        "pictures": _pictures(section, hard) if hard else None,
        "unfinished": [asdict(run) for run in section.unfinished],
    }


def _entry(entry: Entry, times: bool) -> dict:
    found = entry.reliability
    return {
        "name": entry.name,
        "network": entry.network,
        "setting": entry.setting,
        "recipe": entry.recipe,
        "params": entry.costs.params,
        "macs": entry.costs.macs,
        "error": {name: getattr(entry.summary, name) for name in ("mean", "sd", "low", "high")},
        "class_errors": 1 - entry.recalls,
        "confusion": _confusion(entry),
        "calibration": None if found is None else vars(found),
        "runs": [_run(run, times) for run in entry.runs],
    }


def _confusion(entry: Entry) -> np.ndarray | dict[str, np.ndarray]:
    """Row by row; of many classes what is not zero, in three columns."""
    if len(entry.runs[0].classes) <= MOST_DENSE:
        return entry.confusion.toarray()
    found = entry.confusion.tocoo()
    return {"class": found.coords[0], "answer": found.coords[1], "count": found.data}


def _run(run: Run, times: bool) -> dict:
    found = {
        "run": run.name,
        "seed": run.seed,
        "test_pictures": run.pictures,
        "wrong": run.pictures - run.correct,
        "error": run.error,
        "top5_error": 1 - run.top5,
        "loss": run.loss,
        "calibration_error": run.calibration_error,
        "validation_error": run.validation_error,
        "best_epoch": run.best_epoch,
        "epochs": run.epochs,
        "curves": {
            "epoch": [line["epoch"] for line in run.log],
            **{name: [line[name] for line in run.log] for name in PER_EPOCH},
        },
        "provenance": run.provenance,
        "answers_recorded": run.answers is not None,
    }
    timed = {"seconds": run.seconds, "milliseconds": run.milliseconds, "date": run.date}
    return found | timed if times else found


def _confusions(section: Section) -> list[dict]:
    """The best network beside each other one."""
    first, *others = section.entries
    return [
        {
            "pair": [first.name, other.name],
            "pictures_of_a_run": [
                {
                    "class": section.classes[each.truth],
                    "answer": section.classes[each.answer],
                    "counts": [each.a, each.b],
                }
                for each in confused(first.confusion, other.confusion, MOST_CONFUSED)
            ],
        }
        for other in others
    ]


def _pictures(section: Section, hard: HardPictures) -> dict:
    return {
        "runs": hard.runs,
        "wrong_in_all": hard.wrong,
        "shown": [_hard(section, each) for each in hard.shown],
        "disputed": [
            {"pair": [a, b], "shown": [_disputed(section, each) for each in found]}
            for a, b, found in hard.disputed
        ],
    }


def _hard(section: Section, hard: Hard) -> dict:
    said = {section.classes[answer]: count for answer, count in hard.answers}
    return {"image": hard.image, "class": section.classes[hard.truth], "answers": said}


def _disputed(section: Section, each: Disputed) -> dict:
    return _hard(section, each.picture) | {"wrong": [each.share_a, each.share_b]}


def _plain(value: object) -> object:
    """What JSON knows; numpy's numbers as Python's."""
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
