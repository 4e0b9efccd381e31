"""Models compiled by OpenVINO for this processor. Imports no torch."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

DISABLED = 2  # SS_DISABLE of signal.h


class _SignalStack(ctypes.Structure):
    """stack_t of Linux."""

    _fields_ = [("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]


def compiled(ov: ModuleType, model, settings: dict):
    """An ov.CompiledModel of an ov.Model."""
    with _own_signal_stack():
        return ov.Core().compile_model(model, "CPU", settings)


@contextmanager
def _own_signal_stack() -> Iterator[None]:
    """OpenVINO 2026.4 gives the thread that compiles a stack for signals, and takes its memory away
    with the model, without telling the system. Python receives signals on that stack: the next
    Ctrl-C or SIGTERM would be a segmentation fault. So the thread gets back what it had.
    """
    if sys.platform != "linux":
        yield
        return
    system = ctypes.CDLL(None)
    before = _SignalStack(None, DISABLED, 0)
    system.sigaltstack(None, ctypes.byref(before))
    try:
        yield
    finally:
        system.sigaltstack(ctypes.byref(before), None)
