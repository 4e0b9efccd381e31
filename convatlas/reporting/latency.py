"""How long each network of a report takes for one picture, measured side by side on this machine
and kept with the runs, so that the same report can be made again. Imports torch.
"""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from convatlas import strict_json
from convatlas.errors import ReportError
from convatlas.model_file import load_model
from convatlas.reporting import recorded
from convatlas.reporting.runs import Run
from convatlas.timing import alternated
from convatlas.training.plain_files import replace_durably

SECONDS = 1.0  # of measuring, for each network
FILE = "latency.json"


def measure(runs: Mapping[str, Run], seconds: float = SECONDS) -> dict[str, float]:
    """Milliseconds for one picture, in float32 and one thread, of one run for each name; the median
    of rounds in which all take turns. Each is written into latency.json of its run's folder.

    Raises ModelFileError for a run without its network, ReportError where it cannot be written.
    """
    import torch

    from convatlas.training.provenance import provenance

    with _one_thread(), torch.inference_mode():
        calls = {}
        for name, run in runs.items():
            saved = load_model(run.folder)
            x = torch.zeros(1, saved.preprocess.channels, *[saved.preprocess.side] * 2)
            calls[name] = lambda net=saved.net, x=x: net(x)
        found = alternated(calls, seconds * len(calls))
        about = provenance(torch.device("cpu"))
    taken = {name: round(1000 * timing.median, 4) for name, timing in found.items()}
    for name, run in runs.items():
        _write(run.folder, {"milliseconds": taken[name], "pictures": 1, "provenance": about})
    return taken


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _write(folder: Path, found: dict) -> None:
    run = (recorded.metrics_of(folder) or {"all": {}})["all"].get("run")
    try:
        content = strict_json.dumps({"run": run, **found}, indent=1)
        replace_durably(folder / FILE, content.encode())
    except OSError as error:
        raise ReportError(
            f"cannot write {folder / FILE}: {error.strerror}; latency is kept with the runs, so "
            "leave it out, or make the folder writable"
        ) from None
