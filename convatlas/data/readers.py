"""Processes that read images: what each is asked for, in turn; its death or silence is one
sentence.

A pipe to each, and nothing shared between them, so that one that dies holds no lock and the end of
its pipe tells of it at once. torch's DataLoader raises out of a signal handler instead, wherever
the program happens to be: in a destructor, where errors are lost, too.
"""

import atexit
import ctypes
import mmap
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from ctypes import c_int64, sizeof
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from types import TracebackType

import torch

from convatlas.data.split import Split
from convatlas.errors import DataError

TIMEOUT = 300  # seconds to wait for one batch from a reader
AHEAD = 2  # steps that each reader has before it
GRACE = 1.0  # seconds in which readers may end by themselves
BURIAL = 30  # seconds for a killed reader to be gone, unless its disk keeps it
PR_SET_PDEATHSIG = 1  # of Linux's prctl: the signal that a process gets when its parent has died
IDLE, NOT_YET = -1, -2  # in place of an image's number: none is open; the reader has not begun
# Who stops a job sends these to all of it; the main process decides. No system has all of them.
STOPS = tuple(
    getattr(signal, name)
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGBREAK")
    if hasattr(signal, name)
)
CAN_WAIT = hasattr(signal, "pthread_sigmask")
PERHAPS = {
    getattr(signal, "SIGKILL", 0): ", perhaps for want of memory",
    getattr(signal, "SIGBUS", 0): ", perhaps for want of shared memory",
}

Reading = Callable[[int], None]  # told the number of each image before its file is opened
Build = Callable[[int, Reading], object]


def stream(
    build: Build, steps: Sequence[int], split: Split, workers: int, timeout: float
) -> Iterator[object]:
    """build(step, reading) for each step, in order, each whole in one of `workers` processes (0: in
    this one).

    A DataError that `build` raises is yielded, so that the caller may go on and collect the others.
    One that names the file which was open is raised where a process dies, takes longer than
    `timeout` seconds, or fails otherwise.
    """
    if workers == 0:
        yield from (_attempt(build, step, lambda i: None) for step in steps)
        return
    readers: list[_Reader] = []
    with _ended(readers):
        _start(readers, min(workers, len(steps)), build)
        ahead = zip(cycle(readers), steps)
        for reader, step in islice(ahead, AHEAD * len(readers)):
            reader.ask(step)
        for reader, _ in zip(cycle(readers), steps):
            result = reader.answer(split, timeout)
            for same_reader, step in islice(ahead, 1):
                same_reader.ask(step)
            yield result


def forks() -> bool:
    """Whether a new process begins as a copy of this one. Where it does not, as on Windows and
    macOS, it first runs the program's own file again, which only some are written for.
    """
    method = multiprocessing.get_start_method(allow_none=True)
    return (method or multiprocessing.get_all_start_methods()[0]) == "fork"


