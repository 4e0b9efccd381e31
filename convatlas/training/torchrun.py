"""What torchrun, or a launcher that speaks as it does, has left in the environment. No torch here:
the command line asks first of all.
"""

import os
from dataclasses import dataclass

from convatlas.errors import RunError

ALL = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
ALONE = (  # one of several programs that know nothing of each other: its number, how many, by whom
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "srun"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "mpirun"),
    ("PMI_RANK", "PMI_SIZE", "mpiexec"),
)


@dataclass(frozen=True)
class Process:
    """One of `size` processes of a run, and where they meet."""

    rank: int
    size: int
    local_rank: int
    restarts: int  # how often torchrun has started them again
    address: str
    port: int
    neighbours: int = 1  # processes of this machine, itself among them; 1 where that is not said


def launched() -> Process | None:
    """This process among those that were launched; None where it is alone.

    Launched means that all of ALL is set: containers, Slurm and MPI set some of them by themselves.
    Raises RunError where all are, and one is no number or out of range.
    """
    if not all(map(os.environ.get, ALL)):
        return None
    size = _number("WORLD_SIZE", least=1)
    rank = _number("RANK", most=size - 1)
    return Process(
        rank,
        size,
        _number("LOCAL_RANK", default=rank),
        _number("TORCHELASTIC_RESTART_COUNT", default=0),
        os.environ["MASTER_ADDR"],
        _number("MASTER_PORT", least=1, most=65535),
        _number("LOCAL_WORLD_SIZE", least=1, most=size, default=1),
    )


def is_of_slurm() -> bool:
    """Whether this is a process of a job of Slurm, which may be signalled twice for one request: by
    srun, and with all processes of its job.
    """
    return bool(os.environ.get("SLURM_JOB_ID"))


def misunderstanding() -> str:
    """What the environment half says, where this process trains alone although it may not be meant
    to; "" else.
    """
    if launched():
        return ""
    if some := [f"{name}={os.environ[name]}" for name in ALL[:2] if os.environ.get(name)]:
        missing = [name for name in ALL if not os.environ.get(name)]
        return (
            f"{' and '.join(some)} in the environment, but not {', '.join(missing)}: this is a run "
            "of one process; torchrun starts one of several"
        )
    for number, count, launcher in ALONE:
        if os.environ.get(count, "").isdecimal() and int(os.environ[count]) > 1:
            return (
                f"{launcher} started {os.environ[count]} of these, and each trains a run of its "
                f"own (this is number {os.environ.get(number, '?')}); torchrun makes them one run"
            )
    return ""


def _number(name: str, least: int = 0, most: int = 2**31, default: int | None = None) -> int:
    value = os.environ.get(name, "")
    if not value and default is not None:
        return default
    if value.isascii() and value.isdecimal() and len(value) < 12 and least <= int(value) <= most:
        return int(value)
    raise RunError(
        f"{name}={value!r} in the environment is not a number from {least} to {most}; start the "
        f"processes with torchrun, or `unset {' '.join(ALL)}` to train in one"
    )
