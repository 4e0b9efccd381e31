"""How far each run of a study is, read from its folder, and how it failed. Imports no torch."""

import signal
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from convatlas.errors import RecipeError
from convatlas.interruption import LEFT_BY_SIGNAL
from convatlas.printable import printable
from convatlas.study.plan import Line
from convatlas.training import manifests
from convatlas.training.plain_files import append_durably, kind, make_durably, read_plain
from convatlas.training.recipe import Recipe
from convatlas.training.standing import standing

LEFT, RUNNING, STOPPED, TRAINED, DONE, FAILED_TWICE = (
    "left",  # nothing of it is there
    "running",  # a process has it now
    "stopped",  # it can go on
    "trained",  # the test images have not been looked at
    "done",
    "failed",
)
TRIES = 2  # the same way, then a run has failed
KILLED, KILLS = "killed by", 5  # as often without a step in between, for killers are many
LONGEST = 100_000  # bytes of failures that are read


def state(study: Path, line: Line) -> str:
    """One of the six words above."""
    folder = line.folder(study)
    found = {"begun": STOPPED, "trained": TRAINED, "done": DONE}.get(standing(folder), LEFT)
    if found == DONE:
        return DONE
    if is_held(folder):
        return RUNNING
    return FAILED_TWICE if has_failed(study, line) else found


def is_held(folder: Path) -> bool:
    """Whether a process is at work in a run's folder. Its lock is tried only where a process has
    left its number, for trying takes it for a moment.
    """
    if kind(folder / "run.pid") != "a file" or kind(folder / "run.lock") != "a file":
        return False
    lock = FileLock(folder / "run.lock", timeout=0)
    try:
        lock.acquire()
    except (Timeout, OSError):
        return True
    lock.release()
    return False


def recipe_of(study: Path, line: Line) -> Recipe | None:
    """What a run is to do; None where that cannot be read, as the run itself will say."""
    with suppress(RecipeError):
        return Recipe.recorded(line.recipe_file(study))
    return None


def needs_of(study: Path, line: Line) -> tuple[int, bool]:
    """The cores that a run keeps busy, and whether it must have a GPU."""
    return manifests.needs_of(recipe_of(study, line) or Recipe())


def is_reached(study: Path, line: Line) -> bool:
    """Whether there is nothing to do for a line, which may or may not look at the test images."""
    found = standing(line.folder(study))
    return found == "done" or (found == "trained" and not line.is_test)


def failures(study: Path, line: Line) -> list[str]:
    """The sentence of each time that a run failed, since somebody last asked for it anew."""
    path = study / "failed" / f"{line.run}.txt"
    with suppress(OSError):
        if kind(path):
            return read_plain(path, LONGEST).decode("utf-8", "replace").splitlines()
    return []


def has_failed(study: Path, line: Line) -> bool:
    """Whether it failed the same way in all of its last tries: two, or five where it was killed."""
    said = failures(study, line)
    tries = KILLS if said and said[-1].startswith(KILLED) else TRIES
    return len(said) >= tries and len(set(said[-tries:])) == 1


def note_failure(study: Path, line: Line, sentence: str) -> bool:
    """Write down that a run has failed, and how; whether it is given up now."""
    make_durably(study / "failed")
    text = printable(sentence).encode() + b"\n"
    append_durably(study / "failed" / f"{line.run}.txt", text)
    return has_failed(study, line)


def forget_failures(study: Path, line: Line) -> None:
    """The run may be tried again, for what was wrong may be right by now."""
    (study / "failed" / f"{line.run}.txt").unlink(missing_ok=True)


def killed(study: Path, line: Line, by: str) -> str:
    """The sentence for a run that somebody has ended, and not at its own request: the same until it
    has come further.
    """
    steps = sorted(each.name for each in line.folder(study).glob("checkpoints/step-*"))
    return f"{KILLED} {by} {f'after {steps[-1]}' if steps else 'before its first checkpoint'}"


def signal_of(code: int) -> str:
    """The signal that an exit code tells of, as subprocess or as a shell writes it; "" for none."""
    number = -code if code < 0 else code - LEFT_BY_SIGNAL
    if number <= 0:
        return ""
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    return f"{name} (is there memory enough?)" if name == "SIGKILL" else name


def log_of(study: Path, line: Line) -> Path:
    """What a run has said, each time that it was carried out."""
    return study / "logs" / f"{line.run}.txt"