class _Reader:
    """One process, and this end of its pipe. It ends when that is closed, or its parent is gone."""

    def __init__(self, build: Build, earlier: Sequence["_Reader"]):
        self.pipe, other_end = multiprocessing.Pipe()
        self.image = _shared_number()  # of the image that it has open
        ours = [self.pipe, *(reader.pipe for reader in earlier)]
        self.process = multiprocessing.Process(
            target=_serve, args=(other_end, ours, build, self.image), daemon=True
        )
        with _stops_held_back():
            self.process.start()
        other_end.close()

    def ask(self, step: int) -> None:
        with suppress(OSError):  # it has died, which is told when its answer is due
            self.pipe.send(step)

    def answer(self, split: Split, timeout: float) -> object:
        """What `build` gave for the earliest step that was asked for. Raises DataError as `stream`
        does.
        """
        late = threading.Event()
        try:
            with self._ended_after(timeout, late):
                result = self.pipe.recv()
        except (EOFError, OSError, RuntimeError) as fault:
            why = (
                f"it did not answer for {timeout:g} seconds" if late.is_set() else self._end(fault)
            )
            raise _failed(why, self.image.value, split) from fault
        if isinstance(result, _Failure):
            error = _failed(result.sentence, result.image, split)
            error.add_note(result.traceback)
            raise error
        return result

    @contextmanager
    def _ended_after(self, timeout: float, late: threading.Event) -> Iterator[None]:
        """Its end frees whoever waits for it, even for the memory of a batch that it has announced
        already.
        """

        def end() -> None:
            late.set()
            self.process.kill()

        timer = threading.Timer(timeout, end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _end(self, fault: Exception) -> str:
        self.process.join(GRACE)
        code = self.process.exitcode
        if code is None:  # it lives: this process could not take what it sent
            return " ".join(str(fault).split()) or type(fault).__name__
        if code < 0:
            return (
                f"it was ended by signal {-code}, {signal.strsignal(-code)}{PERHAPS.get(-code, '')}"
            )
        return f"it ended with exit code {code}"


def _start(readers: list[_Reader], workers: int, build: Build) -> None:
    try:
        for _ in range(workers):
            readers.append(_Reader(build, readers))
    except OSError as fault:
        raise DataError(
            f"{workers} processes that read images cannot be started, only {len(readers)} "
            f"({fault.strerror}); use fewer workers"
        ) from fault


def _failed(why: str, image: int, split: Split) -> DataError:
    if image == NOT_YET and not forks():
        return DataError(
            f"a process that reads images could not begin: {why}; a script that uses workers must "
            "have its calls under `if __name__ == '__main__':`, or use 0 workers, which read in "
            "the main process"
        )
    name = split.names[image] if image >= 0 else ""
    where, remedy = (
        (f" while reading {name!r}", "look at this file, or use") if name else ("", "use")
    )
    return DataError(
        f"a process that reads images failed{where}: {why}; "
        f"{remedy} fewer workers (0 reads in the main process)",
        reading=name,
    )


@contextmanager
def _ended(readers: list[_Reader]) -> Iterator[None]:
    """None of them stays: not one in the middle of a step, nor one that is stopped and hears
    nothing.
    """
    kill = partial(_kill, readers)
    atexit.register(
        kill
    )  # for a stream that nobody closed: multiprocessing would wait for its readers
    try:
        yield
    finally:
        for reader in readers:
            reader.pipe.close()
        end = time.monotonic() + GRACE
        for reader in readers:
            reader.process.join(max(0.0, end - time.monotonic()))
        _kill(readers)
        for reader in readers:
            reader.process.join(BURIAL)
        atexit.unregister(kill)


def _kill(readers: list[_Reader]) -> None:
    for reader in readers:
        reader.process.kill()


@contextmanager
def _stops_held_back() -> Iterator[None]:
    """A new process has our handlers of signals until it sets its own: none may reach it before.

    One that a server forks has the server's instead; and a server that is started meanwhile would
    hold the signals back from all its processes, for ever.
    """
    if not CAN_WAIT or multiprocessing.get_start_method() == "forkserver":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _shared_number():
    """A number that a reader writes and this process reads, NOT_YET at first. multiprocessing keeps
    it in a file; where none can be made, processes that begin as copies share memory without.
    """
    try:
        return multiprocessing.RawValue(c_int64, NOT_YET)
    except OSError:
        if not forks():
            raise
        number = c_int64.from_buffer(mmap.mmap(-1, sizeof(c_int64)))
        number.value = NOT_YET
        return number


def _serve(pipe: Connection, theirs: Sequence[Connection], build: Build, image) -> None:
    """The life of a reader. `theirs` are the parent's ends of the pipes, which a fork copies: they
    must close here.
    """
    image.value = IDLE
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)
    if CAN_WAIT:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    sys.excepthook = _quietly
    _die_with_parent()
    torch.set_num_threads(1)  # there is a reader for each core
    for end in theirs:
        end.close()
    with suppress(EOFError, OSError):  # nobody asks any more
        while True:
            pipe.send_bytes(_packed(build, pipe.recv(), image))


def _die_with_parent() -> None:
    """The end of a pipe wakes no process that was stopped (SIGSTOP); Linux can kill it even so.

    Where the parent is a server of forks, its death is not our parent's, and only the pipe tells.
    """
    parent = multiprocessing.parent_process()
    if not sys.platform.startswith("linux") or parent is None or os.getppid() != parent.pid:
        return
    with suppress(OSError, AttributeError):  # a C library without it
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent.pid:  # it died just before
            os._exit(1)


def _quietly(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
    """The thread that hands over shared memory reports here when the other side has left."""
    if not issubclass(kind, (OSError, EOFError)):
        sys.__excepthook__(kind, fault, trace)


def _packed(build: Build, step: int, image) -> memoryview:
    def note(i: int) -> None:
        image.value = i

    try:
        return _dumped(_attempt(build, step, note))
    except Exception as fault:
        sentence = " ".join(f"{type(fault).__name__}: {fault}".split())
        return ForkingPickler.dumps(_Failure(sentence, traceback.format_exc(), image.value))
    finally:
        note(IDLE)


def _dumped(result: object) -> memoryview | bytes:
    """Tensors in shared memory; in the message itself where there is none, as in a container."""
    try:
        return ForkingPickler.dumps(result)
    except (OSError, RuntimeError):
        return pickle.dumps(result)


@dataclass(frozen=True)
class _Failure:
    """In place of a result, where a step raised what nobody foresaw; and the image that it had
    open.
    """

    sentence: str
    traceback: str
    image: int


def _attempt(build: Build, step: int, reading: Reading) -> object:
    try:
        return build(step, reading)
    except DataError as fault:
        return fault
