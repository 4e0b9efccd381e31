"""The run folder: one process at a time, nothing that leads out of it, a log without gaps, and what
a reader finds in it afterwards.
"""

import contextlib
import io
import json
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from multiprocessing.util import Finalize
from pathlib import Path

from filelock import FileLock, Timeout

from convatlas import strict_json
from convatlas.errors import RunError
from convatlas.training.plain_files import (
    append_durably,
    has_second_name,
    kind,
    make_durably,
    read_plain,
    replace_durably,
)
from convatlas.training.recipe import Recipe
from convatlas.training.step_folders import FILES, STEP, remove_leftovers, steps

NAMES = (
    *("recipe.toml", "run.json", "run.lock", "run.pid", "log.jsonl", "metrics.json"),
    *("model.safetensors", "model.json", "answers.csv", "curves.png", "confusion.png"),
    "mlflow.db",
)
TRACKED = ("tensorboard", "wandb")  # folders of trackers that write here
MODEST = 0.01  # a learning rate at which no optimiser of ours runs away
LARGEST = {  # bytes that are read at all
    "recipe.toml": 1_000_000,
    "metrics.json": 64_000_000,  # older versions wrote a matrix of all classes
    "log.jsonl": 64_000_000,
    "answers.csv": 256_000_000,
}
AFTER_ALL = -200  # at a program's end: multiprocessing removes its own temporary folder at -100


