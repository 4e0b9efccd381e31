"""What a job of Slurm does, as submitit keeps it in a file. Light: no job needs torch itself."""

import signal
import time
from pathlib import Path

from convatlas.errors import RESUMABLE
from convatlas.study import jobs
from convatlas.study.carrying import carry_out
from convatlas.study.plan import Line


class Job:
    """One line of a study.

    Slurm says in two ways that it wants the job's place. Where the job's time is nearly over it
    sends the signal that submitit listens to, which calls checkpoint and queues the job again.
    Where another job is to have its place, or it was cancelled, Slurm sends SIGTERM: the run saves,
    and Slurm alone knows whether the job comes again.
    """

    def __init__(self, study: Path, line: Line):
        self.study, self.line = study, line

    def __call__(self) -> int:
        code = carry_out(self.study, self.line)
        if code == RESUMABLE:
            raise SystemExit(code)  # no result: submitit would take the job for finished
        return code

    def checkpoint(self):
        """The same again, once the run has saved and left its folder."""
        from submitit.helpers import DelayedSubmission

        signal.raise_signal(signal.SIGTERM)
        while jobs.is_held(self.line.folder(self.study)):
            time.sleep(0.1)
        return DelayedSubmission(self)
