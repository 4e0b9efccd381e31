"""From the start of a process to its first answer.

    python -m benchmarks.start RUN FILE.onnx PHOTO [--rounds 9]

Children, in turn: `predict FILE.onnx PHOTO`; `predict RUN PHOTO`; and what that one cannot do
without, importing torch and loading the run's network. The files are read once before, so that the
disk does not count, and the children keep the bytecode of what they import, as at a user's: with
PYTHONDONTWRITEBYTECODE every start would compile our sources anew, for 0.1 s. Medians, with the
quartiles; the exit code is 1 where the exported file takes more than half a second, or the run more
than 1.1 times what it cannot do without.
"""

import argparse
import os
import subprocess
import sys
from functools import partial

from convatlas.timing import Timing, alternated

LIMIT = 0.5  # seconds, of the exported file
RATIO = 1.1  # of the run, to importing torch and loading it
LOADING = "import sys, torch; from convatlas import load_model; load_model(sys.argv[1])"
UNWRITTEN = "PYTHONDONTWRITEBYTECODE"
PREDICT = ("-m", "convatlas", "predict")


def commands(run: str, file: str, photo: str) -> dict[str, list[str]]:
    python = sys.executable
    return {
        "exported": [python, *PREDICT, file, photo],
        "run": [python, *PREDICT, run, photo],
        "torch and loading": [python, "-c", LOADING, run],
    }


def measured(words: dict[str, list[str]], rounds: int) -> dict[str, Timing]:
    settings = {name: value for name, value in os.environ.items() if name != UNWRITTEN}
    calls = {
        name: partial(subprocess.run, one, check=True, stdout=subprocess.DEVNULL, env=settings)
        for name, one in words.items()
    }
    return alternated(calls, 0, least=rounds)


def verdicts(found: dict[str, Timing]) -> list[tuple[str, bool]]:
    exported = found["exported"].median
    ratio = found["run"].median / found["torch and loading"].median
    return [
        (f"exported file: {exported:.2f} s (limit {LIMIT})", exported <= LIMIT),
        (f"run: {ratio:.2f} of importing torch and loading (limit {RATIO})", ratio <= RATIO),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run")
    parser.add_argument("file")
    parser.add_argument("photo")
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    found = measured(commands(given.run, given.file, given.photo), given.rounds)
    for name, timing in found.items():
        print(
            f"{name:20} {timing.median:6.3f} s ({timing.low:.3f}-{timing.high:.3f}), "
            f"{timing.rounds} rounds"
        )
    told = verdicts(found)
    for sentence, holds in told:
        print(f"{'holds ' if holds else 'MISSED'} {sentence}")
    return 0 if all(holds for _, holds in told) else 1


if __name__ == "__main__":
    sys.exit(main())
