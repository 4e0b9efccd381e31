"""Other people's code, run in a process of its own with limits. All that comes back is JSON, which
is checked; nothing of theirs is imported, unpickled or run here.
"""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from convatlas.errors import IdentifyError
from convatlas.identification.target import Target
from convatlas.printable import printable

if TYPE_CHECKING:
    from convatlas.anatomy.habits import Habits
    from convatlas.wiring import Graph

SECONDS = 60.0  # for all that is asked of one file
MEMORY = 8_000_000_000  # bytes; RegNetY-128GF has 2.6 billion of weights
LONGEST = 100_000_000  # characters of an answer; NASNet-A's graph has two million
SAID = 600  # letters of a reason
NO_ANSWER = "what came back is no answer: its code has written in its place"
A_WHILE = 0.5  # seconds until we look whether it still runs


class Process:
    """The networks that one file or module of code holds, in the process that has run it.

    Raises IdentifyError, whose sentence begins with the file, for whatever goes wrong there.
    """

    def __init__(self, target: Target, seconds: float = SECONDS, memory: int = MEMORY):
        self.target = target
        self.seconds = seconds
        self._ends = time.monotonic() + seconds
        order = {
            "kind": target.kind,
            "target": target.path if target.kind == "module" else os.path.abspath(target.path),
            "call": target.call,
            "shown": printable(target.path),
            "memory": memory,
            "path": [os.path.dirname(os.path.abspath(target.path))]
            if target.kind == "file"
            else [os.getcwd()],
        }
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "convatlas.identification.child", json.dumps(order)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        )
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        self._found: list[str] | None = None
        self.passed: tuple[str, ...] = ()

    def networks(self) -> list[str]:
        """The call that gives each network that was found; "" in a file that is one. Waits until
        the code has run.
        """
        if self._found is None:
            answer = self._answer()
            lists = answer.get("found"), answer.get("passed")
            if not all(isinstance(each, list) for each in lists):
                raise self._failed(NO_ANSWER)
            self._found, passed = ([str(one)[:SAID] for one in each] for each in lists)
            self.passed = tuple(passed)
        return self._found

    def traced(self, number: int, sizes: Sequence[tuple[int, ...]]) -> tuple["Graph", "Habits"]:
        """The graph of one of them, at the first of these sizes that it runs on (of none, at the
        first of those that it is tried on), and what it does in training only.
        """
        from convatlas.anatomy.habits import Habits  # with torch, long after the child has begun
        from convatlas.identification.graph_json import checked, loaded

        self.networks()
        asked = {"network": number, "sizes": list(sizes)}
        with contextlib.suppress(OSError, ValueError):  # it has ended, as its missing answer says
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            self._process.stdin.flush()
        answer = self._answer()
        try:
            habits = Habits.from_record(checked(answer.get("habits")))
            return loaded(answer.get("graph")), habits
        except IdentifyError as error:
            raise self._failed(str(error)) from None

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        """End it and what it has started, so far as that has not left its group."""
        with contextlib.suppress(OSError, AttributeError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            self._process.kill()
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait()

    def _read(self) -> None:
        """Lines of answers into the queue; an empty one at the end."""
        line = b"more"
        while line:
            try:
                line = self._process.stdout.readline(LONGEST)
            except (OSError, ValueError):
                line = b""
            self._lines.put(line)

    def _answer(self) -> dict:
        line = self._next_line()
        if line is None:
            raise self._failed(
                f"it was not done after {self.seconds:.0f} seconds, and was ended; keep training "
                "under if __name__ == '__main__':, or give it longer, such as --seconds 300"
            )
        if not line:
            raise self._failed("its process ended without an answer" + self._death())
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise self._failed(NO_ANSWER)
        if "error" in answer:  # of one network, or on one size: others may be asked for
            raise self._error(str(answer["error"])[:SAID])
        return answer

    def _next_line(self) -> bytes | None:
        """Empty where it has ended, though what it started may hold its stream open; None where
        the time is up.
        """
        while (left := self._ends - time.monotonic()) > 0:
            ended = self._process.poll() is not None
            try:
                return self._lines.get(timeout=min(left, A_WHILE))
            except queue.Empty:
                if ended:
                    return b""
        return None

    def _death(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(1)
            return f" (killed by signal {-code})" if code < 0 else f" (exit code {code})"
        return ""

    def _failed(self, reason: str) -> IdentifyError:
        self.close()
        return self._error(reason)

    def _error(self, reason: str) -> IdentifyError:
        return IdentifyError(f"{printable(self.target.word)}: {printable(reason)}")


def _environment() -> dict[str, str]:
    """Ours, with no accelerator, no windows, no bytecode beside their files, and this convatlas."""
    here = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH", "")]))
    return os.environ | {
        "CUDA_VISIBLE_DEVICES": "",
        "MPLBACKEND": "Agg",
        "OMP_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": path,
    }


@contextmanager
def opened(target: Target, seconds: float = SECONDS, memory: int = MEMORY) -> Iterator[Process]:
    """The process that runs it, ended afterwards."""
    process = Process(target, seconds, memory)
    try:
        yield process
    finally:
        process.close()
