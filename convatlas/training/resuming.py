"""What a run's folder holds already: nothing, a run to continue, or a finished one."""

import shlex
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from convatlas import strict_json
from convatlas.data import Data
from convatlas.data.errors import unquoted
from convatlas.errors import CheckpointError, DataError, RunError
from convatlas.training import identity as identities
from convatlas.training.autotune import config_of, with_config
from convatlas.training.checkpoint import Checkpoint, load_newest, read_step
from convatlas.training.fine_tune import as_standardised
from convatlas.training.folder import RunFolder
from convatlas.training.identity import Identity
from convatlas.training.location import found_again, located, with_places_of
from convatlas.training.recipe import Recipe, differences
from convatlas.training.restoring import limits, require_words
from convatlas.training.schedule import ends_early, learning_rate
from convatlas.training.step_folders import steps
from convatlas.training.trainer import Trainer


@dataclass(frozen=True)
class Opening:
    """What a folder makes of a recipe, before anything else is looked at."""

    recipe: Recipe  # to run, with the places where its images and weights are
    identity: Identity | None  # None: the checkpoints may know it
    before: Recipe | None = None  # as the run recorded it, where one is continued
    metrics: dict | None = None  # of a run that is over


def recorded(path: Path) -> Recipe:
    """The recipe of the run in a folder. RunError where it is no plain file."""
    return RunFolder(path).recipe()


def opening(path: Path, recipe: Recipe, resume: bool) -> Opening:
    """Whether the recipe can begin in the folder, or continue the run that it holds; nothing is
    written. RunError where it may not or cannot, naming what was changed.
    """
    folder = RunFolder(path)
    folder.require_plain()
    if not folder.holds_a_run:
        if folder.remains:
            raise RunError(
                f"{path} holds {folder.remains} of a run but no recipe.toml; put it back, or "
                "choose another folder with --output"
            )
        return Opening(located(recipe), None)
    if not resume:
        raise _taken(folder)
    if folder.holds_only_a_network:
        raise RunError(
            f"{path} holds a network and its recipe, but nothing of the run that trained it, such "
            "as its checkpoints; there is nothing to go on with"
        )
    before, identity = folder.recipe(), identities.read(folder)
    if identity:
        _require_unedited(folder, before, identity)
    if recipe.autotune:
        recipe = with_config(recipe, config_of(before))
    same = with_places_of(before, recipe)
    changed = [text for text in differences(before, same) if not text.startswith("epochs: ")]
    if changed:
        raise RunError(
            f"the run in {path} was begun with another recipe ({'; '.join(changed)}); "
            "continue it without these flags, or begin another with --output"
        )
    metrics = finished(folder)
    if metrics and recipe.epochs == before.epochs:
        return Opening(before, identity, before, metrics)
    if metrics:
        _require_longer(folder, recipe.epochs, metrics)
    recipe = found_again(before, same.change(data=recipe.data), path)
    return Opening(recipe, identity, before)


def _taken(folder: RunFolder) -> RunError:
    return RunError(
        f"{folder.path} already holds a run; continue it with --resume "
        f"{shlex.quote(str(folder.path))}, or choose another folder with --output"
    )


def _require_unedited(folder: RunFolder, before: Recipe, identity: Identity) -> None:
    """RunError where recipe.toml is no longer what the run was begun with."""
    changed = identities.changes(identity.recipe, before)
    if before.epochs not in identity.lengths:
        changed.append(f"epochs: {identity.lengths[-1]}, now {before.epochs}")
    if changed:
        file = folder.path / "recipe.toml"
        longer = ", and --epochs makes a run longer" if "epochs: " in changed[-1] else ""
        raise RunError(
            f"{file} was changed since the run began ({'; '.join(changed)}); set it back to "
            f"continue with --resume{longer}, or begin another run of it with convatlas train "
            f"--recipe {shlex.quote(str(file))} --output FOLDER"
        )


