"""Processes of one run that wait for each other while a set is prepared, for as long as each of
them lives: one may have an hour's work where another has none, and no collective waits so long.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import torch.distributed as dist

from convatlas.errors import ProcessLost, RunError
from convatlas.training.patient_store import PatientStore

BEAT = 1.0  # seconds between two signs of life
PAUSES = (0.01, 0.5)  # seconds between two looks: the first, and the longest after a long wait
CORNER = "convatlas/preparing"


class Elsewhere(RunError):
    """Another process failed, and says why."""


class Meeting:
    """`members` of a run, by their ranks, of which this process is `rank`."""

    def __init__(
        self, store: dist.Store, name: str, members: Sequence[int], rank: int, timeout: float
    ):
        self.store, self.name = PatientStore(store, timeout), f"{CORNER}/{name}"
        self.members, self.me, self.timeout = members, rank, timeout
        self.turn = 0

    @property
    def rank(self) -> int:
        """This one's place among the members."""
        return self.members.index(self.me)

    @property
    def size(self) -> int:
        return len(self.members)

    def say(self, text: str) -> list[str]:
        """What all members say, in the order of their ranks, once the last has said it. Every
        member calls this equally often. Raises Elsewhere where a process has failed, and
        ProcessLost where one has given no sign of life for `timeout` seconds.
        """
        self.turn += 1
        place = f"{self.name}/{self.turn}"
        self.store.set(f"{place}/{self.me}", text)
        for member in self.members:
            self._wait_for(f"{place}/{member}", member)
        return [self.store.get(f"{place}/{member}").decode() for member in self.members]

    def _wait_for(self, key: str, member: int) -> None:
        seen, since, pause = -1, time.monotonic(), PAUSES[0]
        while not self.store.check([key]):
            if self.store.check([f"{CORNER}/failed"]):
                raise Elsewhere("another process failed", quiet=True)
            beats = self.store.add(f"{CORNER}/beat/{member}", 0)
            if beats != seen:
                seen, since = beats, time.monotonic()
            elif time.monotonic() - since > self.timeout:
                raise ProcessLost(
                    f"process {member} was lost, or did not answer within {self.timeout:g} s, "
                    "while the images were prepared; start all processes again with --resume"
                )
            time.sleep(pause)
            pause = min(2 * pause, PAUSES[1])


def tell_failure(store: PatientStore | None) -> None:
    """Nobody waits any longer for one that has failed."""
    if store is not None:
        with suppress(RuntimeError):
            store.set(f"{CORNER}/failed", "")


@contextmanager
def living(store: PatientStore | None, rank: int) -> Iterator[None]:
    """Within it, this process gives signs of life, from a thread of its own."""
    if store is None:
        yield
        return
    over = threading.Event()

    def beat() -> None:
        with suppress(RuntimeError):  # the store is gone, which the main thread will notice
            while not over.wait(BEAT):
                store.add(f"{CORNER}/beat/{rank}", 1)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(2 * BEAT)  # it may be waiting for a store that is out of reach
