"""Two machines on this machine: each is a set of Linux's namespaces, with a name, an address, a
shared memory and processes of its own, and a cable to the other. Only root may make them.
"""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

REASON = "two hosts on one machine need Linux, root, and setpriv, unshare, nsenter and ip"
ADDRESSES = {"first": "10.77.0.1", "second": "10.77.0.2"}
SPACES = ("--net", "--uts", "--mount", "--pid")
NAMES = "127.0.0.1 localhost\n" + "".join(f"{ip} {name}\n" for name, ip in ADDRESSES.items())
BOOT = """
mount --bind {names} /etc/hosts && mount -t proc proc /proc && mount -t tmpfs tmpfs /dev/shm &&
hostname {name} && ip link set lo up && echo up && exec sleep infinity
"""


def can_be_made() -> bool:
    if not all(map(shutil.which, ("setpriv", "unshare", "nsenter", "ip"))):
        return False
    words = ["unshare", *SPACES, "--fork", "mount", "-t", "tmpfs", "tmpfs", "/dev/shm"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


class Host:
    """A machine that runs until its power goes, and all its processes with it."""

    def __init__(self, name: str, folder: Path):
        self.name, self.address = name, ADDRESSES[name]
        names = folder / "names"
        names.write_text(NAMES)
        boot = BOOT.format(names=names, name=name)
        words = ["setpriv", "--pdeathsig", "KILL", "unshare", *SPACES, "--fork", "--kill-child"]
        self.power = subprocess.Popen([*words, "sh", "-c", boot], stdout=subprocess.PIPE, text=True)
        if self.power.stdout.readline() != "up\n":
            raise RuntimeError(f"the host {name} did not start")
        children = f"/proc/{self.power.pid}/task/{self.power.pid}/children"
        self.init = Path(children).read_text().split()[0]

    def command(self, *words: str) -> list[str]:
        """The command that runs these words there."""
        return ["nsenter", *SPACES, "--target", self.init, *words]

    def run(self, *words: str) -> None:
        subprocess.run(self.command(*words), check=True, capture_output=True)

    def start(self, *words: str, output: Path) -> subprocess.Popen:
        with output.open("ab") as said:
            return subprocess.Popen(self.command(*words), stdout=said, stderr=said)

    def unplug(self) -> None:
        self.run("ip", "link", "set", "eth0", "down")

    def plug(self) -> None:
        self.run("ip", "link", "set", "eth0", "up")

    def power_off(self) -> None:
        """Without a word to the other host: the cable is dead before the processes are."""
        self.unplug()
        self.halt()

    def halt(self) -> None:
        self.power.kill()
        self.power.wait()
        self.power.stdout.close()


class TwoHosts:
    def __init__(self, folder: Path):
        self.folder = folder
        self.hosts = {name: Host(name, folder) for name in ADDRESSES}
        self._connect()

    def _connect(self) -> None:
        """A cable: from the network of one, but from among this machine's processes, where the
        other has a number.
        """
        one, other = self.hosts.values()
        inside = ["nsenter", "--net", "--target", one.init, "ip", "link"]
        subprocess.run([*inside, "delete", "eth0"], capture_output=True, check=False)
        cable = ["eth0", "type", "veth", "peer", "name", "eth0", "netns", other.init]
        subprocess.run([*inside, "add", *cable], check=True, capture_output=True)
        for host in (one, other):
            host.run("ip", "address", "add", f"{host.address}/24", "dev", "eth0")
            host.plug()

    def restore(self, name: str) -> None:
        """The host is on and connected again, whatever it went through."""
        for host in self.hosts.values():
            if host.power.poll() is None:
                subprocess.run(
                    host.command("ip", "link", "delete", "eth0"), capture_output=True, check=False
                )
        if self.hosts[name].power.poll() is not None:
            self.hosts[name] = Host(name, self.folder)
        self._connect()

    def halt(self) -> None:
        for host in self.hosts.values():
            if host.power.poll() is None:
                host.halt()


@contextlib.contextmanager
def two_hosts(folder: Path) -> Iterator[TwoHosts]:
    """Two hosts that know each other's names, until this is left."""
    both = TwoHosts(folder)
    try:
        yield both
    finally:
        both.halt()


def wait_until(is_so, what: str, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, f"waited {seconds:g} s for {what}"
        time.sleep(0.05)
