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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from convatlas.errors import IdentifyError
from convatlas.identification.target import Target
from convatlas.printable import printable

SECONDS = 60.0  # for all that is asked of one file
MEMORY = 8_000_000_000  # bytes; RegNetY-128GF has 2.6 billion of weights
LONGEST = 100_000_000  # characters of an answer; NASNet-A's graph has two million
SAID = 600  # letters of a reason
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
        self._found: list[dict] | None = None
        self.passed: tuple[str, ...] = ()

    def networks(self) -> list[tuple[str, list[tuple[int, ...]]]]:
        """(call, sizes to try) of each network that was found. Waits until the code has run."""
        if self._found is None:
            answer = self._answer()
            try:
                self._found = [
                    {"call": str(each["call"]), "sizes": [tuple(map(int, s)) for s in each["sizes"]]}
                    for each in answer["found"]
                ]
                self.passed = tuple(map(str, answer["passed"]))
            except (KeyError, TypeError, ValueError):
                raise self._failed("what came back is no list of networks") from None
        return [(each["call"], each["sizes"]) for each in self._found]

    def graph(self, number: int, sizes: list[tuple[int, ...]], fold: bool = False):
        """The Graph of one of them, at the first of these sizes that it runs on; of none, at the
        first of those that it is tried on.
        """
        from convatlas.identification.graph_json import loaded

        self.networks()
        asked = {"network": number, "sizes": sizes, "fold": fold}
        with contextlib.suppress(OSError):  # it has ended, as its missing answer will say
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            self._process.stdin.flush()
        answer = self._answer()
        try:
            return loaded(answer.get("graph"))
        except IdentifyError as error:
            raise self._failed(str(error)) from None

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
                f"it was not done after {self.seconds:.0f} seconds, and was ended; keep training under "
                "if __name__ == '__main__':, or give it longer, such as --seconds 300"
            )
        if not line:
            raise self._failed("its process ended without an answer" + self._death())
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise self._failed("what came back is no answer: its code has written in its place")
        if "error" in answer:
            raise self._failed(str(answer["error"])[:SAID])
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
def opened(target: Target, seconds: float = SECONDS) -> Iterator[Process]:
    """The process that runs it, ended afterwards."""
    process = Process(target, seconds)
    try:
        yield process
    finally:
        process.close()
