"""Runs of a study as tasks of a Ray cluster. Each carries out one line of the plan in the study's
folder, which all nodes must see. Ray starts a task again that lost its worker or its node; the run
goes on from its last checkpoint.
"""

import logging
import os
import socket
import tempfile
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from convatlas.errors import RESUMABLE, RunError, Stopped, first_line
from convatlas.printable import printable
from convatlas.study import jobs
from convatlas.study.following import Follower
from convatlas.study.plan import Line
from convatlas.study.watching import Observer
from convatlas.training.plain_files import read_plain
from convatlas.training.signals import StopRequest

TICK = 0.5  # seconds between two looks
REACHING = 10.0  # seconds for a cluster to answer at all
LEAVING = 120.0  # seconds that runs have to save once this process is asked to stop


def run(lines: Sequence[Line], study: Path, tell: Observer, at_once: int = 0) -> None:
    """Carry out the lines; returns when each is over or has failed for good. `at_once` run at a
    time: 0 is as many as the cluster has room for.

    The cluster is the one that RAY_ADDRESS names, else the one of this machine, else one that is
    begun for these runs. RunError where there is none. Raises Stopped where a signal asked for it;
    the runs have saved.
    """
    _connect()
    with StopRequest() as stop:
        _Tasks(study.absolute(), lines, tell, at_once).go(stop)


def carry(study: str, line: Line) -> int:
    """The task, on whatever node."""
    from convatlas.study.carrying import carry_out

    return carry_out(Path(study), line)


class _Tasks:
    def __init__(self, study: Path, lines: Sequence[Line], tell: Observer, at_once: int):
        self.study, self.lines, self.tell = study, lines, tell
        left = [line for line in lines if not jobs.is_reached(study, line)]
        self.waiting = deque(line for line in left if not jobs.has_failed(study, line))
        self.at_once = at_once or len(lines)
        self.running: dict[object, Line] = {}  # what Ray knows a task by -> its line

    def go(self, stop: StopRequest) -> None:
        import ray

        follower = Follower(self.study, self.tell)
        self.tell.begin(self.lines, len(self.lines) - len(self.waiting))
        try:
            while (self.waiting or self.running) and not stop.name:
                while self.waiting and len(self.running) < self.at_once:
                    self._start(self.waiting.popleft())
                over, _ = ray.wait(list(self.running), timeout=TICK)
                for task in over:
                    self._judge(self.running.pop(task), task)
                follower.look(self.running.values())
        finally:
            self._end_all()
            self.tell.end()
        if stop.name:
            raise Stopped(f"stopped by {stop.name}, all runs saved")

    def _start(self, line: Line) -> None:
        import ray

        cores, is_for_gpu = jobs.needs_of(self.study, line)
        options = {"num_cpus": cores, "num_gpus": int(is_for_gpu), "max_retries": -1}
        task = ray.remote(**options)(carry).remote(str(self.study), line)
        self.running[task] = line
        self.tell.started(line)

    def _judge(self, line: Line, task: object) -> None:
        """A task has ended: is the run over, does it go on, has it failed?"""
        import ray

        try:
            code = ray.get(task)
        except ray.exceptions.RayError as error:
            jobs.note_failure(self.study, line, f"Ray: {printable(first_line(error))}")
            code = None
        if jobs.is_reached(self.study, line):
            self.tell.ended(line, jobs.DONE if line.is_test else jobs.TRAINED)
        elif jobs.has_failed(self.study, line):
            self.tell.ended(line, "failed", jobs.failures(self.study, line)[-1])
        else:
            why = "it was stopped" if code == RESUMABLE else jobs.failures(self.study, line)[-1]
            self.waiting.append(line)
            self.tell.ended(line, "again", why)

    def _end_all(self) -> None:
        """Ask every run to save and stop, and wait until it has."""
        import ray

        if self.running:
            for task in self.running:
                ray.cancel(task)
            with suppress(ray.exceptions.RayError):
                ray.wait(list(self.running), num_returns=len(self.running), timeout=LEAVING)


def _connect() -> None:
    """To a cluster, until this process ends. RunError, with what to do, where there is none."""
    if not find_spec("ray"):
        raise RunError(
            "runs on a Ray cluster need Ray, which is not installed: pip install 'convatlas[ray]'"
        )
    where = os.environ.get("RAY_ADDRESS", "")
    try:
        _reach(where)
        import ray

        if ray.is_initialized():
            return
        begun = None if where or not _has_gone() else "local"
        ray.init(begun, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        place, said = printable(where) or "this machine", printable(first_line(error))
        raise RunError(
            f"there is no Ray cluster at {place} ({said}); RAY_ADDRESS names one that "
            "`ray status` shows, with RAY_AUTH_MODE=token where that asks for a token, and without "
            "it one is begun here"
        ) from None


def _has_gone() -> bool:
    """Whether Ray's note of this machine's cluster is of one that was killed: Ray would wait for it
    for minutes, and then begin none.
    """
    home = Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir())
    try:
        address = read_plain(home / "ray" / "ray_current_cluster", 1000).decode()
    except (OSError, ValueError):
        return False
    try:
        _reach(address.strip())
    except OSError:
        return True
    return False


def _reach(address: str) -> None:
    """OSError where nobody listens at host:port or ray://host:port: Ray would end the process."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal() and int(port) < 2**16:
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACHING).close()
