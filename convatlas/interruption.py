"""SIGINT, SIGTERM and SIGHUP outside of the training loop: nothing is there to be saved, so the
program says that it was interrupted and leaves with 128 + the signal's number, as shells expect.

While a run trains, training/signals.py listens instead. Imports nothing that takes time, so that it
is at work before everything else.
"""

import os
import signal
import sys
from types import FrameType

LEFT_BY_SIGNAL = 128  # and the signal's number: 130 after Ctrl-C
NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
_asked: list[int] = []


class Interrupted(KeyboardInterrupt):
    """One of the signals, wherever the program is; what it began is taken back on the way out."""


def listen() -> None:
    """From now on a signal is an Interrupted. One that whoever started us ignores, as nohup does
    SIGHUP, stays ignored.
    """
    for number in (getattr(signal, name) for name in NAMES if hasattr(signal, name)):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)
    sys.unraisablehook = _unraisable


def be_deaf() -> None:
    """All is done: a signal while the interpreter ends changes neither exit code nor output."""
    for name in NAMES:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def was_asked() -> bool:
    """Whether a signal came, even if somebody on the way took its exception for another one."""
    return bool(_asked)


def last_words() -> tuple[str, int]:
    """The sentence and the exit code."""
    number = _asked[0] if _asked else signal.SIGINT
    name = signal.Signals(number).name
    return f"interrupted by {name}; nothing new was saved", LEFT_BY_SIGNAL + number


def leave() -> None:
    """Say so and end, where no exception can be passed on."""
    sentence, code = last_words()
    _write(f"convatlas: {sentence}\n")
    os._exit(code)


def _interrupt(number: int, frame: FrameType | None) -> None:
    if _asked:  # again: it does not get through
        leave()
    _asked.append(number)
    raise Interrupted


def _unraisable(found) -> None:
    """Python cannot raise out of a destructor; it would print a traceback and go on."""
    if found.exc_type is Interrupted:
        leave()
    sys.__unraisablehook__(found)


def _write(text: str) -> None:
    try:
        os.write(2, text.encode())
    except OSError:
        return
