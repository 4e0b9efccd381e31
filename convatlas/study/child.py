"""One run of a study, in a process that a server of forks has made. The server has imported this
module, and with it torch and all that a run needs, once for all of them.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from multiprocessing.connection import Connection, wait
from pathlib import Path

import matplotlib.figure  # noqa: F401  what a run loads when it needs it
import scipy.special  # noqa: F401
import torchvision.transforms.v2.functional  # noqa: F401

from convatlas.data import sources  # noqa: F401
from convatlas.errors import FAILED, RESUMABLE, Error
from convatlas.machine import highest, resident
from convatlas.study import jobs
from convatlas.study.plan import Line
from convatlas.training import plots, resuming  # noqa: F401
from convatlas.training.progress import Lines
from convatlas.training.recipe import Recipe
from convatlas.training.run import run_recipe

IS_FORKED = sys.platform == "linux"  # elsewhere forking is not safe once torch is there
EVERY = 1.0  # seconds between two messages of a run that is in an epoch


def main(study: str, line: Line, device: str, pool: Connection) -> None:
    """Carry out the line and leave with its exit code. On `device`, a number of CUDA's, if any."""
    place = Path(study)
    os.chdir(place)
    _leave_the_terminal()
    _speak_into(jobs.log_of(place, line))
    _stop_with_the_pool()
    if device:
        os.environ["CUDA_VISIBLE_DEVICES"] = device
    sys.exit(attempt(line, Telling(pool)))


def attempt(line: Line, told: Lines) -> int:
    """The line's command, here and now, in the study's folder; its exit code. What goes wrong is
    written down.
    """
    place, folder = Path(), line.folder(Path())
    try:
        if line.is_test:
            run_recipe(resuming.recorded(folder), folder, True, told)
        else:
            recipe = Recipe.read(line.recipe_file(place))
            run_recipe(recipe.change(test=False), folder, True, told)
    except Error as error:
        sentence, code = str(error), error.exit_code
    except Exception as error:
        traceback.print_exc()
        sentence, code = f"{type(error).__name__}: {error}", FAILED
    else:
        return 0
    print(f"convatlas: {sentence}", file=sys.stderr, flush=True)
    if code != RESUMABLE:
        jobs.note_failure(place, line, sentence)
    return code


class Telling(Lines):
    """Says all that a run says, into its log, and tells the pool how far it is."""

    def __init__(self, pool: Connection):
        super().__init__()
        self.pool, self.told_at = pool, 0.0
        self.shared = (resident() or 0) if IS_FORKED else 0  # bytes, so far the server's own

    def begin(self, facts: dict) -> None:
        super().begin(facts)
        coming = facts["forecast"]  # none where all epochs are done
        most = coming.memory if coming and coming.memory else highest()
        self.tell("memory", most, self.shared)

    def epoch(self, record: dict) -> None:
        super().epoch(record)
        now = time.monotonic()
        if record["epoch"] == self.epochs or now - self.told_at >= EVERY:
            self.told_at = now
            self.tell("epoch", record["epoch"], self.epochs, record["val_accuracy"])

    def trained(self, facts: dict) -> None:
        super().trained(facts)
        self.tell("memory", highest(), self.shared)

    def end(self, metrics: dict) -> None:
        super().end(metrics)
        self.tell("memory", highest(), self.shared)

    def tell(self, *message: object) -> None:
        """A pool that is gone hears nothing, and the run is about to stop."""
        with contextlib.suppress(OSError):
            self.pool.send(message)


def _leave_the_terminal() -> None:
    """Ctrl-C there reaches the pool, which asks its runs to stop; asked twice none would save."""
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)


def _speak_into(log: Path) -> None:
    """What is printed, by C code too, goes into the run's log."""
    log.parent.mkdir(exist_ok=True)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    for number in (1, 2):
        os.dup2(file, number)
    os.close(file)


def _stop_with_the_pool() -> None:
    """A run whose pool is gone, however it went, saves and stops."""
    pool = multiprocessing.parent_process()

    def watch() -> None:
        wait([pool.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
