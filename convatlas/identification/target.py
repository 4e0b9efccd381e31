"""What a word of the command line means: code in a file or a module, a graph, weights, a run."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from convatlas.errors import IdentifyError
from convatlas.printable import printable

CODE = re.compile(r"(?P<path>.+\.py):(?P<call>.+)", re.DOTALL)
MODULE = re.compile(r"(?P<path>[^\W\d]\w*(\.[^\W\d]\w*)*):(?P<call>.+)", re.DOTALL)
FORMS = (
    "give FILE.py:NAME, package.module:NAME, FILE.onnx, a checkpoint or the folder of a run, such "
    "as `convatlas identify net.py:ResNet18`"
)
LONGEST = 1000  # letters of a call


@dataclass(frozen=True)
class Target:
    """`kind` is "file" or "module", whose code is run, "onnx" or "weights", which are read as
    data, or "run". `call` is NAME or NAME(arguments); "" tries what the file defines.
    """

    word: str
    kind: str
    path: str
    call: str = ""


def parse(word: str) -> Target:
    """What is meant by it. Raises IdentifyError for what is no file, or no call."""
    shown = printable(word)
    if "\0" in word or not word.strip():
        raise IdentifyError(f"{shown!r} names no file; {FORMS}")
    path = Path(word)
    if _exists(path):
        return Target(word, _kind(path), word)
    if found := CODE.fullmatch(word) or MODULE.fullmatch(word):
        kind = "file" if found.re is CODE else "module"
        if kind == "file" and not _exists(Path(found["path"])):
            raise IdentifyError(
                f"there is no file {printable(found['path'])}; check the path before the colon"
            )
        _require_call(found["call"], shown)
        return Target(word, kind, found["path"], found["call"].strip())
    from convatlas.registry import stored_facts

    if word in stored_facts():
        raise IdentifyError(
            f"{word} is a network of the atlas itself: `convatlas show {word}`; for its checkpoint "
            "or somebody's code give the file"
        )
    raise IdentifyError(f"there is no file {shown}; {FORMS}")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long
        return False


def _kind(path: Path) -> str:
    if path.is_dir():
        if (path / "__init__.py").is_file():
            raise IdentifyError(
                f"{printable(str(path))} is a package; name what is in it, as in "
                f"{path.name}:NAME, from the folder that holds it"
            )
        return "run"
    if path.suffix == ".ipynb":
        raise IdentifyError(
            f"{printable(str(path))} is a notebook; make it a file of code first: `jupyter "
            f"nbconvert --to script {printable(str(path))}`"
        )
    return {".py": "file", ".onnx": "onnx"}.get(path.suffix, "weights")


def _require_call(call: str, shown: str) -> None:
    """NAME, a.NAME or NAME(arguments), so that a slip is met before code is run."""
    wanted = f"{shown}: after the colon stands NAME or NAME(arguments), such as ResNet18(10)"
    if len(call) > LONGEST:
        raise IdentifyError(f"{wanted}, of at most {LONGEST} letters")
    try:
        node = ast.parse(call.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise IdentifyError(wanted) from None
    while isinstance(node, ast.Call | ast.Attribute):
        node = node.func if isinstance(node, ast.Call) else node.value
    if not isinstance(node, ast.Name):
        raise IdentifyError(wanted)
