"""How far a long preparation is, for whoever listens: the phases of opening a set are spread over
several modules, and none of them knows who that is.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

PAUSE = 0.1  # seconds between two words, at least

Listener = Callable[[str, int, int | None], None]  # what is done, how much of it, of how much

_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def told_to(listener: Listener) -> Iterator[None]:
    """Within it, `listener` hears of every phase: (what is done, done, total or None)."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


class Tally:
    """One phase. Costs next to nothing where nobody listens."""

    def __init__(self, phase: str, total: int | None = None):
        self.phase, self.total = phase, total
        self.done, self.first, self.listener, self.told_at = 0, 0, _LISTENER.get(), time.monotonic()

    def start(self, done: int) -> None:
        """So much was done before: what is left is foretold by what comes after."""
        self.done = self.first = done

    def add(self, count: int = 1) -> None:
        self.at(self.done + count)

    def at(self, done: int) -> None:
        self.done = done
        if self.listener and time.monotonic() - self.told_at >= PAUSE:
            self.told_at = time.monotonic()
            self.listener(self.phase, done, self.total)
