"""One line of a plan, carried out to its end wherever a scheduler puts it:

    python -m convatlas.study.carrying STUDY [NUMBER]

NUMBER counts the lines of plan.jsonl from 0; without it, it is what an Indexed Job of Kubernetes
(JOB_COMPLETION_INDEX) or an array of Slurm (SLURM_ARRAY_TASK_ID) calls it. Imports no torch.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from convatlas.errors import FAILED, RESUMABLE, WRONG_USAGE, Error, RecipeError
from convatlas.printable import printable_lines
from convatlas.study import jobs, plan
from convatlas.study.plan import Line
from convatlas.training.plain_files import make_durably

NUMBERS = ("JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID")
PROGRAM = (sys.executable, "-m", "convatlas")
PAUSE = 0.5  # seconds between two looks at a run that another process has
LEAVING = ("SIGINT", "SIGTERM", "SIGUSR1", "SIGHUP")


def carry_out(study: Path, line: Line, wait: Callable[[float], None] = time.sleep) -> int:
    """Run the line's command, in a process of its own, until there is nothing left to do (0), the
    run has failed for good (1, and the study's failed/ says how), or this process is asked to
    leave (75).

    The run is then asked too, once, and saves: nothing of that is a failure. While somebody else
    has the run, it is waited for. What the run says goes into logs/RUN.txt.
    """
    with _Request() as request:
        while not jobs.is_reached(study, line):
            if request.came:
                return RESUMABLE
            if jobs.has_failed(study, line):
                return FAILED
            if jobs.is_held(line.folder(study)):
                wait(PAUSE)
            else:
                _try(study, line, request)
    return 0


def _try(study: Path, line: Line, request: "_Request") -> None:
    """Run the command once; a failure is written down."""
    make_durably(study / "logs")
    words = [*PROGRAM, *line.command]
    with jobs.log_of(study, line).open("ab") as log:
        began = log.tell()
        child = subprocess.Popen(words, cwd=study, stdout=log, stderr=log, start_new_session=True)
        code = request.reaching(child)
    if request.came or code == RESUMABLE or jobs.is_reached(study, line):
        return
    if code == 0:
        jobs.note_failure(study, line, "its command says that it is over, and its folder does not")
    elif name := jobs.signal_of(code):
        jobs.note_failure(study, line, jobs.killed(study, line, name))
    else:
        jobs.note_failure(study, line, _last_words(study, line, began))


def _last_words(study: Path, line: Line, began: int) -> str:
    """The sentence that a run has said last, since its log had `began` bytes."""
    with jobs.log_of(study, line).open("rb") as log:
        log.seek(began)
        said = log.read().decode("utf-8", "replace").splitlines()
    sentences = [text for text in said if text.startswith("convatlas: ")]
    return (sentences or said or ["it said nothing"])[-1].removeprefix("convatlas: ")


class _Request:
    """While entered, a signal that asks this process to leave is passed on to the run, once: asked
    twice, a run would not save.
    """

    def __init__(self) -> None:
        self.came = False
        self._child: subprocess.Popen | None = None
        self._before: dict[int, object] = {}

    def __enter__(self) -> "_Request":
        numbers = [getattr(signal, name) for name in LEAVING if hasattr(signal, name)]
        with suppress(ValueError):  # not the main thread: the program around us keeps its own
            for number in numbers:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def reaching(self, child: subprocess.Popen) -> int:
        """Wait for the process, which a request reaches; its exit code."""
        self._child = child
        if self.came:
            child.terminate()
        try:
            return child.wait()
        finally:
            self._child = None
            if child.poll() is None:
                child.terminate()

    def _note(self, number: int, frame: FrameType | None) -> None:
        if not self.came:
            self.came = True
            if self._child:
                self._child.terminate()


def line_of(study: Path, number: str | None) -> Line:
    """The line of that number, or of the one that a scheduler has given this process. RecipeError
    where there is none; RunError where the folder holds no study.
    """
    lines = plan.read(study)
    known = (os.environ[name] for name in NUMBERS if name in os.environ)
    number = next(known, None) if number is None else number
    if number is None:
        raise RecipeError(
            f"which line of {study / 'plan.jsonl'}? give its number, counted from 0, or set "
            f"{' or '.join(NUMBERS)}"
        )
    if not re.fullmatch("[0-9]{1,9}", number) or int(number) >= len(lines):
        raise RecipeError(
            f"there is no line {number!r} in {study / 'plan.jsonl'}; they go from 0 to "
            f"{len(lines) - 1}"
        )
    return lines[int(number)]


def main(words: Sequence[str]) -> int:
    """The exit code: 0 done, 1 failed, 2 wrong usage, 75 stopped, to be run again."""
    if len(words) not in (1, 2):
        return _say("usage: python -m convatlas.study.carrying STUDY [NUMBER]", WRONG_USAGE)
    study = Path(words[0]).absolute()
    try:
        line = line_of(study, *words[1:] or [None])
        code = carry_out(study, line)
    except Error as error:
        return _say(f"convatlas: {error}", error.exit_code)
    except OSError as error:
        return _say(f"convatlas: {study} cannot be used: {error}", FAILED)
    if code == FAILED:
        return _say(f"convatlas: {line.run}: {jobs.failures(study, line)[-1]}", code)
    print(f"{line.run}: {jobs.state(study, line)}", flush=True)
    return code


def _say(sentence: str, code: int) -> int:
    print(printable_lines(sentence), file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
