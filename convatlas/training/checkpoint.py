"""The checkpoint folder: written whole or not at all, and read only after every byte has been
checked.

    checkpoints/step-00001234/ model.safetensors  train_state.safetensors  state.json  MANIFEST.json
    checkpoints/LATEST           one line, the newest step's folder

A step is written as .tmp-STEP-PID beside its final place, flushed to the disk, then renamed, so a
kill at any moment leaves the older steps untouched. MANIFEST.json holds the sha256 and the size of
the other three files.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, TypeVar

from torch import Tensor

from convatlas import strict_json
from convatlas.errors import CheckpointError, first_line
from convatlas.training.plain_files import (
    flush_folder,
    kind,
    make_durably,
    open_plain,
    read_plain,
    replace,
    replace_durably,
    token,
    want_room,
    write_durably,
)
from convatlas.training.step_folders import FILES, LARGEST, number, steps
from convatlas.training.tensor_file import TensorFile, read_tensors
from convatlas.training.unwritten import Piece, Unwritten

FORMAT = 1
KEEP = 2  # newest steps kept; two, so that a bad newest one still leaves a good one
LASTING = "best."  # how the names begin of what no step changes
T = TypeVar("T")


@dataclass(frozen=True)
class Checkpoint:
    step: int
    model: dict[str, Tensor]  # the network's state_dict
    train_state: dict[str, Tensor]  # optimiser moments and the best weights so far
    state: (
        dict  # plain JSON: counters, scores, the log, and about: run, recipe, classes, fingerprint
    )


def save_step(folder: Path, checkpoint: Checkpoint, unwritten: Unwritten | None = None) -> Path:
    """Write one step, point LATEST at it, drop all but the newest KEEP. Raises CheckpointError;
    older steps survive.

    The tensors must stay as they are until `unwritten` says that they are free.
    """
    state = strict_json.dumps(checkpoint.state, indent=1).encode()
    if len(state) > LARGEST["state.json"]:
        raise CheckpointError(
            f"cannot save step {checkpoint.step} in {folder}: its state.json would have "
            f"{len(state):,} bytes, more than are read again"
        )
    final = folder / f"step-{checkpoint.step:08d}"
    temporary = folder / f".tmp-{checkpoint.step:08d}-{token()}"
    tensors = (checkpoint.model, checkpoint.train_state)
    files = [TensorFile(temporary / name, part) for name, part in zip(FILES, tensors, strict=False)]
    if _is_whole(final, {file.path.name: file.size for file in files}):
        return final  # a resumed run that stops again at once: the same step has the same bytes
    try:
        make_durably(folder)
        want_room(folder, sum(file.size for file in files) + len(state))
        temporary.mkdir()
        described = _write_tensors(files, unwritten or Unwritten())
        write_durably(temporary / "state.json", state)
        described["state.json"] = _describe(hashlib.sha256(state).hexdigest(), len(state))
        manifest = _manifest_text({"format": FORMAT, "files": described})
        write_durably(temporary / "MANIFEST.json", manifest.encode())
        flush_folder(temporary)
        if final.exists():  # only a damaged copy of the same step can stand here
            replace(final, folder / f".tmp-damaged-{final.name}-{token()}")
        replace(temporary, final)
        flush_folder(folder)
        replace_durably(folder / "LATEST", (final.name + "\n").encode())
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise CheckpointError(
            f"cannot save step {checkpoint.step} in {folder}: {error.strerror or error}"
        ) from error
    for old in steps(folder)[KEEP:]:
        _remove(old)
    return final


def _write_tensors(files: list[TensorFile], unwritten: Unwritten) -> dict[str, dict]:
    """The files on the disk, and what the manifest says of them: what steps change goes first."""
    with ExitStack() as stack:
        for file in files:
            stack.enter_context(file)
        unwritten.write(
            Piece(file, place, values, lasting)
            for lasting in (False, True)
            for file in files
            for place, values in file.pieces(
                name for name in file.tensors if name.startswith(LASTING) == lasting
            )
        )
        return {file.path.name: _describe(file.flushed(), file.size) for file in files}


def _describe(sha256: str, size: int) -> dict:
    return {"sha256": sha256, "size": size}


def _remove(step: Path) -> None:
    """Under another name first, so that a step that stands under its own is always whole."""
    going = step.with_name(f".tmp-old-{step.name}-{token()}")
    with contextlib.suppress(OSError):
        os.rename(step, going)
    shutil.rmtree(going, ignore_errors=True)


def load_newest(
    folder: Path,
    warn: Callable[[str], None],
    check: Callable[[Checkpoint], None] = lambda found: None,
    limits: Mapping[str, int] = MappingProxyType({}),
) -> Checkpoint | None:
    """The newest step that reads back as it was written; None when none was ever saved.

    `check` may raise CheckpointError for more; `limits` says how many bytes each file may have. A
    step that is refused is skipped with a warning; when no step is good, CheckpointError lists them
    all.
    """
    problems = []
    for candidate in steps(folder):
        try:
            found = read_step(candidate, limits)
            check(found)
            return found
        except CheckpointError as error:
            text = str(error) if str(candidate) in str(error) else f"{candidate}: {error}"
            problems.append(text)
            warn(f"skipping a damaged checkpoint: {text}")
    if problems:
        raise CheckpointError(
            f"no checkpoint in {folder} can be read, so the run cannot be continued: "
            + "; ".join(problems)
            + ". Start it anew in another folder"
        )
    return None


def read_step(folder: Path, limits: Mapping[str, int] = MappingProxyType({})) -> Checkpoint:
    """Raises CheckpointError, naming the file, unless every byte is what the manifest says.

    Sizes are compared before anything is read.
    """
    described = read_manifest(folder)
    for name, (size, _) in described.items():
        limit = (LARGEST | dict(limits)).get(name, size)
        if size > limit:
            raise CheckpointError(
                f"{folder / name} has {size:,} bytes by MANIFEST.json, more than the {limit:,} "
                "that it can need"
            )
    taking = (read_tensors, read_tensors, _read_state)
    model, train_state, state = (
        _read(folder / name, *described[name], take)
        for name, take in zip(FILES, taking, strict=True)
    )
    return Checkpoint(number(folder), model, train_state, state)


def _read(path: Path, size: int, sha256: str, take: Callable[[BinaryIO, int], T]) -> T:
    """What `take` makes of the file, once its bytes are those that were written."""
    try:
        found = os.lstat(path).st_size
        if kind(path) == "a file" and found != size:
            raise CheckpointError(
                f"{path} has {found} bytes instead of the {size} that MANIFEST.json beside it says"
            )
        with open_plain(path, size) as (file, _):
            if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                raise CheckpointError(
                    f"{path} is not what was written (its sha256 is not that of MANIFEST.json)"
                )
            file.seek(0)
            return take(file, size)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise CheckpointError(f"{path} is damaged: {first_line(error)}") from None


def _read_state(file: BinaryIO, size: int) -> dict:
    try:
        state = strict_json.loads(file.read(size))
    except ValueError:
        state = None
    if not isinstance(state, dict):
        raise ValueError("it is no JSON object")
    return state


def _is_whole(folder: Path, sizes: Mapping[str, int]) -> bool:
    """Whether all of a step is as it was written, and its files have these sizes."""
    try:
        described = read_manifest(folder)
        return all(size == described[name][0] for name, size in sizes.items()) and all(
            _read(folder / name, *each, lambda *_: True) for name, each in described.items()
        )
    except CheckpointError:
        return False


def read_manifest(folder: Path) -> dict[str, tuple[int, str]]:
    """File -> (size, sha256). CheckpointError where it cannot be read, or was not written so."""
    path = folder / "MANIFEST.json"
    try:
        content = read_plain(path, LARGEST["MANIFEST.json"])
        manifest = strict_json.loads(content)
        if manifest["format"] > FORMAT:
            raise CheckpointError(
                f"{folder} was written by a newer convatlas (format {manifest['format']}, this one "
                f"reads up to {FORMAT}); upgrade to read it"
            )
        if manifest["format"] < 1 or content.decode() != _manifest_text(manifest):
            raise ValueError
        return {name: _described(manifest["files"][name]) for name in FILES}
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError):
        raise CheckpointError(f"{path} is damaged") from None


def _described(file: dict) -> tuple[int, str]:
    size, sha256 = file["size"], file["sha256"]
    if type(size) is not int or size < 0 or not isinstance(sha256, str):
        raise ValueError
    return size, sha256


def _manifest_text(manifest: dict) -> str:
    """The only form that is written and read, so that no changed byte goes unseen."""
    return json.dumps(manifest, indent=1)
