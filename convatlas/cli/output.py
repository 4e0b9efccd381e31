"""Standard output and standard error as they really are: closed, full, or left by their reader."""

import contextlib
import errno
import io
import os
import sys

from convatlas.printable import printable


class OutputLost(OSError):
    """Standard output cannot be written, and why."""


class Output(io.TextIOWrapper):
    """Standard output whose failures are told from those of any other file; all letters pass, if
    need be escaped.
    """

    def write(self, text: str) -> int:
        with _told():
            return super().write(text)

    def flush(self) -> None:
        with _told():
            super().flush()


@contextlib.contextmanager
def _told():
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as fault:
        if os.name == "nt" and fault.errno == errno.EINVAL:  # a pipe that nobody reads
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from fault
        raise OutputLost(fault.errno, fault.strerror) from fault


def open_streams() -> None:
    """Gives each stream that is closed a place that takes everything, and guards standard output.

    A closed one is None in Python, which not every library expects; and the next file to be opened
    would get its number, and all that is printed by C code.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # opened in this order each gets its own number again
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout is sys.__stdout__:
        sys.stdout = Output(  # over the buffer that the first one, too, keeps open
            sys.stdout.buffer,
            encoding=sys.stdout.encoding,
            errors="backslashreplace",  # not every one knows every letter: Windows' pipes
            line_buffering=sys.stdout.line_buffering,
            write_through=sys.stdout.write_through,
        )
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")


def forget_impossible_width() -> None:
    """Some environments export COLUMNS=0, which no console can be."""
    if not os.environ.get("COLUMNS", "1").strip("0").isdecimal():
        del os.environ["COLUMNS"]


def settle() -> None:
    """What could not be written goes nowhere, so that Python's end does not try it again, and
    change the exit code.
    """
    with contextlib.suppress(AttributeError, ValueError):  # it is none, or closed
        try:
            sys.stdout.flush()
        except OSError:
            number = sys.stdout.fileno()
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, number)
            os.close(nowhere)
            sys.stdout.flush()


def mention(text: str) -> None:
    """A line that nothing depends on."""
    with contextlib.suppress(OSError, ValueError):
        print(printable(text))


def say_error(text: str) -> None:
    """One line on standard error, or nothing where nobody can hear it."""
    with contextlib.suppress(OSError, ValueError):
        if sys.stderr:  # else print would take standard output
            print(text, file=sys.stderr, flush=True)