def _require_enough(folder: RunFolder, epochs: int, done: int) -> None:
    """RunError where fewer epochs are asked for than are done."""
    if epochs < done:
        raise RunError(
            f"the run in {folder.path} has done {done} epochs, so it cannot be one of {epochs}; "
            f"give --epochs {done} or more, or begin another run with --output"
        )


def _require_longer(folder: RunFolder, epochs: int, metrics: dict) -> None:
    """RunError where a finished run cannot go on to that many epochs."""
    done = metrics["epochs"]
    _require_enough(folder, epochs, done)
    if metrics.get("stopped_early"):
        raise RunError(
            f"the run in {folder.path} stopped early, after {done} epochs, and would stop again at "
            "once; begin another from its weights with --weights "
            f"{shlex.quote(str(folder.path / 'model.safetensors'))} --output FOLDER"
        )
    if not folder.holds_checkpoints:
        raise RunError(
            f"the run in {folder.path} is finished and its checkpoints are gone, so it cannot be "
            "made longer; begin another from its weights with --weights "
            f"{shlex.quote(str(folder.path / 'model.safetensors'))} --output FOLDER"
        )


def finished(folder: RunFolder) -> dict | None:
    """What metrics.json holds, where the run is over. RunError where it is damaged."""
    if not folder.is_finished:
        return None
    try:
        metrics = strict_json.loads_signed(folder.read("metrics.json"))
        test, validation = metrics["test"], metrics["validation"]
        counts = (metrics["epochs"], test["correct"], test["count"], validation["epoch"])
        shares = (test["accuracy"], validation["accuracy"], metrics["seconds"])
        if any(type(count) is not int for count in counts):
            raise ValueError
        if any(type(share) not in (int, float) for share in shares):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError):
        path = folder.path / "metrics.json"
        raise RunError(
            f"{path} is damaged; remove it, and {folder.resume_command} measures the test images "
            "again"
        ) from None
    return metrics


def newest_checkpoint(
    folder: RunFolder, opening: Opening, trainer: Trainer, data: Data, warn: Callable[[str], None]
) -> tuple[Identity, Checkpoint | None]:
    """The newest good checkpoint of an unfinished run of the same network, classes and images, and
    the run's identity, which it may know where run.json is gone.

    None, with a warning, where it was stopped before the first. RunError where it is another run's,
    or where classes or images are not those of `data`; CheckpointError where none is good.
    """
    folder.remove_leftovers()
    identity = opening.identity
    if not opening.before:
        return identities.begun(trainer.recipe), None

    def check(found: Checkpoint) -> None:
        require_words(found.state)
        said = found.state["about"]
        _require_own(folder, found, identity, identities.of_checkpoint(said))
        _require_same(folder, said, data, opening.recipe.data)
        _require_standard(folder, found, trainer.start)
        trainer.require_fit(found)

    checkpoint = load_newest(folder.checkpoints, warn, check, trainer.file_limits)
    if not checkpoint:
        warn(f"{folder.path} was stopped before its first checkpoint; it begins at step 0")
        return identity or identities.begun(opening.before), None
    if not identity:
        named = identities.of_checkpoint(checkpoint.state["about"])
        identity = named or identities.begun(opening.before, adopted=True)
        _require_unedited(folder, opening.before, identity)
    progress = checkpoint.state["progress"]
    done = progress["epoch"] + (progress["batch"] > 0)
    _require_enough(folder, opening.recipe.epochs, done)
    if opening.recipe.epochs > opening.before.epochs:
        _require_unended(folder, opening.before, progress)
    return identity, checkpoint


def _require_unended(folder: RunFolder, before: Recipe, progress: dict) -> None:
    """RunError where a run that has stopped early, and was not tested yet, is to go on."""
    if ends_early(before, progress["scores"]):
        raise RunError(
            f"the run in {folder.path} stopped early, after {progress['epoch']} epochs, and would "
            f"stop again at once; finish it with {folder.resume_command}"
        )


