"""How far a long preparation is, for whoever listens: the phases of opening a set are spread over
several modules, and none of them knows who that is.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from convatlas.magnitude import duration

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
        self.done, self.listener, self.told_at = 0, _LISTENER.get(), time.monotonic()

    def start(self, done: int) -> None:
        """So much was done before."""
        self.done = done

    def add(self, count: int = 1) -> None:
        self.at(self.done + count)

    def at(self, done: int) -> None:
        self.done = done
        if self.listener and time.monotonic() - self.told_at >= PAUSE:
            self.told_at = time.monotonic()
            self.listener(self.phase, done, self.total)


class Preparation:
    """Lines about the phases, for a log: the first of a phase after `pause` seconds of it, then one
    every `pause` seconds. A phase that is over sooner is not worth a line.
    """

    def __init__(self, pause: float = 10.0):
        self.pause = pause
        self.phase, self.first, self.since, self.told_at = "", 0, 0.0, 0.0

    def line(self, phase: str, done: int, total: int | None) -> str:
        """What is to be said now; "" for nothing."""
        now = time.monotonic()
        if phase != self.phase:
            self.phase, self.first, self.since, self.told_at = phase, done, now, now
        if now - self.told_at < self.pause:
            return ""
        self.told_at = now
        return said_of(phase, done, total, done - self.first, now - self.since)


def said_of(phase: str, done: int, total: int | None, lately: int, seconds: float) -> str:
    """ "decoding: 12,000 of 48,000 (25 %), 3 min left", from how many took how long."""
    if not total or done > total:
        return f"{phase}: {done:,} so far"
    left = f", {duration((total - done) * seconds / lately)} left" if lately > 0 else ""
    return f"{phase}: {done:,} of {total:,} ({100 * done // total} %){left}"
