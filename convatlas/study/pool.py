"""Runs of a study side by side on this machine, as many as its cores and its memory can hold.

Each run is a process of its own, so that one that is killed takes no other with it; a server that
has torch already makes them, so that none has to wait for it.
"""

import multiprocessing
import os
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch

from convatlas.errors import RESUMABLE, Stopped
from convatlas.machine import cores, resident
from convatlas.study import jobs
from convatlas.study.plan import Line
from convatlas.study.watching import Observer
from convatlas.training.memory import free
from convatlas.training.prepare import macs
from convatlas.training.recipe import Recipe
from convatlas.training.signals import StopRequest

PRESUMED = 2**30  # bytes that a run needs beside its step, until one of its setting has told
PRESUMED_EACH = 0.2  # for each multiply-add of a step: MobileNets need as much, others less
TICK = 0.25  # seconds after which it is looked whether there is something to do
ORPHAN = 255  # the exit code of a process whose server of forks is gone
SERVER = "the end of the process that begins runs"


def run(lines: Sequence[Line], study: Path, tell: Observer, at_once: int = 0) -> None:
    """Carry out the lines; returns when each is over or has failed for good. `at_once` runs at a
    time: 0 is what fits.

    Raises Stopped where a signal asked for it; the runs have saved, and can go on.
    """
    with StopRequest() as stop:
        _Pool(study.absolute(), lines, tell, at_once).go(stop)


@dataclass
class _Job:
    """A run that is at work."""

    line: Line
    process: BaseProcess
    messages: Connection
    failures: int  # that were written down of the run before
    width: int  # cores that it keeps busy
    device: str  # of CUDA, as CUDA_VISIBLE_DEVICES names it; "" for none
    shared: int = 0  # bytes that it has from the server, as all others have
    is_heard: bool = True  # whether more messages may come


