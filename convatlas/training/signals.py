"""SIGTERM, SIGINT, SIGUSR1 and 2, and SIGHUP, a closed terminal's (on Windows SIGBREAK), ask a run
to save at its next step and leave; a second one stops it at once.
"""

import os
import signal
import time
from types import FrameType

from convatlas.data.readers import STOPS


class StopRequest:
    """While entered, `name` becomes the first signal's name; work in a signal handler itself would
    be unsafe.

    A second signal within `grace` seconds is the same request: launchers pass on what their
    processes got too.
    """

    def __init__(self, grace: float = 0.0):
        self.name: str | None = None
        self.grace = grace
        self._since = 0.0
        self._leaving = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> "StopRequest":
        heard = [number for number in STOPS if not _outlives_its_terminal(number)]
        try:
            self._before = {number: signal.signal(number, self._note) for number in heard}
        except ValueError:  # not the main thread: the program around us keeps its own handlers
            self._before = {}
        return self

    def __exit__(self, *_) -> None:
        if self._leaving and self.grace:
            return  # the launcher stops the others once one has left
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def leave(self) -> None:
        """All is saved: nothing that still comes may change the exit code."""
        self._leaving = True

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.name and not self._leaving and time.monotonic() - self._since > self.grace:
            os._exit(128 + number)
        if not self.name:
            self.name, self._since = signal.Signals(number).name, time.monotonic()


def _outlives_its_terminal(number: int) -> bool:
    """Whether this is the SIGHUP that nohup told us to ignore."""
    return number == getattr(signal, "SIGHUP", None) and signal.getsignal(number) == signal.SIG_IGN