def _require_own(
    folder: RunFolder, checkpoint: Checkpoint, identity: Identity | None, named: Identity | None
) -> None:
    """RunError for a checkpoint that another run wrote, as far as it can be told: older versions
    named none.
    """
    step = folder.checkpoints / f"step-{checkpoint.step:08d}"
    if identity is None or (named is None and identity.adopted):
        return
    if named is None or named.run != identity.run:
        raise RunError(
            f"{step} is a checkpoint of another run than the one in {folder.path}; put this run's "
            "own back, or remove it to continue from an older one"
        )
    changed = [
        name
        for name in {**identity.recipe, **named.recipe}
        if identity.recipe.get(name) != named.recipe.get(name) and name != "epochs"
    ]
    if changed:
        raise RunError(
            f"{step} was made with another recipe than run.json in {folder.path} says "
            f"({', '.join(changed)}); put both back as they were, or begin another run with "
            "--output"
        )


def remembered(folder: RunFolder, identity: Identity | None, net: nn.Module) -> dict:
    """What the run knows of the weights that it began with: nothing where an older version began
    it. RunError where it is no longer what was written.
    """
    start = identity.start if identity else _of_newest(folder, net)
    pictures = start.get("pictures")
    try:
        if pictures is not None:
            as_standardised(pictures, net.in_channels)
    except (DataError, KeyError, TypeError):
        raise RunError(
            f"{folder.path / 'run.json'} is damaged (how images are standardised); remove it and "
            "continue with --resume again, for the checkpoints know it too"
        ) from None
    return start


def _of_newest(folder: RunFolder, net: nn.Module) -> dict:
    for step in steps(folder.checkpoints):
        with suppress(CheckpointError):
            start = read_step(step, limits(net)).state.get("start", {})
            return start if isinstance(start, dict) else {}
    return {}


def require_same_weights(folder: RunFolder, identity: Identity | None, start: dict) -> None:
    """RunError where a run that begins again, before its first checkpoint, finds other weights."""
    before = identity.start.get("sha256") if identity else None
    if before not in (None, start["sha256"]):
        raise RunError(
            f"{start['weights']} holds other weights than when the run in {folder.path} began "
            f"(sha256 {str(before)[:12]}, now {start['sha256'][:12]}); put them back, or begin "
            "another run with --output"
        )


def _require_standard(folder: RunFolder, checkpoint: Checkpoint, start: dict) -> None:
    """RunError where images would be standardised otherwise than those before the checkpoint."""
    if checkpoint.state.get("start", {}).get("pictures") != start.get("pictures"):
        raise RunError(
            f"{folder.path / 'run.json'} says that images are standardised otherwise than "
            f"step-{checkpoint.step:08d} was trained with; put it back as it was, or remove it and "
            "continue with --resume again, for the checkpoints know it too"
        )


def _require_same(folder: RunFolder, before: dict, data: Data, place: str) -> None:
    if before["classes"] != list(data.classes):
        raise RunError(
            f"the run in {folder.path} was begun with {len(before['classes'])} classes "
            f"({unquoted(before['classes'])}), and {place} now has {len(data.classes)} "
            f"({unquoted(data.classes)}); restore the data, or begin another run with --output"
        )
    if not data.are_of(before["data"]):
        raise RunError(
            f"the images of {place} changed since the run in {folder.path} began, or are not its "
            f"own{data.unless_packed_earlier}; restore them, say where its own are with --data "
            "FOLDER, or begin another run with --output"
        )


def what_longer_means(before: Recipe, trainer: Trainer) -> str:
    """A sentence for a run that goes on to another number of epochs than it was begun with."""
    recipe, progress = trainer.recipe, trainer.progress
    rates = [
        learning_rate(one, progress.step, trainer.steps_per_epoch, progress.scores)
        for one in (before, recipe)
    ]
    schedule = (
        f"the learning rate of sched = {recipe.sched!r} stays as it was"
        if rates[0] == rates[1]
        else f"sched = {recipe.sched!r} is now that of {recipe.epochs} epochs: the learning rate "
        f"goes from {rates[0]:.2g} to {rates[1]:.2g} here"
    )
    return (
        f"the run goes on to {recipe.epochs} epochs instead of {before.epochs}; {schedule}, so "
        f"this is not the run that {recipe.epochs} epochs from the start would have been"
    )
