"""Commands of the program, each in a forked child of one process that has everything loaded:
`python forking.py`, a JSON line for each command in, and one out.
"""

import json
import os
import signal
import sys
import tempfile
import time

import matplotlib.figure  # noqa: F401  what a run loads when it needs it
import scipy.special  # noqa: F401
import torchvision.transforms.v2.functional  # noqa: F401

from convatlas.cli import main
from convatlas.training import run  # noqa: F401

LONGEST = 300  # seconds of a command; nothing here should take 30


def serve(case: dict) -> dict:
    """{"words", "folder"} -> {"code", "left"}: the exit code, and whether processes stayed."""
    pid = os.fork()
    if pid == 0:
        _child(case["words"], case["folder"])
    code, until = None, time.monotonic() + LONGEST
    while code is None and time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        code = os.waitstatus_to_exitcode(status) if done else None
        time.sleep(0.01)
    return {"code": code, "left": _end_group(pid)}


def _child(words: list[str], folder: str) -> None:
    os.setsid()
    os.chdir(folder)
    tempfile.tempdir = os.environ["TMPDIR"] = os.path.join(folder, "tmp")
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT), number)
    code = 99
    try:
        main(words)
    except SystemExit as left:
        code = left.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _end_group(pid: int) -> bool:
    """Whether the command left processes behind; they are ended."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(serve(json.loads(line))), flush=True)
