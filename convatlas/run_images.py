"""Which images a finished run is measured with: its own, which their fingerprint proves wherever
they lie now, or others of its classes.
"""

import json
import os
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from convatlas.data import Data, Split, open_data, usable
from convatlas.data.errors import unquoted
from convatlas.data.image_file import require_limit
from convatlas.data.labelled import named_as, open_labelled, together
from convatlas.data.packed.place import is_packed
from convatlas.errors import DataError, ModelFileError, RecipeError, RunError
from convatlas.model_file import Saved
from convatlas.regular_file import read_regular
from convatlas.training.effect import PUBLISHED
from convatlas.training.location import found_again, is_folder
from convatlas.training.recipe import Recipe, deciding
from convatlas.weights.published import IMAGENET, imagenet_classes, synsets
from convatlas.weights.standardised import WITH_BACKGROUND

SPLITS = ("test", "val", "train", "all")
LARGEST_METRICS = 64_000_000  # bytes: the confusions of 2,000 classes


@dataclass(frozen=True, eq=False)
class RunImages:
    """Images that a run can be measured with."""

    name: str
    parts: dict[str, Split]  # by split; of a folder without splits, "all"
    usual: str  # the split that is measured where none is asked for
    notes: tuple[str, ...] = ()  # what is left out, and why

    def split(self, asked: str | None) -> str:
        """The split to measure. RecipeError where there is none of that name."""
        name = asked or self.usual
        if name not in SPLITS:
            raise RecipeError(f"split = {name!r} is not allowed; allowed: {' | '.join(SPLITS)}")
        if name != "all" and name not in self.parts:
            there = ", ".join(part for part in SPLITS if part in self.parts and part != "all")
            raise RecipeError(
                f"split = {name!r}: {self.name} has "
                f"{f'only {there}' if there else 'no folders of that kind'}; leave it out to "
                "measure all of it"
            )
        return name

    def counts(self, split: str) -> dict[str, int]:
        """How many images of which part are measured."""
        chosen = self.parts if split == "all" else {split: self.parts[split]}
        return {name: len(part) for name, part in chosen.items()}

    def of(self, split: str) -> Split:
        """The images of a split that `split` gave."""
        chosen = list(self.parts.values()) if split == "all" else [self.parts[split]]
        return together(chosen) if len(chosen) > 1 else chosen[0]


def open_images(
    run: str | Path | None,
    saved: Saved,
    recipe: Recipe | None,
    data: str | Path | None = None,
    data_root: str | Path | None = None,
    max_megapixels: float | None = None,
) -> RunImages:
    """The run's own images, parted as in training; or those of `data`, a folder or the name of a
    set, of which a folder is measured whole.

    `data` may be the place where the run's own are now: the fingerprint tells. `max_megapixels` is
    the largest image that is read, where not the run's own limit. Raises DataError where images are
    not what they should be, ModelFileError where the run's files contradict each other, RecipeError
    where its own images are wanted and it has no recipe.
    """
    if run is None and data is None:
        raise RecipeError(
            f"{saved.network} was not trained here, so that it has no images of its own; give "
            "--data FOLDER (in Python, data=...)"
        )
    limit = (recipe or Recipe()).max_megapixels if max_megapixels is None else max_megapixels
    require_limit(limit)
    if data_root is not None and (data or (recipe or Recipe()).data) not in PUBLISHED:
        raise RecipeError(
            "data_root (--data-root) says where sets with a name lie, and has no effect with a "
            "folder of images or with digits; leave it out"
        )
    if data is None:
        if recipe is None:
            raise RecipeError(
                f"there is no {Path(run) / 'recipe.toml'}, so the images of the run are not known: "
                "`convatlas eval` takes others with --data, convatlas.evaluate with data=..., and "
                "`convatlas predict` files"
            )
        place = found_again(recipe, recipe, Path(run).expanduser())
        found = _opened(place, place.data, data_root, limit)
        _require_recorded(run, saved, recipe, found, place.data)
        return _own(run, saved, recipe, found)
    data = str(data)
    if run is None and _is_loose(data):
        return _of_folder(saved, recipe, data, limit)
    found = _as_a_set(recipe or Recipe(), data, data_root, limit)
    if found and _has_fingerprint(found, saved):
        own = _own(run, saved, recipe, found)
        said = "these are the run's own images, split as in training"
        return replace(own, notes=(said, *own.notes))
    return _of_folder(saved, recipe, data, limit) if _is_loose(data) else _of_set(saved, found)


def _as_a_set(
    recipe: Recipe, data: str, data_root: str | Path | None, max_megapixels: float
) -> Data | None:
    """Images that perhaps are others than the run's; None for a folder that is no set to train
    with, but may be measured.
    """
    try:
        return _opened(recipe, data, data_root, max_megapixels)
    except DataError:
        if _is_loose(data) and Path(data).expanduser().is_dir():
            return None
        if recipe.test_from == "auto":
            raise
    # the run's own images have no test set, and these may have one
    return _opened(recipe.change(test_from="auto"), data, data_root, max_megapixels)


def _is_loose(data: str) -> bool:
    """Whether these are files in a folder, which need not be a set to be measured."""
    return is_folder(data) and not is_packed(os.path.expanduser(data))


def _opened(recipe: Recipe, data: str, data_root: str | Path | None, max_megapixels: float) -> Data:
    return open_data(
        data,
        root=data_root or recipe.data_root,
        seed=recipe.seed,
        val_fraction=recipe.val_fraction,
        missing_classes=recipe.missing_classes,
        test_from=recipe.test_from,
        max_megapixels=max_megapixels,
    )


