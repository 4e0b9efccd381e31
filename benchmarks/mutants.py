"""Do the tests see a fault? Each one of mutants.toml is planted in a copy of the tree, and its
tests must fail.

    python -m benchmarks.mutants                    # all of them: `make mutants`
    python -m benchmarks.mutants training/loss.py   # those of some files
    python -m benchmarks.mutants --write            # and docs/mutants.md

Leaves with 1 where a mutant that should die survives. Processes are forked from one that has loaded
torch, so this needs a system that forks.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from benchmarks import planted_page

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "benchmarks" / "mutants.toml"
PAGE = ROOT / "docs" / "mutants.md"
PATIENCE = 900  # seconds for the tests of one mutant; one that hangs is killed, in both senses
SURVIVED, KILLED = 0, 1  # exit codes of pytest


@dataclass(frozen=True)
class Mutant:
    """`was` stands once in convatlas/`file` and becomes `becomes`; `tests` must then fail."""

    file: str
    was: str
    becomes: str
    tests: str
    survives: str = ""  # why no test can see it

    @property
    def path(self) -> Path:
        return Path("convatlas") / self.file

    def planted(self, text: str) -> str:
        """Raises ValueError where the text to be changed does not stand there exactly once."""
        if text.count(self.was) != 1:
            raise ValueError(f"{self.file} has {self.was!r} {text.count(self.was)} times, not once")
        return text.replace(self.was, self.becomes)

    def __str__(self) -> str:
        line = (ROOT / self.path).read_text(encoding="utf-8").partition(self.was)[0].count("\n") + 1
        return (
            f"{self.file}:{line}  {_one_line(self.was)}  ->  {_one_line(self.becomes) or '(gone)'}"
        )


def _one_line(code: str) -> str:
    return " ".join(code.split())


def mutants(files: list[str]) -> list[Mutant]:
    """Those of the files, or all. Raises ValueError for one that cannot be planted."""
    held = tomllib.loads(LIST.read_text(encoding="utf-8"))
    found = [Mutant(**{"tests": _tests(held, each["file"])} | each) for each in held["mutant"]]
    for each in found:
        each.planted((ROOT / each.path).read_text(encoding="utf-8"))
    return [each for each in found if not files or each.file in files]


def _tests(held: dict, file: str) -> str:
    return held["tests"]["nets" if file.startswith("nets/") else file]


def copied(to: Path) -> Path:
    """The working tree as git knows it."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.split(b"\0")
    for name in filter(None, map(os.fsdecode, names)):
        if (ROOT / name).exists():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, to / name)
    return to


def tested(tree: Path, tests: str, *flags: str) -> int:
    """pytest's exit code for these tests of a tree, in a process of its own; KILLED where it
    hangs.
    """
    child = os.fork()
    if not child:
        os.setsid()
        _test_and_leave(tree, tests, flags)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return KILLED


def _test_and_leave(tree: Path, tests: str, flags: tuple[str, ...]) -> None:
    import pytest

    os.chdir(tree)
    os.environ |= {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    sys.path[:] = [str(tree), *(each for each in sys.path if Path(each or ".").resolve() != ROOT)]
    sys.dont_write_bytecode = True  # a file changed twice in a second would keep its old code
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    words = [*tests.split(), "-x", "-q", "-n", "0", "-m", "not full", "-p", "no:cacheprovider"]
    code = 3  # pytest's own word for an error inside of it
    try:
        code = pytest.main([*words, *flags])
    finally:
        os._exit(int(code))


def sound(paths: str, trees: SimpleQueue) -> bool:
    """Whether these tests pass while nothing is planted: else their failing would prove nothing."""
    tree = trees.get()
    try:
        return tested(tree, paths) == SURVIVED
    finally:
        trees.put(tree)


def attempt(mutant: Mutant, trees: SimpleQueue) -> int:
    tree = trees.get()
    place = tree / mutant.path
    before = place.read_text(encoding="utf-8")
    try:
        place.write_text(mutant.planted(before), encoding="utf-8")
        return tested(tree, mutant.tests)
    finally:
        place.write_text(before, encoding="utf-8")
        trees.put(tree)


def load() -> None:
    """What every test would load anew; nothing of convatlas itself."""
    import hypothesis  # noqa: F401
    import matplotlib.figure  # noqa: F401
    import PIL.Image  # noqa: F401
    import pytest  # noqa: F401
    import scipy.special  # noqa: F401
    import sklearn.datasets  # noqa: F401
    import torch  # noqa: F401
    import torchvision.models  # noqa: F401


def page(found: dict[Mutant, int]) -> str:
    """docs/mutants.md."""
    rooms = Counter(mutant.file.partition("/")[0] for mutant in found)
    dead = Counter(mutant.file.partition("/")[0] for mutant in found if found[mutant] == KILLED)
    lines = [
        "# Do the tests see a fault?",
        "",
        "`make mutants` plants the faults of `benchmarks/mutants.toml`, one at a time, in a copy",
        "of the tree: a wrong sign, a forgotten step, another random stream, a missing check. The",
        f"tests of that place must fail. {sum(dead.values())} of {len(found)} were seen when this",
        "page was written.",
        "",
        "| room | planted | seen |",
        "|---|---|---|",
        *(f"| {room} | {rooms[room]} | {dead[room]} |" for room in sorted(rooms)),
        "",
        "Not seen, and why:",
        "",
    ]
    alive = [mutant for mutant in found if found[mutant] != KILLED]
    lines += [
        f"- `{mutant.file}`: `{_one_line(mutant.was)}` -> `{_one_line(mutant.becomes)}`: "
        f"{mutant.survives or 'NOT EXPLAINED'}."
        for mutant in alive
    ]
    return "\n".join([*lines, *(["None."] if not alive else [])]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="*", help="files below convatlas/ [all]")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--write", action="store_true", help="renew docs/mutants.md")
    given = parser.parse_args()
    chosen = mutants(given.files)
    os.environ["OMP_NUM_THREADS"] = "1"
    load()
    with tempfile.TemporaryDirectory() as place:
        trees: SimpleQueue = SimpleQueue()
        for number in range(given.jobs):
            trees.put(copied(Path(place) / str(number)))
        with ThreadPoolExecutor(given.jobs) as crew:
            paths = sorted({path for mutant in chosen for path in mutant.tests.split()})
            passing = crew.map(lambda path: sound(path, trees), paths)
            if red := [path for path, good in zip(paths, passing, strict=True) if not good]:
                print(f"these fail before anything is planted: {' '.join(red)}")
                return 1
            codes = crew.map(lambda mutant: attempt(mutant, trees), chosen)
            found = {}
            for mutant, code in zip(chosen, codes, strict=True):
                found[mutant] = code
                word = {SURVIVED: "SURVIVED", KILLED: "killed"}.get(
                    code, f"pytest left with {code}"
                )
                print(f"{word:9} {mutant}", flush=True)
    killed = sum(code == KILLED for code in found.values())
    print(f"{killed} of {len(found)} killed")
    if given.write:
        PAGE.write_text(page(found) + planted_page.kept_section(), encoding="utf-8")
    wrong = [each for each, code in found.items() if (code == KILLED) == bool(each.survives)]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
