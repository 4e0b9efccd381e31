"""The names in a checkpoint folder, for those who look at it without reading tensors. Imports no
torch.
"""

import re
import shutil
from pathlib import Path

from convatlas.training.plain_files import kind

FILES = ("model.safetensors", "train_state.safetensors", "state.json")
LARGEST = {"MANIFEST.json": 10_000, "state.json": 8_000_000}  # bytes that are read at all
STEP = re.compile(r"step-[0-9]{1,15}")


def steps(folder: Path) -> list[Path]:
    """The finished steps, newest first."""
    found = [path for path in folder.glob("step-*") if STEP.fullmatch(path.name)]
    return sorted((path for path in found if kind(path) == "a folder"), key=number, reverse=True)


def number(step: Path) -> int:
    return int(step.name.removeprefix("step-"))


def remove_leftovers(folder: Path) -> None:
    """Delete what a killed process left half written. Only the process that holds the run's lock
    may call this.
    """
    for leftover in folder.glob(".tmp-*"):
        if kind(leftover) == "a folder":
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)
