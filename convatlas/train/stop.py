"""SIGTERM, SIGINT and SIGUSR1 ask a run to save at its next step and leave; a second one stops it at once."""
import os
import signal
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class StopRequest:
    """While entered, `name` becomes the first signal's name; work in a signal handler itself would be unsafe."""

    def __init__(self):
        self.name: str | None = None
        self._before: dict[int, object] = {}

    def __enter__(self) -> "StopRequest":
        try:
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        except ValueError:      # not the main thread: the program around us keeps its own handlers
            self._before = {}
        return self

    def __exit__(self, *_) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.name:
            os._exit(128 + number)
        self.name = signal.Signals(number).name
