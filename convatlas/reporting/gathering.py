"""From folders to runs: each is read and checked, and runs that cannot stand in one report are
refused in a sentence.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from convatlas.errors import RunError
from convatlas.reporting import recorded
from convatlas.reporting.runs import Gathered, Run, Unfinished
from convatlas.training.answers_file import read_answers
from convatlas.training.plain_files import kind
from convatlas.training.standing import TRAINED, standing

RECIPE, RUNS = "recipe.toml", "runs"


def gather(places: Sequence[str | Path]) -> Gathered:
    """The runs in these folders, each of which is a run's own or holds some, as a study's does.

    Order and repetition of `places` change nothing. Raises RunError for a folder without runs, for
    files that cannot be right, and for runs that cannot stand in one report: two of the same recipe
    and seed, or of other images under the same name. RecipeError where a recipe.toml is none.
    """
    if not places:
        raise RunError("which runs? give their folders, or the folder of a study")
    folders = sorted({folder.resolve() for place in places for folder in _runs_in(Path(place))})
    above = _above(folders)
    found = [_read(folder, folder.relative_to(above).as_posix()) for folder in folders]
    runs = [run for run in found if isinstance(run, Run)]
    _refuse_mixed(runs)
    home = Path(places[0]).expanduser() if len(places) == 1 else None
    return Gathered(
        tuple(runs),
        tuple(run for run in found if isinstance(run, Unfinished)),
        None if home is None or kind(home / RECIPE) else home,
    )


def _runs_in(place: Path) -> Iterable[Path]:
    """The folder itself, or those in it, or in its folder of runs."""
    place = place.expanduser()
    if not os.path.isdir(place):  # a name too long for any folder, too
        raise RunError(
            f"there is no folder {place}; give the folders of runs that `convatlas train` has "
            "named, or the folder of a study"
        )
    if kind(place / RECIPE):
        return [place]
    for home in (place / RUNS, place):
        if home.is_dir():
            held = [folder for folder in _listed(home) if kind(folder / RECIPE)]
            if held:
                return held
    raise RunError(
        f"there is no run in {place} (no recipe.toml); give the folders of runs of "
        "`convatlas train`, or of a study that has begun"
    )


def _listed(home: Path) -> list[Path]:
    try:
        return [entry for entry in home.iterdir() if kind(entry) == "a folder"]
    except OSError as error:
        raise RunError(f"cannot read {home}: {error.strerror}") from None


def _above(folders: Sequence[Path]) -> Path:
    """Of which all folders are parts."""
    return Path(os.path.commonpath([folder.parent for folder in folders]))


def _read(folder: Path, name: str) -> Run | Unfinished:
    recipe = recorded.recipe_of(folder)
    metrics, log = recorded.metrics_of(folder), recorded.log_of(folder)
    if metrics is None:
        scores = [line["val_accuracy"] for line in log if line["val_accuracy"] is not None]
        done = int(log[-1]["epoch"]) if log else 0
        return Unfinished(
            *(name, recipe.network, Path(recipe.data).name, recipe.seed, done, recipe.epochs),
            *(1 - max(scores) if scores else None, standing(folder) == TRAINED),
        )
    if metrics["network"] != recipe.network:
        raise RunError(
            f"{folder} holds the recipe of {recipe.network} and the results of "
            f"{metrics['network']}, files of two runs; {recorded.REMEDY}"
        )
    whole = metrics.pop("all")
    answers = read_answers(folder, whole)
    if metrics["confusion"] is None:
        metrics["confusion"] = recorded.confusion_of(answers, len(metrics["classes"]))
    return Run(
        name=name,
        folder=folder,
        seed=recipe.seed,
        recipe=recorded.told(recipe, folder),
        log=log[: metrics["epochs"]],
        answers=answers,
        milliseconds=recorded.milliseconds_of(folder, whole.get("run")),
        **metrics,
    )


def _refuse_mixed(runs: Iterable[Run]) -> None:
    """RunError for the first two that cannot be told apart, or not be compared."""
    of_data: dict[str, Run] = {}
    of_work: dict[tuple, Run] = {}
    alike: dict[tuple[str, str], bool | None] = {}
    for run in runs:
        first = of_data.setdefault(run.data, run)
        if run.fingerprint == first.fingerprint and run.classes != first.classes:
            raise RunError(
                f"{first.name} and {run.name} say other names of classes of the same images; "
                f"{recorded.REMEDY}"
            )
        pair = (first.fingerprint, run.fingerprint)
        if run.fingerprint != first.fingerprint and pair not in alike:
            alike[pair] = _are_of_one_set(first, run)
        if not alike.get(pair, True):
            raise _of_different_images(first, run, are_known=alike[pair] is not None)
        work = (run.data, run.network, run.seed, tuple(map(repr, run.recipe.items())))
        twin = of_work.setdefault(work, run)
        if twin is not run:
            raise RunError(
                f"{twin.name} and {run.name} are runs of the same recipe and seed, and would count "
                "as two; leave one of them out"
            )


def _are_of_one_set(first: Run, run: Run) -> bool | None:
    """Whether the two fingerprints are of the same images by the rules of two versions; None where
    these are not at hand.
    """
    from convatlas.run_images import are_one_set

    recipe = recorded.recipe_of(run.folder)
    return are_one_set(run.folder, recipe, (first.fingerprint, run.fingerprint))


def _of_different_images(first: Run, run: Run, are_known: bool) -> RunError:
    digits = f"fingerprints {first.fingerprint[:12]} and {run.fingerprint[:12]}"
    text = f"{first.name} and {run.name} are runs of different images"
    if are_known:
        return RunError(
            f"{text}, though both are called {run.data} ({digits}); make a report of each"
        )
    return RunError(
        f"{text}, though both are called {run.data}, or an older convatlas trained one of them "
        f"({digits}): its fingerprints were made otherwise, and the images are not where the runs "
        "found them to tell; put them back there, or make a report of each"
    )
