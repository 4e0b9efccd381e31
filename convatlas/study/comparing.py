"""`convatlas.compare`: a study from networks and images, with what goes on shown."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from convatlas.study import conducting, pool
from convatlas.study.watching import Observer, observer


def compare(
    networks: Sequence[str],
    data: str | Sequence[str] = "digits",
    seeds: int = conducting.SEEDS,
    recipe: str | Path = "",
    vary: Mapping[str, Sequence] | None = None,
    output: str | Path | None = None,
    at_once: int = 0,
    watching: Observer | None = None,
    **changes: Any,
) -> Path:
    """Train each network on each data set with each seed, on this machine, and report which is
    better; returns the study's folder (default: studies/DATE-data), with report.html and others.

    `changes` are other values for fields of the recipes; `vary` gives several, of which validation
    chooses one for each network, before any test image is looked at:

        compare(["lenet5", "lenet_caffe"], seeds=6, vary={"lr": [1e-3, 3e-3]}, epochs=10)

    In a folder that holds the same study it goes on. `at_once` runs are at work at a time: 0 is
    what fits. Shows bars on a terminal, lines elsewhere; Observer() is silent.

    Raises RecipeError, with all that is wrong, before the first run; RunError where a run failed,
    once all others are done; Stopped where a signal asked for it.
    """
    places = [data] if isinstance(data, str) else list(data)
    folder = Path(output).expanduser() if output else None
    study = conducting.begin(networks, places, seeds, str(recipe), vary, changes, folder)
    tell = watching or observer(study)
    missing = conducting.conduct(study, partial(pool.run, at_once=at_once), tell)
    for text in conducting.report(study):
        tell.note(text)
    if missing:
        raise conducting.incomplete(study, missing)
    return study
