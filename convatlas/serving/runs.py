"""A finished run is exported before it is served. A process of its own does it, so that torch
stays out of the server's.
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from convatlas.deploy.engines import KINDS
from convatlas.errors import ExportError
from convatlas.serving.models import NAME, SERVED


def exported(run: Path, folder: Path) -> Path:
    """A proved file of a run, in `folder`, called as the run is. Raises ExportError; what the other
    process says is not said again.
    """
    to = next((name for name in SERVED if find_spec(KINDS[name].package)), None)
    if to is None:
        raise ExportError(
            f"{run} is a run, which is exported before it is served, and no engine for that is "
            "installed: pip install 'convatlas[onnx]'"
        )
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
