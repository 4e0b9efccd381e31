"""Jobs whose runs pretend to train: all that is Slurm's is real, and nothing takes long. As a
program it is convatlas.study.carrying, likewise.
"""

import sys
from pathlib import Path

from convatlas.study import carrying
from convatlas.study.slurm_job import Job

PROGRAM = (sys.executable, str(Path(__file__).with_name("pretended_run.py")))


class PretendedJob(Job):
    def __call__(self) -> int:
        carrying.PROGRAM = PROGRAM
        return super().__call__()


if __name__ == "__main__":
    carrying.PROGRAM = PROGRAM
    sys.exit(carrying.main(sys.argv[1:]))
