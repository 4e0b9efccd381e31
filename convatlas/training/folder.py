"""The run folder: one process at a time, a log that is cut back on resume, and what a reader finds
in it afterwards.
"""

import contextlib
import json
import os
import re
import shutil
import tempfile
from datetime import datetime
from multiprocessing.util import Finalize
from pathlib import Path

from filelock import FileLock, Timeout

from convatlas.errors import RunError
from convatlas.training.checkpoint import replace_durably
from convatlas.training.recipe import Recipe

AFTER_ALL = -200  # at a program's end: multiprocessing removes its own temporary folder at -100


class RunFolder:
    """recipe.toml, log.jsonl, metrics.json, curves.png, confusion.png, model.safetensors,
    model.json, checkpoints/.
    """

    def __init__(self, path: Path, is_writer: bool = True):
        self.path = path
        self.is_writer = is_writer  # of the processes of one run, one holds the lock and writes
        self.checkpoints = path / "checkpoints"
        self._lock = FileLock(path / "run.lock", timeout=0)
        self._holder = path / "run.pid"  # beside it: Windows lets nobody read a locked file

    def __enter__(self) -> "RunFolder":
        if self.is_writer:
            self._take()
        return self

    def _take(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
            self._holder.unlink(missing_ok=True)
            with self._holder.open("x", encoding="utf-8") as file:
                file.write(f"{os.getpid()}\n")
        except Timeout:
            raise RunError(
                f"another process (pid {self._holding()}) is training in {self.path}; wait for "
                "it, or choose another folder with --output"
            ) from None
        except OSError as error:
            self._lock.release()
            raise RunError(
                f"cannot write in the run folder {self.path}: {error.strerror}; choose another "
                "with --output"
            ) from None

    def _holding(self) -> str:
        try:
            return self._holder.read_text(encoding="utf-8").strip() or "unknown"
        except OSError:  # it has the lock since this very moment
            return "unknown"

    def __exit__(self, *_) -> None:
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._holder.unlink(missing_ok=True)
            self._lock.release()

    @property
    def holds_a_run(self) -> bool:
        return (self.path / "recipe.toml").exists()

    @property
    def is_finished(self) -> bool:
        return (self.path / "metrics.json").exists()

    def write(self, name: str, content: str | bytes) -> None:
        """One file, whole or not at all. Raises RunError when the disk is full or read-only."""
        data = content.encode() if isinstance(content, str) else content
        try:
            replace_durably(self.path / name, data)
        except OSError as error:
            with contextlib.suppress(OSError):
                (self.path / f".tmp-{name}").unlink(missing_ok=True)
            raise self._cannot_write(name, error) from None

    def _cannot_write(self, name: str, error: OSError) -> RunError:
        return RunError(
            f"cannot write {self.path / name}: {error.strerror}; free some space or make the "
            f"folder writable, then continue with --resume {self.path}"
        )

    def recipe(self) -> Recipe:
        return Recipe.recorded(self.path / "recipe.toml")

    def append_log(self, record: dict) -> int:
        """Add one line and return the log's length in bytes, which a checkpoint remembers. RunError
        as in write.
        """
        try:
            with (self.path / "log.jsonl").open("ab") as log:
                log.write(json.dumps(record).encode() + b"\n")
                log.flush()
                return log.tell()
        except OSError as error:
            raise self._cannot_write("log.jsonl", error) from None

    def cut_log(self, length: int) -> None:
        """Drop the lines of epochs that a resumed run will do again."""
        log = self.path / "log.jsonl"
        try:
            if log.exists() and log.stat().st_size > length:
                os.truncate(log, length)
        except OSError as error:
            raise self._cannot_write("log.jsonl", error) from None

    def log(self) -> list[dict]:
        log = self.path / "log.jsonl"
        if not log.exists():
            return []
        return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def lend_temporary_folder(beside: Path) -> None:
    """torch and matplotlib want a temporary folder as soon as they are imported. Where the system
    has none that can be written, as in some containers, they get one where the run will be, until
    the program ends.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        home = next(parent for parent in (beside, *beside.absolute().parents) if parent.is_dir())
        with contextlib.suppress(OSError):  # the run cannot be written either, and says so
            tempfile.tempdir = tempfile.mkdtemp(dir=home, prefix=".tmp-")
            Finalize(None, shutil.rmtree, (tempfile.tempdir, True), exitpriority=AFTER_ALL)


def default_path(recipe: Recipe) -> Path:
    """runs/DATE-network-data, with a number after it where two start in the same second."""
    data = re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(recipe.data).name) or "data"
    base = Path("runs") / f"{datetime.now():%Y%m%d-%H%M%S}-{recipe.network}-{data}"
    path, number = base, 1
    while path.exists():
        number += 1
        path = base.with_name(f"{base.name}-{number}")
    return path
