"""Processes that read images: what they answer, and what becomes of them and of those who wait
when one fails.
"""

import errno
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import weakref
from contextlib import closing
from types import SimpleNamespace

import pytest
import torch

from convatlas.data import Loader, Preprocess, open_data, readers
from convatlas.data.readers import stream
from convatlas.errors import DataError

SPLIT = SimpleNamespace(names=[f"{i}.png" for i in range(100)])


def plain(side: int) -> Preprocess:
    return Preprocess(3, side, (0.0,) * 3, (1.0,) * 3, "pad", side)


def squares(step: int, reading) -> torch.Tensor:
    reading(step)
    return torch.full((3,), step * step)


@pytest.mark.parametrize("n", [0, 1, 2, 5, 23])
@pytest.mark.parametrize("workers", [0, 1, 3])
def test_each_step_is_answered_once_and_in_order(n, workers):
    steps = [(7 * i) % 23 for i in range(n)]
    assert [int(answer[0]) for answer in stream(squares, steps, SPLIT, workers, 60)] == [
        step**2 for step in steps
    ]
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_processes_may_be_started_as_on_other_systems(method):
    usual = multiprocessing.get_start_method()
    multiprocessing.set_start_method(method, force=True)
    try:
        answers = stream(squares, range(5), SPLIT, 2, 60)
        assert [int(answer[0]) for answer in answers] == [0, 1, 4, 9, 16]
    finally:
        multiprocessing.set_start_method(usual, force=True)
    assert not multiprocessing.active_children()


def test_a_data_error_is_an_answer_like_any_other():
    def build(step, reading):
        if step == 2:
            raise DataError("no image")
        return step

    one, two, three = stream(build, [1, 2, 3], SPLIT, 2, 60)
    assert (one, str(two), three) == (1, "no image", 3)


def test_what_nobody_foresaw_is_one_sentence_with_the_traceback_in_a_note():
    def build(step, reading):
        reading(step + 40)
        return {}["colour"] if step == 1 else step

    answers = stream(build, [0, 1, 2], SPLIT, 1, 60)
    assert next(answers) == 0
    with pytest.raises(DataError) as caught:
        next(answers)
    assert str(caught.value) == (
        "a process that reads images failed while reading '41.png': KeyError: 'colour'; "
        "look at this file, or use fewer workers (0 reads in the main process)"
    )
    assert 'return {}["colour"]' in caught.value.__notes__[0]
    assert not multiprocessing.active_children()


def test_an_answer_that_cannot_be_sent_is_told_too():
    with pytest.raises(DataError, match=r"failed: .*pickle.*; use fewer workers"):
        next(stream(lambda step, reading: lambda: step, [0], SPLIT, 1, 60))


class Stuck(Preprocess):
    """Stands for a decoder that kills its process, or never returns, on one file."""

    def fit_image(self, image):
        if (image == 13).all():
            self.act()
        return super().fit_image(image)


class Killed(Stuck):
    def act(self):
        os.kill(os.getpid(), signal.SIGKILL)


class Hung(Stuck):
    def act(self):
        time.sleep(60)


@pytest.mark.parametrize("kind", [Killed, Hung])
def test_a_worker_that_dies_or_hangs_is_an_error_that_names_its_file(make_folder, kind):
    from PIL import Image

    data = open_data(make_folder({"a": 8, "b": 8}), val_fraction=0)
    culprit = data.train.names[3]
    Image.new("RGB", (12, 12), (13, 13, 13)).save(data.train.root / culprit)
    loader = Loader(
        data.train,
        kind(3, 12, (0.0,) * 3, (1.0,) * 3, "pad", 12),
        2,
        workers=1,
        memory_limit=0,
        timeout=2,
    )
    started = time.monotonic()
    with pytest.raises(
        DataError, match="a process that reads images failed while reading"
    ) as caught:
        list(loader.all())
    assert repr(culprit) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert time.monotonic() - started < 30
    assert not multiprocessing.active_children()


