"""A whole Slurm on this machine alone: munge, controller and node as ordinary processes of ours, in
a folder and on ports of their own, without accounting.
"""

import contextlib
import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "scancel")
REASON = "slurm is not installed: apt-get install slurmctld slurmd slurm-client munge"
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerParameters=sched_interval=1,batch_sched_delay=0
SwitchType=switch/none
MpiDefault=none
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=30
ReturnToService=2
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 Port={node} CPUs=2 RealMemory=2000 State=UNKNOWN
PartitionName=work Nodes=ALL Default=YES MaxTime=INFINITE PriorityTier=1 State=UP
PartitionName=urgent Nodes=ALL MaxTime=INFINITE PriorityTier=9 PreemptMode=OFF State=UP
"""


def is_installed() -> bool:
    return all(map(program, PROGRAMS))


def program(name: str) -> str | None:
    """Debian keeps servers where only root looks."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


class Slurm:
    """One node of two cores, a partition for work and an urgent one, whose jobs take its place."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.environment = {"SLURM_CONF": str(folder / "slurm.conf")}

    @contextlib.contextmanager
    def running(self) -> Iterator["Slurm"]:
        try:
            self._start()
            yield self
        finally:
            self._stop()

    def _start(self) -> None:
        self._start_munge()
        (self.folder / "slurm.conf").write_text(self._configuration())
        self._start_servers()

    def _start_munge(self) -> None:
        munge = self.folder / "munge"
        for name in ("munge", "state", "spool"):
            (self.folder / name).mkdir()
        munge.chmod(0o700)
        (munge / "key").write_bytes(secrets.token_bytes(128))
        (munge / "key").chmod(0o400)
        files = {"socket": "socket", "key-file": "key", "pid-file": "pid", "log-file": "log"}
        files["seed-file"] = "seed"
        self._run(
            "munged", "--force", *(f"--{flag}={munge / name}" for flag, name in files.items())
        )

    def _configuration(self) -> str:
        controller, node = _free_ports()
        return CONFIGURATION.format(
            host=_host(),
            user=getpass.getuser(),
            folder=self.folder,
            controller=controller,
            node=node,
        )

    def _start_servers(self) -> None:
        for server in ("slurmctld", "slurmd"):
            self._run(server, "-c", "-f", self.folder / "slurm.conf")
        wait_for(
            lambda: "idle" in self.ask("sinfo", "--noheader", "--format=%T"), "a node that is idle"
        )

    def _run(self, name: str, *words: object) -> None:
        with (self.folder / f"{name}.start").open("wb") as said:  # a pipe would stay open with it
            command = [program(name), *map(str, words)]
            subprocess.run(command, check=True, stdout=said, stderr=said, timeout=60)

    def _stop(self) -> None:
        self.ask("scancel", "--me")
        self._end("slurmd.pid", "slurmctld.pid", "munge/pid")

    def _end(self, *files: str) -> None:
        for file in files:
            with contextlib.suppress(OSError, ValueError):
                pid = int((self.folder / file).read_text())
                os.kill(pid, signal.SIGTERM)
                wait_for(lambda pid=pid: not Path(f"/proc/{pid}").exists(), f"the end of {file}")

    def ask(self, *words: object) -> str:
        """What a command of Slurm's prints."""
        found = subprocess.run(
            list(map(str, words)),
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | self.environment,
        )
        return found.stdout

    def jobs(self, *states: str) -> list[str]:
        """This person's jobs in these states, as Slurm names them."""
        words = ("--me", "--array", "--noheader", "--format=%i", f"--states={','.join(states)}")
        return self.ask("squeue", *words).split()

    def preempt(self) -> None:
        """An urgent job takes the node for a moment: Slurm queues anew what was there."""
        self.ask("sbatch", "--wait", "--partition=urgent", "--exclusive", "--output=/dev/null",
                 "--wrap=sleep 1")  # fmt: skip


def _host() -> str:
    return socket.gethostname().partition(".")[0]


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def wait_for(is_so, what: str, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(0.1)
