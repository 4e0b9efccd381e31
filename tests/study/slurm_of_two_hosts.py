"""A Slurm of two hosts on this machine: a node on each, and the controller on the first."""

import getpass
from pathlib import Path

from hosts import ADDRESSES, Host, TwoHosts
from slurm_machine import CONFIGURATION, Slurm, program, wait_for

NODES = """
SlurmdTimeout=15
NodeName=first NodeAddr={first} Port=17002 CPUs=2 RealMemory=2000 State=UNKNOWN
NodeName=second NodeAddr={second} Port=17002 CPUs=2 RealMemory=2000 State=UNKNOWN
PartitionName=work Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


class SlurmOfTwo(Slurm):
    def __init__(self, folder: Path, both: TwoHosts):
        super().__init__(folder)
        self.both = both

    def _configuration(self) -> str:
        whole = CONFIGURATION.partition("NodeName=")[0] + NODES
        for server in ("SlurmdPidFile", "SlurmdLogFile", "SlurmdSpoolDir"):
            whole = whole.replace(f"{server}={{folder}}/", f"{server}={{folder}}/%n-")
        return whole.replace("127.0.0.1", "{first}").format(
            host="first",
            user=getpass.getuser(),
            folder=self.folder,
            controller=17001,
            **ADDRESSES,
        )

    def _start_servers(self) -> None:
        first, second = self.both.hosts.values()
        for host, server in ((first, "slurmctld"), (first, "slurmd"), (second, "slurmd")):
            self.serve(host, server)
        wait_for(lambda: self.states() == ["idle", "idle"], "two nodes that are idle")

    def serve(self, host: Host, server: str) -> None:
        words = [program(server), "-D", "-c", "-f", str(self.folder / "slurm.conf")]
        host.start(*words, output=self.folder / f"{host.name}-{server}.txt")

    def states(self) -> list[str]:
        return self.ask("sinfo", "--noheader", "--Node", "--format=%T").split()

    def ask(self, *words: object) -> str:
        first = self.both.hosts["first"]
        return super().ask(*first.command(*map(str, words)))

    def _stop(self) -> None:
        """What runs on the hosts ends with them: its process numbers mean others here."""
        self.both.halt()
        self._end("munge/pid")