class _Pool:
    def __init__(self, study: Path, lines: Sequence[Line], tell: Observer, at_once: int):
        self.study, self.lines, self.tell, self.at_once = study, lines, tell, at_once
        self.running: list[_Job] = []
        self.memory: dict[str, int] = {}  # setting -> bytes at the peak
        self.width: dict[str, int] = {}  # setting -> cores
        self.devices = cuda_devices() if lines and self._is_for_gpu(lines[0]) else []
        left = [line for line in lines if not jobs.is_reached(study, line)]
        self.waiting = deque(line for line in left if not jobs.has_failed(study, line))

    def go(self, stop: StopRequest) -> None:
        self.tell.begin(self.lines, len(self.lines) - len(self.waiting))
        try:
            while (self.waiting or self.running) and not stop.name:
                while self._start_one():
                    pass
                self._listen()
        finally:
            self._end_all()
            self.tell.end()
        if stop.name:
            raise Stopped(f"stopped by {stop.name}, all runs saved")

    def _is_for_gpu(self, line: Line) -> bool:
        return self._recipe(line).device in ("auto", "cuda") and torch.cuda.is_available()

    def _recipe(self, line: Line) -> Recipe:
        return jobs.recipe_of(self.study, line) or Recipe()

    def _start_one(self) -> bool:
        """Start the next run that nobody has and for which there is room, if there is one."""
        for _ in range(len(self.waiting)):
            line = self.waiting[0]
            if not self._has_room_for(line):
                return False
            self.waiting.popleft()
            if jobs.is_reached(self.study, line):  # somebody else has carried it out
                self._say_over(line)
                return True
            if jobs.is_held(line.folder(self.study)):
                self.waiting.append(line)
                continue
            self._start(line)
            return True
        return False

    def _has_room_for(self, line: Line) -> bool:
        """A run alone always has."""
        if not self.running:
            return True
        if not self._has_cores_for(line):
            return False
        left = free(torch.device("cpu"))
        return left is None or self._need_of(line) <= left - sum(map(self._growth_of, self.running))

    def _need_of(self, line: Line) -> int:
        """Bytes at the peak: as a run of the same setting has told, else on the safe side."""
        if line.setting not in self.memory:
            recipe, step = self._recipe(line), 0.0
            with suppress(KeyError):  # a network that is not there, as the run itself will say
                step = recipe.batch_size * macs(recipe, recipe.size)
            return int(PRESUMED + PRESUMED_EACH * step)
        return self.memory[line.setting]

    def _growth_of(self, job: _Job) -> int:
        """Bytes that a run does not hold yet, and will."""
        held = max(0, (resident(job.process.pid) or 0) - job.shared)
        return max(0, self._need_of(job.line) - held)

    def _has_cores_for(self, line: Line) -> bool:
        if self.at_once or self.devices:
            return len(self.running) < (self.at_once or len(self.devices))
        return sum(job.width for job in self.running) + self._width_of(line) <= cores()

    def _width_of(self, line: Line) -> int:
        if line.setting not in self.width:
            self.width[line.setting] = jobs.needs_of(self.study, line)[0]
        return self.width[line.setting]

    def _start(self, line: Line) -> None:
        context = _context()
        messages, theirs = context.Pipe(duplex=False)
        device = self._free_device()
        process = context.Process(
            target=_carry_out, args=(str(self.study), line, device, theirs), name=line.run
        )
        before = len(jobs.failures(self.study, line))
        try:
            with _without_the_program():
                process.start()
        except (EOFError, ConnectionError):
            # a run that has begun all the same sees its pool gone, and saves
            self._failed(line, jobs.killed(self.study, line, SERVER))
            return
        finally:
            theirs.close()
        width = self._width_of(line)
        self.running.append(_Job(line, process, messages, before, width, device))
        self.tell.started(line)

    def _free_device(self) -> str:
        """The GPU with the fewest runs; "" where there is none."""
        taken = [job.device for job in self.running]
        return min(self.devices, key=taken.count, default="")

    def _listen(self) -> None:
        """Wait a moment for messages and for the end of a run."""
        heard = [job.messages for job in self.running if job.is_heard]
        ends = [job.process.sentinel for job in self.running]
        if heard or ends:
            wait([*heard, *ends], TICK)
        else:
            time.sleep(TICK)
        self.tell.tick()
        for job in list(self.running):
            self._hear(job)
            if job.process.exitcode is not None:
                self._hear(job)
                self.running.remove(job)
                self._judge(job, job.process.exitcode)
                job.messages.close()
                job.process.close()

    def _hear(self, job: _Job) -> None:
        try:
            while job.is_heard and job.messages.poll():
                match job.messages.recv():
                    case ("memory", int(most), int(shared)):
                        job.shared = shared
                        self.memory[job.line.setting] = max(0, most - shared)
                    case ("epoch", int(epoch), int(epochs), float(score)):
                        self.tell.moved(job.line, epoch, epochs, score)
        except (EOFError, OSError):
            job.is_heard = False

    def _judge(self, job: _Job, code: int) -> None:
        """A run's process has ended: is the run over, does it go on, has it failed?"""
        line, study = job.line, self.study
        if jobs.is_reached(study, line):
            self._say_over(line)
        elif code == RESUMABLE:
            self._again(line, "it was stopped")
        elif code == ORPHAN:
            self._failed(line, jobs.killed(study, line, SERVER))
        elif name := jobs.signal_of(code):
            self._failed(line, jobs.killed(study, line, name))
        elif len(said := jobs.failures(study, line)) > job.failures:
            self._failed(line, said[-1], is_noted=True)
        else:
            log = jobs.log_of(study, line)
            self._failed(line, f"its process ended with exit code {code}; {log} may say why")

    def _say_over(self, line: Line) -> None:
        self.tell.ended(line, jobs.state(self.study, line))

    def _again(self, line: Line, why: str) -> None:
        self.waiting.appendleft(line)
        self.tell.ended(line, "again", why)

    def _failed(self, line: Line, sentence: str, is_noted: bool = False) -> None:
        if not is_noted:
            jobs.note_failure(self.study, line, sentence)
        if jobs.has_failed(self.study, line):
            self.tell.ended(line, "failed", sentence)
        else:
            self.waiting.append(line)
            self.tell.ended(line, "again", sentence)

    def _end_all(self) -> None:
        """Ask every run to save and stop, and wait until it has."""
        for job in self.running:
            job.process.terminate()
        for job in self.running:
            job.process.join()
            job.process.close()  # an orphan sees its pool gone
            while jobs.is_held(job.line.folder(self.study)):
                time.sleep(TICK)


def _carry_out(study: str, line: Line, device: str, pool: Connection) -> None:
    from convatlas.study import child

    child.main(study, line, device, pool)


def _context():
    """Processes made by a server that has loaded what a run needs, where forking is safe."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["convatlas.study.child"])
    return context


@contextmanager
def _without_the_program() -> Iterator[None]:
    """Processes that are started in here do not run the script that this program began with; they
    would, to find its functions, and begin the study once more.
    """
    program = vars(sys.modules["__main__"])
    kept = {name: program[name] for name in ("__file__", "__spec__") if name in program}
    program.pop("__file__", None)
    program["__spec__"] = None
    try:
        yield
    finally:
        program.update(kept)


def cuda_devices() -> list[str]:
    """Those that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    named = [word for word in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if word]
    return named or [str(number) for number in range(torch.cuda.device_count())]
