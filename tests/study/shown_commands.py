"""The commands that a page of the guide shows, and what they take to be run at once."""

import re
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
QUICK = "--seeds 1 --epochs 1 --batch-size 256"


def commands(page: str) -> list[str]:
    """Each indented line of the page, but for environment settings, which are a line's first."""
    found = re.findall(r"^ {4,8}([a-zA-Z_]+[ =].+)$", (DOCS / page).read_text(), re.MULTILINE)
    assert found
    return found


def quick(command: str) -> str:
    """The same with one seed and one epoch."""
    return command.replace("--seeds 6", QUICK)


def with_program(folder: Path) -> Path:
    """A folder for PATH in which `convatlas` is this one."""
    folder.mkdir(exist_ok=True)
    program = folder / "convatlas"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m convatlas "$@"\n')
    program.chmod(0o755)
    return folder
