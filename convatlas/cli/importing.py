"""Imports of the modules that need torch, which take longer than most commands."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick_imports() -> Iterator[None]:
    """Nothing is garbage of what modules make while they are imported, and to look for it would
    take a sixth of torch's import.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.freeze()  # nor will any of it be later
            gc.enable()
