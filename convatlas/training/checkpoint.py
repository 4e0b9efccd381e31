"""The checkpoint folder: written whole or not at all, and read only after every byte has been
checked.

    checkpoints/step-00001234/ model.safetensors  train_state.safetensors  state.json  MANIFEST.json
    checkpoints/LATEST           one line, the newest step's folder

A step is written as .tmp-STEP-PID beside its final place, flushed to the disk, then renamed, so a
kill at any moment leaves the older steps untouched. MANIFEST.json holds the sha256 and the size of
the other three files.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load, save
from torch import Tensor

from convatlas.errors import CheckpointError

FORMAT = 1
FILES = ("model.safetensors", "train_state.safetensors", "state.json")
KEEP = 2  # newest steps kept; two, so that a bad newest one still leaves a good one
ROOM = 1.2  # free space wanted, as a multiple of what is about to be written
# On Windows whoever looks at a file, a virus scanner too, keeps it from being renamed meanwhile.
PATIENCE = (0.0, 0.1, 0.3, 0.6)  # seconds before each attempt


@dataclass(frozen=True)
class Checkpoint:
    step: int
    model: dict[str, Tensor]  # the network's state_dict
    train_state: dict[str, Tensor]  # optimiser moments and the best weights so far
    state: dict  # plain JSON: counters, scores, recipe, classes, fingerprint


def save_step(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write one step, point LATEST at it, drop all but the newest KEEP. Raises CheckpointError;
    older steps survive.
    """
    contents = (
        save(_dense(checkpoint.model)),
        save(_dense(checkpoint.train_state)),
        json.dumps(checkpoint.state, indent=1).encode(),
    )
    final = folder / f"step-{checkpoint.step:08d}"
    if _is_good(final):
        return final  # a resumed run that stops again at once: the same step has the same bytes
    temporary = folder / f".tmp-{checkpoint.step:08d}-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _want_room(folder, sum(map(len, contents)))
        temporary.mkdir()
        manifest = {"format": FORMAT, "files": {}}
        for name, content in zip(FILES, contents, strict=True):
            write_durably(temporary / name, content)
            manifest["files"][name] = {
                "sha256": hashlib.sha256(content).hexdigest(),
                "size": len(content),
            }
        write_durably(temporary / "MANIFEST.json", _manifest_text(manifest).encode())
        _flush_folder(temporary)
        if final.exists():  # only a damaged copy of the same step can stand here
            _replace(final, folder / f".tmp-damaged-{final.name}-{os.getpid()}")
        _replace(temporary, final)
        _flush_folder(folder)
        replace_durably(folder / "LATEST", (final.name + "\n").encode())
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise CheckpointError(
            f"cannot save step {checkpoint.step} in {folder}: {error.strerror or error}"
        ) from error
    for old in steps(folder)[KEEP:]:
        _remove(old)
    return final


def _remove(step: Path) -> None:
    """Under another name first, so that a step that stands under its own is always whole."""
    going = step.with_name(f".tmp-old-{step.name}-{os.getpid()}")
    with contextlib.suppress(OSError):
        os.rename(step, going)
    shutil.rmtree(going, ignore_errors=True)


def load_newest(folder: Path, warn: Callable[[str], None]) -> Checkpoint | None:
    """The newest step that reads back as it was written; None when none was ever saved.

    A step that does not is skipped with a warning; when no step is good, CheckpointError lists them
    all.
    """
    problems = []
    for candidate in steps(folder):
        try:
            return read_step(candidate)
        except CheckpointError as error:
            problems.append(str(error))
            warn(f"skipping a damaged checkpoint: {error}")
    if problems:
        raise CheckpointError(
            f"no checkpoint in {folder} can be read, so the run cannot be continued: "
            + "; ".join(problems)
            + ". Start it anew in another folder"
        )
    return None


def read_step(folder: Path) -> Checkpoint:
    """Raises CheckpointError, naming the file, unless every byte is what the manifest says."""
    contents = {}
    for name, (size, sha256) in _read_manifest(folder).items():
        try:
            content = (folder / name).read_bytes()
        except OSError as error:
            raise CheckpointError(f"{folder / name} cannot be read ({error.strerror})") from None
        if len(content) != size:
            raise CheckpointError(
                f"{folder / name} has {len(content)} bytes instead of the {size} that "
                "MANIFEST.json beside it says"
            )
        if hashlib.sha256(content).hexdigest() != sha256:
            raise CheckpointError(
                f"{folder / name} is not what was written (its sha256 is not that of MANIFEST.json)"
            )
        contents[name] = content
    model, train_state, state = (contents[name] for name in FILES)
    return Checkpoint(
        int(folder.name.removeprefix("step-")), load(model), load(train_state), json.loads(state)
    )


def _is_good(folder: Path) -> bool:
    try:
        return bool(read_step(folder))
    except CheckpointError:
        return False


def steps(folder: Path) -> list[Path]:
    """The finished steps, newest first."""
    found = [path for path in folder.glob("step-*") if path.is_dir() and path.name[5:].isdigit()]
    return sorted(found, key=lambda path: int(path.name[5:]), reverse=True)


def remove_leftovers(folder: Path) -> None:
    """Delete what a killed process left half written. Only the process that holds the run's lock
    may call this.
    """
    for leftover in folder.glob(".tmp-*"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_durably(path: Path, content: bytes) -> None:
    """The old file or the new one, never a part of either."""
    temporary = path.with_name(f".tmp-{path.name}")
    write_durably(temporary, content)
    _replace(temporary, path)
    _flush_folder(path.parent)


def _replace(source: Path, target: Path) -> None:
    for wait in PATIENCE:
        time.sleep(wait)
        try:
            return os.replace(source, target)
        except PermissionError as error:
            refused = error
    raise refused


def _read_manifest(folder: Path) -> dict[str, tuple[int, str]]:
    """File -> (size, sha256)."""
    path = folder / "MANIFEST.json"
    try:
        text = path.read_text(encoding="utf-8")
        manifest = json.loads(text)
        if manifest["format"] > FORMAT:
            raise CheckpointError(
                f"{folder} was written by a newer convatlas (format {manifest['format']}, this one "
                f"reads up to {FORMAT}); upgrade to read it"
            )
        if manifest["format"] < 1 or text != _manifest_text(manifest):
            raise ValueError
        return {
            name: (int(manifest["files"][name]["size"]), manifest["files"][name]["sha256"])
            for name in FILES
        }
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError):
        raise CheckpointError(f"{path} is damaged") from None


def _manifest_text(manifest: dict) -> str:
    """The only form that is written and read, so that no changed byte goes unseen."""
    return json.dumps(manifest, indent=1)


def _dense(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Separate, row-major copies on the CPU: what safetensors stores."""
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _want_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < ROOM * size:
        raise OSError(
            28,
            (
                f"the disk is full: {ROOM * size / 1e6:.1f} MB are needed, {free / 1e6:.1f} MB are "
                "free"
            ),
        )


def _flush_folder(folder: Path) -> None:
    """The names in it, to the disk; nothing where the system knows no such thing."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows opens no folder
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network drives
            raise
    finally:
        os.close(handle)