def test_a_worker_that_stands_still_with_batches_announced_is_an_error_too(make_folder):
    """Their memory is handed over only when they are taken: torch waits for it without a limit of
    time.
    """
    data = open_data(make_folder({"a": 10, "b": 10}))
    batches = Loader(data.train, plain(12), 2, workers=1, memory_limit=0, timeout=2).epoch(0)
    next(batches)
    with closing(batches):
        time.sleep(1)  # by now the next two lie in the pipe
        stop_the_reader()
        started = time.monotonic()
        with pytest.raises(DataError, match="did not answer for 2 seconds"):
            next(batches)
        assert time.monotonic() - started < 30
    assert not multiprocessing.active_children()


def stop_the_reader() -> None:
    """Returns once it stands: on a busy machine it goes on answering for some milliseconds."""
    (reader,) = multiprocessing.active_children()
    os.kill(reader.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, reader.pid, os.WSTOPPED)


def test_leaving_an_epoch_early_leaves_no_worker_behind(make_folder):
    data = open_data(make_folder({"a": 10, "b": 10}))
    batches = Loader(data.train, plain(12), 2, workers=2, memory_limit=0).epoch(0)
    next(batches)
    assert len(multiprocessing.active_children()) >= 2
    batches.close()
    assert not multiprocessing.active_children()


def test_a_worker_that_stands_still_at_the_end_does_not_stay(make_folder):
    """It does not hear that it should end; the program's own end would wait for it for ever."""
    data = open_data(make_folder({"a": 10, "b": 10}))
    batches = Loader(data.train, plain(12), 2, workers=1, memory_limit=0).epoch(0)
    next(batches)
    stop_the_reader()
    batches.close()
    assert not multiprocessing.active_children()


def test_a_death_is_told_when_its_answer_is_due_and_never_before():
    """Not in a destructor or in what is called when an object goes: there an error would be
    printed, and lost.
    """
    heard = []

    class Torn:
        def __del__(self):
            os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)
            time.sleep(0.3)
            heard.append("torn")

    with closing(stream(squares, range(50), SPLIT, 1, 60)) as answers:
        next(answers)
        torn = Torn()
        weakref.finalize(torn, lambda: heard.append(time.sleep(0.3) or "gone"))
        del torn
        assert sorted(heard) == ["gone", "torn"]
        with pytest.raises(
            DataError, match="ended by signal 9, Killed, perhaps for want of memory"
        ):
            list(answers)


def test_a_process_that_leaves_is_told_with_its_exit_code():
    with pytest.raises(
        DataError, match=r"failed while reading '3\.png': it ended with exit code 7"
    ):
        list(stream(lambda step, reading: reading(3) or os._exit(7), [0], SPLIT, 1, 60))


def test_the_signals_that_stop_a_job_are_left_to_the_main_process():
    def build(step, reading):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
            os.kill(os.getpid(), number)
        return step

    assert list(stream(build, range(4), SPLIT, 2, 60)) == [0, 1, 2, 3]


def test_a_signal_in_the_first_moment_of_a_reader_is_left_to_the_main_process(monkeypatch, capfd):
    """It begins as a copy of this process, handlers and all."""
    real = readers._serve

    def serve(*arguments):
        os.kill(os.getpid(), signal.SIGTERM)
        real(*arguments)

    def interrupt(number, frame):
        raise KeyboardInterrupt

    monkeypatch.setattr(readers, "_serve", serve)
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        assert list(stream(lambda step, reading: step, range(4), SPLIT, 2, 60)) == [0, 1, 2, 3]
    finally:
        signal.signal(signal.SIGTERM, before)
    assert capfd.readouterr().err == ""


def test_readers_that_hold_more_than_a_pipe_can_are_ended_at_once():
    answers = stream(lambda step, reading: bytes(2**22), range(50), SPLIT, 3, 60)
    assert next(answers) == bytes(2**22)
    started = time.monotonic()
    answers.close()
    assert time.monotonic() - started < 10
    assert not multiprocessing.active_children()


def test_another_thread_may_read_too():
    found = []
    thread = threading.Thread(
        target=lambda: found.extend(stream(lambda step, reading: step, range(9), SPLIT, 2, 60))
    )
    thread.start()
    thread.join(60)
    assert found == list(range(9))