class RunFolder:
    """recipe.toml, run.json, log.jsonl, metrics.json, answers.csv, curves.png, confusion.png,
    model.safetensors, model.json, checkpoints/.
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
            make_durably(self.path)
            self.require_plain()
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
            return read_plain(self._holder, 100).decode("ascii", "replace").strip() or "unknown"
        except OSError:  # it has the lock since this very moment
            return "unknown"

    def __exit__(self, *_) -> None:
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._holder.unlink(missing_ok=True)
            self._lock.release()

    def require_plain(self) -> None:
        """RunError unless everything of ours in it is a plain file or folder. A link, a pipe or a
        device in a stranger's run would lead out of it; the folder itself may be a link.
        """
        for entry, wanted in self._entries():
            found = kind(entry)
            if found not in ("", wanted):
                raise RunError(
                    f"{entry} is {found} where {wanted} belongs, and a run neither reads nor "
                    f"writes through it; put {wanted} there, or give another run folder"
                )

    def _entries(self) -> Iterator[tuple[Path, str]]:
        """What a run reads, writes or deletes, as far as it is there, and what it must be."""
        yield from ((self.path / name, "a file") for name in NAMES)
        yield from ((self.path / name, "a folder") for name in (*TRACKED, "checkpoints"))
        if kind(self.checkpoints) != "a folder":
            return
        yield self.checkpoints / "LATEST", "a file"
        for entry in self.checkpoints.glob(".tmp-*"):
            yield entry, "a file" if "LATEST" in entry.name else "a folder"
        for step in self.checkpoints.glob("step-*"):
            if STEP.fullmatch(step.name):
                yield step, "a folder"
                yield from ((step / name, "a file") for name in (*FILES, "MANIFEST.json"))

    def remove_leftovers(self) -> None:
        """What a killed process left half written. Only while the lock is held."""
        for name in NAMES:
            for leftover in self.path.glob(f".tmp-{name}*"):
                if kind(leftover) == "a file":
                    leftover.unlink(missing_ok=True)
        remove_leftovers(self.checkpoints)

    @property
    def holds_a_run(self) -> bool:
        return (self.path / "recipe.toml").exists()

    @property
    def is_finished(self) -> bool:
        return (self.path / "metrics.json").exists()

    @property
    def holds_only_a_network(self) -> bool:
        """Whether it is no run, as what netadapt writes, or where a run's network was copied to."""
        has_run = (self.path / "run.json").exists() or self.is_finished or self.holds_checkpoints
        return (self.path / "model.safetensors").exists() and not has_run

    @property
    def remains(self) -> str:
        """What is left of a run whose recipe.toml is gone, or ""."""
        found = {"checkpoints": self.holds_checkpoints, "metrics.json": self.is_finished}
        return " and ".join(name for name, is_there in found.items() if is_there)

    @property
    def holds_checkpoints(self) -> bool:
        return any((step / "MANIFEST.json").exists() for step in steps(self.checkpoints))

    @property
    def resume_command(self) -> str:
        """What a person types to go on here."""
        return f"convatlas train --resume {shlex.quote(str(self.path))}"

    def again(self, recipe: Recipe) -> str:
        """What a person types to run the recipe once more, more slowly, in another folder."""
        number = 2
        while (other := self.path.with_name(f"{self.path.name}-{number}")).exists():
            number += 1
        rate = min(float(f"{recipe.lr / 10:.2g}"), MODEST)
        words = ["convatlas", "train", "--recipe", str(self.path / "recipe.toml")]
        words += ["--lr", f"{rate:g}", "--output", str(other)]
        words += ["--warmup-lr", "0"] if recipe.warmup_lr > rate else []
        return shlex.join(words)

    def write(self, name: str, content: str | bytes) -> None:
        """One file, whole or not at all. Raises RunError when the disk is full or read-only."""
        data = content.encode() if isinstance(content, str) else content
        try:
            replace_durably(self.path / name, data)
        except OSError as error:
            raise self._cannot_write(name, error) from None

    def write_tensors(self, name: str, tensors: Mapping) -> str:
        """A file of tensors, in the same way, and never whole in memory: its sha256."""
        from convatlas.training.tensor_file import replace_tensors

        try:
            return replace_tensors(self.path / name, tensors)
        except OSError as error:
            raise self._cannot_write(name, error) from None

    def _cannot_write(self, name: str, error: OSError) -> RunError:
        return RunError(
            f"cannot write {self.path / name}: {error.strerror}; free some space or make the "
            f"folder writable, then continue with --resume {shlex.quote(str(self.path))}"
        )

    def read(self, name: str) -> bytes:
        """One file, empty where there is none. RunError for what is too large or cannot be read."""
        path = self.path / name
        try:
            return read_plain(path, LARGEST[name]) if kind(path) else b""
        except OSError as error:
            remedy = (
                "put the run's own back"
                if name == "recipe.toml"
                else f"remove it, and {self.resume_command} makes it again"
            )
            raise RunError(f"cannot read {path}: {error.strerror}; {remedy}") from None

    def recipe(self) -> Recipe:
        path = self.path / "recipe.toml"
        self.read("recipe.toml")  # refuses what is no plain file
        return Recipe.recorded(path)

    def set_aside_metrics(self, epochs: int) -> None:
        """The result of a run that is made longer stays beside its coming one: metrics.json last,
        for while it is there the run is finished.
        """
        for name in ("answers.csv", "metrics.json"):
            part, kept = self.path / name, name.replace(".", f"-epoch-{epochs}.")
            try:
                if kind(part):
                    os.replace(part, self.path / kept)
            except OSError as error:
                raise self._cannot_write(kept, error) from None

    def append_log(self, record: dict) -> None:
        """Add one line, on the disk when this returns. RunError as in write."""
        try:
            append_durably(self.path / "log.jsonl", strict_json.dumps(record).encode() + b"\n")
        except OSError as error:
            raise self._cannot_write("log.jsonl", error) from None

    def restore_log(
        self, known: list[dict], epochs: int, warn: Callable[[str], None]
    ) -> list[dict]:
        """The records of the epochs that a resumed run has behind it, and log.jsonl with just
        these: as the checkpoint knows them, else as the file has them. Lines of epochs that will
        be done again go; those that cannot be read are named and left out.
        """
        content = self.read("log.jsonl")
        written = {record["epoch"]: record for record in _records(content, epochs)}
        kept = written | {record["epoch"]: record for record in known}
        done = range(1, epochs + 1)
        lost = [epoch for epoch in done if epoch not in kept]
        damaged = [epoch for epoch in done if epoch in kept and written.get(epoch) != kept[epoch]]
        if damaged or lost:
            warn(_repaired(self.path / "log.jsonl", damaged, lost))
        records = [kept[epoch] for epoch in done if epoch in kept]
        text = "".join(strict_json.dumps(record) + "\n" for record in records)
        if text.encode() != content or has_second_name(self.path / "log.jsonl"):
            self.write("log.jsonl", text)
        return records


def _records(content: bytes, epochs: int) -> Iterator[dict]:
    """The lines of a log that can be read, of epochs up to this one. NaN, as older versions wrote
    it, is read as null.
    """
    for line in io.BytesIO(content):
        try:
            found = json.loads(line, parse_constant=lambda name: None) if len(line) < 2000 else None
        except (ValueError, RecursionError):
            continue
        epoch = found.get("epoch") if isinstance(found, dict) else None
        if type(epoch) is int and 1 <= epoch <= epochs:
            yield found


def _repaired(path: Path, damaged: list[int], lost: list[int]) -> str:
    def listed(epochs: list[int]) -> str:
        more = f" and {len(epochs) - 5} more" if len(epochs) > 5 else ""
        return f"epoch{'' if len(epochs) == 1 else 's'} {', '.join(map(str, epochs[:5]))}{more}"

    parts = [f"{path} was damaged:"]
    if damaged:
        parts.append(f"{listed(damaged)} written again from the checkpoint;")
    if lost:
        parts.append(f"{listed(lost)} cannot be read and are left out of the curves;")
    return " ".join(parts).removesuffix(";")


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
