"""serve: exported files, answering over HTTP."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from convatlas.printable import printable

if TYPE_CHECKING:
    from convatlas.serving.models import Model

TOKEN = "CONVATLAS_TOKEN"


def serve(
    *files: Path,
    engine: str | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
    places: int = 64,
    max_megabytes: float = 10,
    max_megapixels: float = 64,
) -> int:
    """Answer over HTTP from exported files, or from runs, until Ctrl-C or SIGTERM.

    POST /predict takes a picture's bytes and gives its likeliest classes; /v2 is the Open Inference
    Protocol, for tensors; /metrics is for Prometheus. Outside this machine (--host) a token is
    asked for: set CONVATLAS_TOKEN, and send it as the header 'Authorization: Bearer TOKEN'.

    Parameters
    ----------
    files: Path
        Exported files, .onnx or .xml, each with its proof beside it, or folders of finished runs,
        which are exported first; /predict asks the first, or ?model=NAME.
    engine: str
        What a run is exported for: onnxruntime, openvino, or auto, the fastest of those that are
        installed [the first of them]. A file is for its own.
    host: str
        The address to listen on [this machine only].
    port: int
        The port; 0 for one that is free.
    places: int
        Requests that may be inside at once; further ones are sent away with 503.
    max_megabytes: float
        The limit for the body of a request.
    max_megapixels: float
        The limit for the pictures of a request.
    """
    from convatlas.deploy.engines import needed
    from convatlas.errors import ExportError

    for package in ("starlette", "uvicorn", "h11"):
        needed(package, "serve", "convatlas serve")
    from convatlas.data.image_file import require_limit
    from convatlas.serving import app, guards, running

    require_limit(max_megapixels)
    if not files:
        raise ExportError("name the files or runs to answer from: convatlas serve lenet5.onnx")
    if places < 1 or not 0 < max_megabytes < 1e5:
        raise ExportError("--places must be at least 1, and --max-megabytes above 0")
    token = os.environ.get(TOKEN, "")
    if not (token.isascii() and token.isprintable()):
        raise ExportError(f"{TOKEN} must be of printable ASCII characters, as a header can hold")
    if not running.is_loopback(host) and len(token) < 16:
        raise ExportError(
            f"--host {host} lets other machines ask, so set {TOKEN} to a secret of at least 16 "
            f"characters first: export {TOKEN}=$(openssl rand -hex 16)"
        )
    limits = app.Limits(int(max_megabytes * 1e6), megapixels=max_megapixels, places=places)
    running.use_one_heap()
    with contextlib.closing(running.bound(host, port)) as listening:
        opened = _opened(files, engine)
        shown = f"[{host}]" if ":" in host else host
        for model in opened.values():
            print(printable(f"{model.name}: {model.opened.engine}, {model.opened.precision}"))
        print(f"listening on http://{shown}:{listening.getsockname()[1]}", flush=True)
        running.run(app.application(opened, guards.Guard(host, token), limits), listening)
    return 0


def _opened(files: tuple[Path, ...], engine: str | None) -> "dict[str, Model]":
    from convatlas.errors import ExportError
    from convatlas.serving.models import open_models
    from convatlas.serving.runs import exported

    if engine and not any(file.is_dir() for file in files):
        raise ExportError("--engine is for runs, a file is for its own engine; leave --engine out")
    with contextlib.ExitStack() as stack:

        def to_serve(file: Path) -> Path:
            if not file.is_dir():
                return file
            # on Windows a file that is open cannot be removed
            folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
            own = Path(stack.enter_context(folder))
            return exported(file, own, engine, lambda line: print(printable(line)))

        return open_models([*map(to_serve, files)])