def test_more_processes_than_can_be_started_are_one_sentence():
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 20, limits[1]))
    try:
        with pytest.raises(
            DataError, match=r"64 processes .* cannot be started, only \d+ \(Too many open files\)"
        ):
            next(stream(squares, range(99), SPLIT, 64, 60))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert not multiprocessing.active_children()


SERVED = """
import multiprocessing, operator, signal
from concurrent.futures import ProcessPoolExecutor
from types import SimpleNamespace
from convatlas.data.readers import stream

multiprocessing.set_start_method("forkserver")
assert list(stream(operator.is_, range(3), SimpleNamespace(names=[]), 1, 60))
with ProcessPoolExecutor(1) as pool:
    print(len(pool.submit(signal.pthread_sigmask, signal.SIG_BLOCK, []).result()))
"""


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="no masks of signals")
def test_processes_of_a_server_that_readers_started_hear_their_signals():
    answer = subprocess.run([sys.executable, "-c", SERVED], capture_output=True, text=True)
    assert answer.stdout.strip() == "0", answer.stderr


PROGRAM = """
import multiprocessing, sys, time
from types import SimpleNamespace
from convatlas.data.readers import stream

answers = stream(lambda step, reading: step, range(50), SimpleNamespace(names=[]), 3, 60)
for _ in range(3):  # each reader has begun
    next(answers)
print(*(reader.pid for reader in multiprocessing.active_children()), flush=True)
time.sleep(float(sys.argv[1]))
"""


def program(seconds: float) -> tuple[subprocess.Popen, list[int]]:
    """A program with three readers that it never ends, which lives so long; and the readers'
    numbers.
    """
    running = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(seconds)], stdout=subprocess.PIPE, text=True
    )
    return running, [int(pid) for pid in running.stdout.readline().split()]


def lives(pid: int) -> bool:
    try:
        return open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_readers_go_when_their_program_is_killed():
    running, readers = program(600)
    assert len(readers) == 3
    assert all(map(lives, readers))
    running.kill()
    running.communicate()
    end = time.monotonic() + 30
    while any(map(lives, readers)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(lives, readers))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a process with its parent")
def test_readers_that_stand_still_go_too_when_their_program_is_killed():
    """A process that was stopped does not see the end of its pipe."""
    running, started = program(600)
    for reader in started:
        os.kill(reader, signal.SIGSTOP)
    running.kill()
    running.wait()
    end = time.monotonic() + 30
    while any(map(lives, started)) and time.monotonic() < end:
        time.sleep(0.05)
    left = [pid for pid in started if lives(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == []


def test_a_reader_is_silent_about_a_program_that_has_left(capfd):
    """Another thread of it hands over the memory of a batch, and reports what it cannot."""

    def report(step: int, reading) -> int:
        for fault in (ConnectionResetError(104, "Connection reset by peer"), EOFError()):
            sys.excepthook(type(fault), fault, None)
        return step

    assert list(stream(report, [0], SPLIT, 1, 60)) == [0]
    assert capfd.readouterr().err == ""


def tensors(step: int, reading) -> torch.Tensor:
    return torch.full((3, 1000), step)


@pytest.mark.parametrize("broken", ["shm", "temporary folder"])
def test_batches_come_whole_where_there_is_no_shared_memory(broken, monkeypatch):
    """A container may have no /dev/shm, one of no size, or no folder for temporary files."""

    def refuse(*_, **__):
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    def unable(*_, **__):
        raise RuntimeError("unable to allocate shared memory(shm) for file </torch_1>")

    if broken == "shm":
        monkeypatch.setattr(readers, "ForkingPickler", SimpleNamespace(dumps=unable))
    else:
        monkeypatch.setattr(readers.multiprocessing, "RawValue", refuse)
    found = list(stream(tensors, range(7), SPLIT, 2, 60))
    assert torch.equal(torch.stack(found), torch.stack([tensors(i, None) for i in range(7)]))


def test_a_program_that_leaves_its_readers_ends_all_the_same():
    running, readers = program(0)
    assert running.wait(60) == 0
    assert not any(map(lives, readers))
    running.communicate()
