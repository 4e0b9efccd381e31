"""A finished run is exported before it is served. A process of its own does it, so that torch
stays out of the server's.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from convatlas.deploy.engines import KINDS, kind_of, open_export
from convatlas.deploy.sample_pictures import sample_batches
from convatlas.errors import ExportError
from convatlas.serving.models import NAME, SERVED

ENGINES = {KINDS[name].package: name for name in SERVED}
AUTO = "auto"
CALLS = 20  # that an engine is timed by: the best of them


def exported(run: Path, folder: Path, engine: str | None, say: Callable[[str], None]) -> Path:
    """A proved file of a run, in `folder`, called as the run is; for `engine`, for the first that
    is installed with None, or for the fastest with "auto". Raises ExportError; what the process
    that exports has said is not said again.
    """
    engines = [name for name in ENGINES if find_spec(name)]
    if engine in ENGINES:
        engines = [engine]
    elif engine not in (None, AUTO):
        raise ExportError(
            f"there is no engine {engine!r} to serve with; allowed: {' | '.join((AUTO, *ENGINES))}"
        )
    if not engines:
        raise ExportError(
            f"{run} is a run, which is exported before it is served, and no engine for that is "
            "installed: pip install 'convatlas[onnx]'"
        )
    if engine != AUTO:
        return _exported(run, folder, engines[0])
    times = {file: _seconds(file) for file in (_exported(run, folder, name) for name in engines)}
    shown = (f"{kind_of(file).package} {1e3 * taken:.2f}" for file, taken in times.items())
    say(f"{run}: {', '.join(shown)} ms a picture")
    return min(times, key=lambda file: times[file])


def _exported(run: Path, folder: Path, engine: str) -> Path:
    to = ENGINES[engine]
    name = run.resolve().name
    stem = name if NAME.fullmatch(name) else "run"
    file = folder / f"{stem}{KINDS[to].suffix}"
    command = [sys.executable, "-m", "convatlas", "export", str(run)]
    done = subprocess.run(
        [*command, "--to", to, "--output", str(file)], stdout=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise ExportError(f"{run} could not be exported", quiet=True)
    return file


def _seconds(file: Path) -> float:
    """The best of some calls with one picture: what else the machine does only adds."""
    opened, picture = open_export(file), next(sample_batches())
    times = []
    for _ in range(CALLS):
        began = time.perf_counter()
        opened(picture)
        times.append(time.perf_counter() - began)
    return min(times)
