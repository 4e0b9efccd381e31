"""Imports of the modules that need torch, which take longer than most commands."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick_imports() -> Iterator[None]:
    """Nothing is garbage of what modules make while they are imported, and to look for it takes a
    sixth of torch's import (1.40 s with, 1.18 s without, on a quiet machine).
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.freeze()  # nor will any of it be later
            gc.enable()
