"""What a run's folder holds already: nothing, a run to continue, or a finished one."""

import json
from collections.abc import Callable

from convatlas.errors import RunError
from convatlas.training.checkpoint import Checkpoint, load_newest, remove_leftovers
from convatlas.training.folder import RunFolder
from convatlas.training.recipe import Recipe, differences


def require_room(folder: RunFolder, recipe: Recipe, resume: bool) -> None:
    """Raises RunError where the folder holds a run and this one may not, or cannot, continue it."""
    if folder.holds_a_run and not resume:
        raise RunError(
            f"{folder.path} already holds a run; continue it with --resume {folder.path}, or "
            "choose another folder with --output"
        )
    if folder.holds_a_run and (changed := differences(folder.recipe(), recipe)):
        raise RunError(
            f"the run in {folder.path} was begun with another recipe ({'; '.join(changed)}); "
            "continue it without these flags, or begin another with --output"
        )


def finished(folder: RunFolder) -> dict | None:
    """What metrics.json holds, where the run is over."""
    if not folder.is_finished:
        return None
    return json.loads((folder.path / "metrics.json").read_bytes())


def newest_checkpoint(
    folder: RunFolder, about: dict, data: str, warn: Callable[[str], None]
) -> Checkpoint | None:
    """The newest good checkpoint of an unfinished run of the same network, classes and images.

    None, with a warning, where it was stopped before the first. RunError where classes or images
    are no longer those of `about`; CheckpointError where no checkpoint is good.
    """
    remove_leftovers(folder.checkpoints)
    if not folder.holds_a_run:
        return None
    checkpoint = load_newest(folder.checkpoints, warn)
    if checkpoint:
        _require_same(folder, checkpoint.state["about"], about, data)
    else:
        warn(f"{folder.path} was stopped before its first checkpoint; it begins at step 0")
    return checkpoint


def _require_same(folder: RunFolder, before: dict, now: dict, data: str) -> None:
    if before["classes"] != now["classes"]:
        raise RunError(
            f"the run in {folder.path} was begun with {len(before['classes'])} classes "
            f"({', '.join(before['classes'])}), and {data} now has {len(now['classes'])} "
            f"({', '.join(now['classes'])}); restore the data, or begin another run with --output"
        )
    if before["data"] not in (now["data"], now["data_by_older_rule"]):
        raise RunError(
            f"the images of {data} changed since the run in {folder.path} began; restore them, or "
            "begin another run with --output"
        )
