"""What is known of a trained network that is to be published: the network, and what its run found.

A run folder may come from a stranger: its files are read as plain files of a sane size, and what
they say is taken only where it is of the kind that a run writes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import convatlas
from convatlas import strict_json
from convatlas.errors import PublishingError
from convatlas.model_file import Saved, load_model
from convatlas.training.folder import LARGEST
from convatlas.training.plain_files import read_plain

SANE = 1e15  # below what a count, a share or seconds can be
SHARES = ("accuracy", "top5", "calibration_error")


@dataclass(frozen=True)
class Facts:
    """A network, and what is said of it."""

    saved: Saved
    test: Mapping[str, Any] = field(default_factory=dict)  # as metrics.json has it; or nothing
    validation: Mapping[str, Any] = field(default_factory=dict)
    at_chance: str = ""  # a sentence, where it knows no more than guessing would
    seconds: float | None = None


def facts_of(model: "str | Path | Saved | convatlas.Network") -> Facts:
    """Of a finished run's folder, of what load_model or open_network gave, or of a network with
    weights whose pictures and classes are known.

    Raises ModelFileError for a folder that cannot be read, PublishingError for a network of which
    nobody could say how it is used, or for a metrics.json that is not the run's.
    """
    if isinstance(model, Saved):
        return Facts(_without_places(model))
    if isinstance(model, str | Path):
        folder = Path(model).expanduser()
        saved = load_model(folder)
        return _measured(Facts(_without_places(saved)), folder / "metrics.json")
    if getattr(model, "preprocess", None) is None or not model.classes:
        raise PublishingError(
            f"nothing says how pictures are prepared for this {model.name or 'network'}, or what "
            "its classes are; publish the folder of its run, or what load_model gives"
        )
    about = model.certificate
    origin = {"weights": about.path.name, "sha256": about.sha256, "kind": about.kind}
    return Facts(Saved(model, model.name, model.classes, model.preprocess, origin))


def _without_places(saved: Saved) -> Saved:
    """Where a file of weights lay on the machine that trained is nobody's business."""
    origin = _named(saved.provenance)
    if isinstance(start := origin.get("started_from"), dict):
        origin["started_from"] = _named(start)
    return replace(saved, provenance=origin)


def _named(origin: Mapping[str, Any]) -> dict[str, Any]:
    """The same with the name alone of a file of weights; "torchvision:..." is one, too."""
    weights = origin.get("weights")
    if not isinstance(weights, str) or weights.startswith("hub:"):
        return dict(origin)
    return {**origin, "weights": Path(weights).name}


def _measured(facts: Facts, path: Path) -> Facts:
    """The same with what metrics.json says of this very run, where there is one."""
    if not path.exists():
        return facts
    try:
        metrics = strict_json.loads_signed(read_plain(path, LARGEST["metrics.json"]))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PublishingError(
            f"cannot read {path} ({reason}); copy it again from the run that wrote it"
        ) from None
    if metrics.get("run") != facts.saved.provenance.get("run"):
        raise PublishingError(
            f"{path} is of another run than the model.json beside it; copy the two together again"
        )
    test, validation = metrics.get("test"), metrics.get("validation")
    at_chance, seconds = metrics.get("at_chance"), metrics.get("seconds")
    return replace(
        facts,
        test=test if _is_tested(test) else {},
        validation=validation if _is_validated(validation) else {},
        at_chance=at_chance if isinstance(at_chance, str) else "",
        seconds=seconds if _is_number(seconds) else None,
    )


def _is_tested(found: object) -> bool:
    if not isinstance(found, dict) or not _is_count(found.get("count")):
        return False
    return all(_is_number(found.get(share)) and 0 <= found[share] <= 1 for share in SHARES)


def _is_validated(found: object) -> bool:
    return (
        isinstance(found, dict)
        and _is_number(found.get("accuracy"))
        and (_is_count(found.get("images")) and _is_count(found.get("epoch")))
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < SANE


def _is_count(value: object) -> bool:
    return type(value) is int and 0 < value < SANE
