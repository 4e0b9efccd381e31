"""How far the run in a folder is, told from its files without loading it. Imports no torch, takes
no lock, and never raises: a folder that cannot be read has begun, and resuming says what is wrong.
"""

from contextlib import suppress
from pathlib import Path

from convatlas import strict_json
from convatlas.errors import Error, RunError
from convatlas.training.folder import RunFolder
from convatlas.training.schedule import ends_early
from convatlas.training.step_folders import number, steps

EMPTY, BEGUN, TRAINED, DONE = "empty", "begun", "trained", "done"


def standing(path: Path) -> str:
    """EMPTY: no run; BEGUN: with epochs to come; TRAINED: all epochs are done and saved, and the
    test images are still to be looked at; DONE: with its result in metrics.json.
    """
    folder = RunFolder(path)
    with suppress(OSError):
        if not folder.holds_a_run:
            return EMPTY
        if folder.is_finished:
            return DONE
        with suppress(Error, ValueError, KeyError, TypeError, AttributeError):
            if _is_trained(folder):
                return TRAINED
    return BEGUN


def require_tested(path: Path) -> None:
    """RunError for a run that has trained, and has no network to use until it is tested."""
    if not (path / "model.json").exists() and standing(path) == TRAINED:
        raise RunError(
            f"the run in {path} is trained, but its test images were not looked at, so that it has "
            f"no result yet; {RunFolder(path).resume_command} looks at them"
        )


def _is_trained(folder: RunFolder) -> bool:
    """Whether log.jsonl has all epochs, and there is a checkpoint of the last step. Raises Error,
    OSError, ValueError, KeyError, TypeError or AttributeError.
    """
    newest = max(map(number, steps(folder.checkpoints)), default=0)
    log = [strict_json.loads(line) for line in folder.read("log.jsonl").splitlines()]
    if not log or newest < log[-1]["step"]:
        return False
    recipe, scores = folder.recipe(), [line["val_accuracy"] for line in log]
    return log[-1]["epoch"] >= recipe.epochs or ends_early(recipe, scores)
