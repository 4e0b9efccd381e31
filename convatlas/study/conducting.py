"""A study from the question to the report: train all, choose by validation, look at the test images
once, report.
"""

import math
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from convatlas.errors import RecipeError, RunError, Stopped
from convatlas.study import choosing, jobs, plan
from convatlas.study.asking import require_several, require_variable
from convatlas.study.plan import Asked, Line, continue_command
from convatlas.study.watching import Observer
from convatlas.training.plain_files import kind

Executor = Callable[[Sequence[Line], Path, Observer], None]
MOST_RUNS = 100_000  # of a study: what each file of it holds, and a person can wait for
SEEDS = 3  # they describe; docs/statistics.md says how many decide


def begin(
    networks: Sequence[str],
    data: Sequence[str],
    seeds: int = SEEDS,
    recipe: str = "",
    vary: Mapping[str, Sequence] | None = None,
    given: Mapping[str, Any] | None = None,
    output: Path | None = None,
    is_here: bool = True,
) -> Path:
    """Write the folder of a study that nobody has carried out yet, or find the same one there.

    RecipeError, with all that is wrong, where there is anything; RunError where the folder holds
    another study.
    """
    from convatlas.study.checking import planned

    values = {name: list(several) for name, several in (vary or {}).items()}
    for name in values:
        require_variable(name)
    require_several(values)
    if not networks:
        raise RecipeError("which networks? give names from `convatlas list`, such as lenet5 nin")
    if seeds < 1:
        raise RecipeError(f"--seeds must be 1 or more, not {seeds}")
    settings = math.prod(map(len, values.values()))
    runs = seeds * settings * len(set(networks)) * max(1, len(set(data)))
    if runs > MOST_RUNS:
        raise RecipeError(
            f"that makes {runs:,} runs ({len(set(networks))} networks x {max(1, len(set(data)))} "
            f"data sets x {settings} settings x {seeds:,} seeds), and a study holds {MOST_RUNS:,}; "
            "give fewer --seeds or --vary values"
        )
    plain = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in (given or {}).items()
    }
    asked = Asked(tuple(networks), (), seeds, recipe, plain, values)
    whole = planned(asked, list(data), is_here)
    folder = output or _default(whole.asked)
    known = kind(folder / "study.json")
    asked = whole.known_as(plan.read_asked(folder)) if known else whole.asked
    plan.write(folder, asked, whole.runs)
    return folder


def _default(asked: Asked) -> Path:
    """studies/DATE-data, with a number after it where two begin in the same second."""
    names = "-".join(images.name for images in asked.data)[:60]
    base = Path("studies") / f"{datetime.now():%Y%m%d-%H%M%S}-{names}"
    path, number = base, 1
    while path.exists():
        number += 1
        path = base.with_name(f"{base.name}-{number}")
    return path


def conduct(study: Path, execute: Executor, tell: Observer) -> list[Line]:
    """Carry the study out as far as it is not, from wherever it is; returns the lines of the runs
    that have failed, or that the executor has left. Those that failed before are tried again.

    Stopped where a signal asked for it; RunError where another process is at work on the study.
    """
    lines = plan.read(study)
    with held(study):
        for line in lines:
            jobs.forget_failures(study, line)
        try:
            execute(lines, study, tell)
            if left := [line for line in lines if not _is_over(study, line)]:
                return left  # no choice is made before all that can train has
            trained = choosing.choose(study, lines)
            for text in choosing.said(study):
                tell.note(text)
            sound = [line.testing() for line in trained if jobs.is_reached(study, line)]
            execute(sound, study, tell)
        except Stopped as stopped:
            raise Stopped(f"{stopped}; go on with {continue_command(study)}") from None
    unchosen = choosing.unchosen(study, lines)
    return [
        line
        for line in lines
        if line.run not in unchosen and not jobs.is_reached(study, line.testing())
    ]


def _is_over(study: Path, line: Line) -> bool:
    return jobs.is_reached(study, line) or jobs.has_failed(study, line)


@contextmanager
def held(study: Path) -> Iterator[None]:
    """Nobody else carries the study out meanwhile. RunError where somebody does."""
    lock = FileLock(study / "study.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise RunError(
            f"another process is at work on the study in {study}; `convatlas study "
            f"{shlex.quote(str(study))}` shows how far it is"
        ) from None
    except OSError as error:
        raise RunError(
            f"cannot write in the study {study}: {error.strerror}; make the folder writable"
        ) from None
    try:
        yield
    finally:
        lock.release()


def incomplete(study: Path, missing: Sequence[Line]) -> RunError:
    """Which runs a study lacks, and why."""
    said = [f"{line.run}: {_why(study, line)}" for line in missing]
    many = f"{len(missing)} run{'' if len(missing) == 1 else 's'} of the study failed"
    return RunError(
        "\n  ".join([f"{many}; once mended, go on with {continue_command(study)}:", *said])
    )


def _why(study: Path, line: Line) -> str:
    if failures := jobs.failures(study, line):
        return failures[-1]
    if jobs.is_reached(study, line):
        return f"trained, but no setting of {line.network} has trained with every seed"
    return "it was not carried out"


def report(study: Path) -> list[str]:
    """Write the report of the runs that are done, and of those that are not, into the study's
    folder; what it says first, and where it lies. Nothing where no run has begun.
    """
    from convatlas.reporting import FORMATS
    from convatlas.reporting.writing import prepared, written

    lines = plan.read(study)
    unchosen = choosing.unchosen(study, lines)
    folders = [line.folder(study) for line in lines if line.run not in unchosen]
    begun = [folder for folder in folders if (folder / "recipe.toml").exists()]
    if not begun:
        return []
    found = prepared(begun, study, FORMATS, against=None, times=True, pictures=True, latency=False)
    files = [f"written: {path}" for path in written(found)]
    return [*(f"note: {note}" for note in found.notes), *found.sentences, *files]