def _has_fingerprint(found: Data, saved: Saved) -> bool:
    """Whether these are the images that the run recorded, perhaps by an older rule."""
    own = saved.provenance.get("fingerprint")
    return bool(own) and found.are_of(own)


def are_one_set(run: Path, recipe: Recipe, fingerprints: Iterable[str]) -> bool | None:
    """Whether the run's own images have all these fingerprints, by the rules of several versions;
    None where they are not at hand.
    """
    try:
        place = found_again(recipe, recipe, run)
        found = _opened(place, place.data, None, recipe.max_megapixels)
        return all(map(found.are_of, fingerprints))
    except (DataError, RunError):
        return None


def _require_recorded(
    run: str | Path, saved: Saved, recipe: Recipe, found: Data, place: str
) -> None:
    """DataError unless these are the images that the run was trained with."""
    recorded = saved.provenance.get("fingerprint", "")
    if not recorded or _has_fingerprint(found, saved):
        return
    again = f"--data {shlex.quote(place)}"
    raise DataError(
        f"the images of {place} are not those that the run in {run} was trained with (fingerprint "
        f"{str(recorded)[:12]}, now {found.fingerprint[:12]}): some came, went or changed, or are "
        f"of another class{found.unless_packed_earlier}; restore them, or measure them as other "
        f"images with {again} (in Python, data={place!r})"
    )


def _own(run: str | Path, saved: Saved, recipe: Recipe | None, found: Data) -> RunImages:
    """The run's own images, split and without those that could not be read, as in training."""
    if found.classes != saved.classes:
        raise ModelFileError(
            f"{run} knows the classes {unquoted(saved.classes)}, and {found.name} has "
            f"{unquoted(found.classes)}; give images of the same classes"
        )
    if recipe is None:  # how the rest was parted is not known
        parts = {"test": found.test, "rest": together([found.train, found.val])}
        return RunImages(found.name, parts, "test")
    notes = ()
    if recipe.bad_images == "skip":
        found, skipped = usable(found, "skip", max(0, recipe.workers))
        notes = tuple(f"skipped: {one.file!r} {one.problem}" for one in skipped)
    _require_as_trained(Path(run).expanduser(), saved, recipe, found)
    parts = {name: getattr(found, name) for name in ("train", "val", "test")}
    return RunImages(found.name, parts, "test", notes)


def _require_as_trained(run: Path, saved: Saved, recipe: Recipe, found: Data) -> None:
    """ModelFileError unless recipe.toml tests, and parts the images, as the run did. How long it
    trains is no matter: it may be in the middle of being made longer.
    """
    now = {name: value for name, value in deciding(recipe).items() if name != "epochs"}
    then = saved.provenance.get("recipe", {"seed": saved.provenance.get("seed", recipe.seed)})
    changed = [name for name in then if name in now and then[name] != now[name]]
    said = [f"{name} was {then[name]!r}, and is {now[name]!r}" for name in changed]
    sizes = {"val": len(found.val), "test": len(found.test)}
    said += [
        f"there were {count} {name} images, and are {sizes[name]} by it"
        for name, count in _counts(run / "metrics.json").items()
        if count != sizes[name]
    ]
    if said:
        raise ModelFileError(
            f"{run / 'recipe.toml'} is not the recipe of this run: {said[0]}; copy it again from "
            "the run that wrote it"
        )


def _counts(path: Path) -> dict[str, int]:
    """How many images the run validated and tested with, as it reported."""
    if not path.exists():
        return {}
    try:
        metrics = json.loads(read_regular(path, LARGEST_METRICS))
        counts = {"val": metrics["validation"]["images"], "test": metrics["test"]["count"]}
        if all(type(count) is int for count in counts.values()):
            return counts
        reason = "it does not say how many images were measured"
    except OSError as error:
        reason = error.strerror
    except (ValueError, KeyError, TypeError, RecursionError):
        reason = "it is not what was written"
    raise ModelFileError(
        f"{path} is damaged ({reason}); copy it again from the run that wrote it, or remove it"
    )


def _of_folder(saved: Saved, recipe: Recipe | None, data: str, limit: float) -> RunImages:
    found = open_labelled(data, saved.classes, limit, _also_called(saved.classes))
    parts, notes = found.parts, found.notes
    if recipe and recipe.bad_images == "skip":
        parts, skipped = _without_bad(found.name, saved.classes, parts)
        notes += skipped
    return RunImages(found.name, parts, "all", notes)


def _also_called(classes: tuple[str, ...]) -> dict[str, int]:
    """WordNet's numbers, as ImageNet's own folders are called, of ImageNet's classes."""
    if len(classes) not in (IMAGENET, WITH_BACKGROUND):
        return {}
    names = imagenet_classes()
    if classes[-IMAGENET:] != names:
        return {}
    return {synset: i for i, synset in enumerate(synsets(), start=len(classes) - IMAGENET)}


def _without_bad(
    name: str, classes: tuple[str, ...], parts: dict[str, Split]
) -> tuple[dict[str, Split], tuple[str, ...]]:
    none = next(iter(parts.values())).subset(np.array([], int))
    three = [*parts.values(), none, none][:3]
    found, skipped = usable(Data(name, classes, 3, *three, fingerprint=""), "skip")
    kept = dict(zip(parts, (found.train, found.val, found.test), strict=False))
    return kept, tuple(f"skipped: {one.file!r} {one.problem}" for one in skipped)


def _of_set(saved: Saved, found: Data) -> RunImages:
    """A set with a name that is not the run's, under the run's classes."""
    parts = {
        name: named_as(found.classes, saved.classes, getattr(found, name))
        for name in ("train", "val", "test")
    }
    return RunImages(found.name, parts, "test")
