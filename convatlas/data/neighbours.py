"""Processes of one machine that prepare the same set: each decodes its share, into memory that all
of them see.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Protocol

import torch
from torch import Tensor

SHARED = "/dev/shm"


class Neighbours(Protocol):
    """`size` processes, of which this is number `rank`."""

    rank: int
    size: int

    def say(self, text: str) -> list[str]:
        """What each of them says, in order, once all have; each calls it equally often."""


class Alone:
    """No other process."""

    rank, size = 0, 1

    def say(self, text: str) -> list[str]:
        return [text]


_NEIGHBOURS: ContextVar[Neighbours | None] = ContextVar("neighbours", default=None)


@contextlib.contextmanager
def beside(neighbours: Neighbours | None) -> Iterator[None]:
    """Within it, what is decoded whole is decoded together with these."""
    token = _NEIGHBOURS.set(neighbours)
    try:
        yield
    finally:
        _NEIGHBOURS.reset(token)


def neighbours() -> Neighbours:
    """Those of this process, itself among them."""
    found = _NEIGHBOURS.get()
    return found if found and found.size > 1 else Alone()


def shared_bytes(near: Neighbours, size: int) -> Tensor | None:
    """uint8 (size,), zeros, the same memory in all of them and in processes that they fork; None in
    all where there is too little of it.

    It has no name once all see it, so that nothing stays when they end, however they do.
    """
    path = near.say(_made(size) if near.rank == 0 else "")[0]
    memory = None
    try:
        if path:
            memory = torch.from_file(path, shared=True, size=size, dtype=torch.uint8)
    except (OSError, RuntimeError):
        pass
    finally:
        all_see = all(near.say("yes" if memory is not None else ""))
        if path and near.rank == 0:
            with contextlib.suppress(OSError):
                os.unlink(path)
    return memory if all_see else None


def _made(size: int) -> str:
    """A file of so many bytes, all of which are there: what is promised only would end a process
    that writes to it. "" where it cannot be.
    """
    handle = None
    try:
        folder = SHARED if os.path.isdir(SHARED) else None
        handle, path = tempfile.mkstemp(prefix="convatlas-", dir=folder)
        os.posix_fallocate(handle, 0, max(size, 1))
        return path
    except (OSError, AttributeError):
        if handle is not None:
            with contextlib.suppress(OSError):
                os.unlink(path)
        return ""
    finally:
        if handle is not None:
            os.close(handle)
