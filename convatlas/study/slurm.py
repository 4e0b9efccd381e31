"""Runs of a study as jobs of a Slurm cluster, by submitit. Each carries out one line of the plan in
the study's folder, which all nodes must see.

A job that Slurm wants back saves its run and is queued again; a new one goes on from there. What is
known of a run is read from its folder, and Slurm is asked for one thing only: whether a job is
still in its queue. So this process may go, and another one look on later.
"""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from convatlas.errors import RunError, Stopped, first_line
from convatlas.printable import printable
from convatlas.study import jobs
from convatlas.study.following import Follower
from convatlas.study.manifests import name_of
from convatlas.study.plan import Line
from convatlas.study.slurm_job import Job
from convatlas.study.watching import Observer
from convatlas.training.plain_files import append_durably, kind, make_durably, read_plain
from convatlas.training.signals import StopRequest

TOOLS = ("sbatch", "srun", "squeue", "scontrol")
MINUTES = 60  # of a job, unless SBATCH_TIMELIMIT says otherwise; then it saves and queues again
WARNING = 90  # seconds before its time is over in which a job saves
REQUEUES = 10_000  # of a job whose time was over; each went further
ARRAY = 1000  # jobs of an array, which Slurm itself limits to that unless it is told otherwise
TICK = 2.0  # seconds between two looks
SLOW = 15.0  # once nothing has happened for a while: schedulers serve others too
PATIENCE = 3  # looks after a job has left the queue, for what it wrote to arrive from its node
SUBMITTED = "submitted.jsonl"
CANCELLED = "CANCELLED"
GONE = {*("BOOT_FAIL", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT")}
GONE |= {CANCELLED, "PREEMPTED", "REVOKED", ""}  # none: Slurm has forgotten it


def run(lines: Sequence[Line], study: Path, tell: Observer, at_once: int = 0) -> None:
    """Submit the lines that are not in the queue yet, and wait until each is over or has failed for
    good. `at_once` jobs run at a time: 0 is as many as Slurm lets.

    RunError where there is no Slurm. Raises Stopped where a signal asked for it, or where jobs were
    cancelled: those in the queue go on.
    """
    _require_slurm()
    with StopRequest() as stop:
        _Queue(study.absolute(), lines, tell, at_once).go(stop)


class _Queue:
    def __init__(self, study: Path, lines: Sequence[Line], tell: Observer, at_once: int):
        self.study, self.lines, self.tell, self.at_once = study, lines, tell, at_once
        self.folder = study / "slurm"
        left = [line for line in lines if not jobs.is_reached(study, line)]
        self.left = {line.run: line for line in left if not jobs.has_failed(study, line)}
        self.job: dict[str, str] = {}  # run -> its job, as Slurm names it
        self.missed: dict[str, int] = {}  # run -> looks at which its job was in no queue
        self.begun: set[str] = set()
        self.cancelled: list[str] = []
        self.follower = Follower(study, tell)

    def go(self, stop: StopRequest) -> None:
        self.tell.begin(self.lines, len(self.lines) - len(self.left))
        try:
            self._find_submitted()
            self._submit(line for run, line in self.left.items() if run not in self.job)
            quiet_since = time.monotonic()
            while self.left and not stop.name:
                if self._look():
                    quiet_since = time.monotonic()
                _wait(SLOW if time.monotonic() - quiet_since > 10 * SLOW else TICK, stop)
        finally:
            self.tell.end()
        if stop.name:
            raise Stopped(
                f"stopped by {stop.name}; the jobs stay in Slurm's queue, where `scancel "
                f"--name={self._name}` ends them"
            )
        if self.cancelled:
            raise Stopped(
                f"{len(self.cancelled)} of the jobs were cancelled ({self.cancelled[0]}), before "
                "their runs were over"
            )

    @property
    def _name(self) -> str:
        return name_of(self.study)

    def _find_submitted(self) -> None:
        """Jobs of an earlier look that are still in the queue."""
        path = self.folder / SUBMITTED
        try:
            rows = read_plain(path, 64_000_000).decode().splitlines() if kind(path) else []
            known = {(run, is_test): str(job) for run, is_test, job in map(json.loads, rows)}
        except (OSError, ValueError, TypeError):
            raise RunError(
                f"{path} cannot be read; remove it, once `squeue --name={self._name}` shows that "
                "no job of the study is left"
            ) from None
        if (states := _states()) is None:
            raise RunError("squeue does not answer, so it is not known which jobs are submitted")
        for run, line in self.left.items():
            job = known.get((run, line.is_test), "")
            if states.get(job, "") not in GONE:
                self.job[run] = job
        if self.job:
            self.tell.note(f"{len(self.job)} jobs are in Slurm's queue already")

    def _submit(self, lines: Iterator[Line]) -> None:
        """Jobs for the lines, in arrays of those that need the same."""
        alike: dict[tuple[int, bool], list[Line]] = {}
        for line in lines:
            alike.setdefault(jobs.needs_of(self.study, line), []).append(line)
        for (cores, is_for_gpu), group in alike.items():
            for first in range(0, len(group), ARRAY):
                self._submit_array(group[first : first + ARRAY], cores, is_for_gpu)

    def _submit_array(self, lines: list[Line], cores: int, is_for_gpu: bool) -> None:
        if kind(self.folder) not in ("", "a folder"):
            raise RunError(
                f"{self.folder} is {kind(self.folder)} where a folder belongs; remove it"
            )
        import submitit

        make_durably(self.folder)
        executor = submitit.SlurmExecutor(self.folder, max_num_timeout=REQUEUES)
        executor.update_parameters(
            job_name=self._name,
            time=MINUTES,
            signal_delay_s=WARNING,
            cpus_per_task=cores,
            gpus_per_node=1 if is_for_gpu else None,
            array_parallelism=self.at_once or len(lines),
            wckey=None,
            additional_parameters={"requeue": True},
        )
        with _refusals(), executor.batch():
            found = [executor.submit(Job(self.study, line)) for line in lines]
        for line, job in zip(lines, found, strict=True):
            self.job[line.run] = job.job_id
            row = json.dumps([line.run, line.is_test, job.job_id]) + "\n"
            append_durably(self.folder / SUBMITTED, row.encode())
        self.tell.note(f"{len(lines)} jobs submitted to Slurm: {found[0].job_id.split('_')[0]}")

    def _look(self) -> bool:
        """What has become of each run; whether anything has happened."""
        states, before = _states(), len(self.left) + len(self.begun)
        lost = []
        for run, line in list(self.left.items()):
            if jobs.is_reached(self.study, line):
                self._over(line, jobs.DONE if line.is_test else jobs.TRAINED)
            elif jobs.has_failed(self.study, line):
                self._over(line, "failed", jobs.failures(self.study, line)[-1])
            elif states is not None and self._is_gone(run, states.get(self.job[run], "")):
                lost.append(line)
            elif states and states.get(self.job[run]) == "RUNNING" and run not in self.begun:
                self.begun.add(run)
                self.tell.started(line)
        self._judge(lost, states or {})
        self.follower.look(self.left[run] for run in self.begun)
        return len(self.left) + len(self.begun) != before

    def _over(self, line: Line, word: str, sentence: str = "") -> None:
        del self.left[line.run]
        self.begun.discard(line.run)
        self.tell.ended(line, word, sentence)

    def _is_gone(self, run: str, state: str) -> bool:
        """Whether a run's job has left the queue for good."""
        self.missed[run] = self.missed.get(run, 0) + 1 if state in GONE else 0
        return self.missed[run] >= PATIENCE

    def _judge(self, lost: Sequence[Line], states: dict[str, str]) -> None:
        """Jobs that ended before their runs: cancelled ones are let be, others come again, unless
        the run has failed the same way before.
        """
        again = []
        for line in lost:
            state = states.get(self.job.pop(line.run), "")
            if state == CANCELLED:
                self.cancelled.append(line.run)
                self._over(line, "again", "its job was cancelled")
                continue
            by = f"Slurm ({state or 'it does not say why'})"
            sentence = jobs.killed(self.study, line, by)
            if jobs.note_failure(self.study, line, sentence):
                self._over(line, "failed", sentence)
            else:
                self.begun.discard(line.run)
                again.append(line)
                self.tell.ended(line, "again", sentence)
        self._submit(again)


def _states() -> dict[str, str] | None:
    """This person's jobs, also those that ended a moment ago -> Slurm's word for each; None where
    it does not answer.
    """
    words = ["squeue", "--me", "--array", "--noheader", "--states=all", "--format=%i|%T"]
    try:
        found = subprocess.run(words, capture_output=True, encoding="utf-8", check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return dict(row.split("|", 1) for row in found.stdout.split() if "|" in row)


def _require_slurm() -> None:
    """RunError, with what to do, where no job can be submitted from here."""
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        raise RunError(
            f"there is no Slurm here ({missing[0]} is not found); go on where jobs are submitted "
            "from, such as a login node, or with --on local"
        )
    if not find_spec("submitit"):
        raise RunError(
            "jobs are submitted to Slurm by submitit, which is not installed: pip install "
            "'convatlas[slurm]'"
        )
    asked = subprocess.run(["squeue", "--me"], capture_output=True, encoding="utf-8", check=False)
    if asked.returncode:
        said = next(iter(asked.stderr.splitlines()), "squeue failed")
        raise RunError(
            f"Slurm does not answer ({printable(said)}); try again when `sinfo` shows its "
            "partitions, or go on with --on local"
        )


@contextmanager
def _refusals() -> Iterator[None]:
    """What sbatch refuses, in a sentence."""
    from submitit.core.utils import FailedJobError, FailedSubmissionError

    try:
        yield
    except (FailedJobError, FailedSubmissionError, OSError) as error:
        raise RunError(
            f"Slurm takes no job of this kind ({printable(first_line(error))}); what it should ask "
            "for stands in its own variables, such as SBATCH_PARTITION, SBATCH_ACCOUNT and "
            "SBATCH_TIMELIMIT"
        ) from None


def _wait(seconds: float, stop: StopRequest) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not stop.name:
        time.sleep(0.1)
