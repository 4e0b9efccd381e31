"""Machines on this machine: each is a set of namespaces of Linux's, with a name, an address, a
shared memory and processes of its own, and a cable to the other. Whoever may make them is root.
"""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

REASON = "two hosts on one machine need Linux, root, and unshare, nsenter and ip (iproute2)"
ADDRESSES = {"first": "10.77.0.1", "second": "10.77.0.2"}
SPACES = ("--net", "--uts", "--mount", "--pid")
BOOT = """
mount --bind {hosts} /etc/hosts && mount -t proc proc /proc && mount -t tmpfs tmpfs /dev/shm &&
hostname {name} && ip link set lo up && echo up && exec sleep infinity
"""


def can_be_made() -> bool:
    if not all(map(shutil.which, ("setpriv", "unshare", "nsenter", "ip"))):
        return False
    words = ["unshare", *SPACES, "--fork", "mount", "-t", "tmpfs", "tmpfs", "/dev/shm"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


class Host:
    """A machine that is on until it loses its power, and all that runs on it with it."""

    def __init__(self, name: str, hosts: Path):
        self.name, self.address = name, ADDRESSES[name]
        boot = BOOT.format(hosts=hosts, name=name)
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
        with output.open("wb") as said:
            return subprocess.Popen(self.command(*words), stdout=said, stderr=said)

    def power_off(self) -> None:
        """At once, and without a word to anybody: its cable is dead before its processes are."""
        self.unplug()
        self.power.kill()
        self.power.wait()
        self.power.stdout.close()

    def unplug(self) -> None:
        self.run("ip", "link", "set", "eth0", "down")

    def plug(self) -> None:
        self.run("ip", "link", "set", "eth0", "up")


@contextlib.contextmanager
def two_hosts(folder: Path) -> Iterator[tuple[Host, Host]]:
    """Two hosts with a cable between them, that know each other's names."""
    hosts = folder / "hosts"
    lines = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in ADDRESSES.items())]
    hosts.write_text("\n".join(lines) + "\n")
    with contextlib.ExitStack() as stack:
        both = []
        for name in ADDRESSES:
            both.append(Host(name, hosts))
            stack.callback(_off, both[-1])
        connect(*both)
        yield tuple(both)


def connect(one: Host, other: Host) -> None:
    far = ("peer", "name", "eth0", "netns", other.init)
    # in the one's network, but among the processes of this machine, where the other has a number
    words = ["nsenter", "--net", "--target", one.init, "ip", "link", "add", "eth0", "type", "veth"]
    subprocess.run([*words, *far], check=True, capture_output=True)
    for host in (one, other):
        host.run("ip", "address", "add", f"{host.address}/24", "dev", "eth0")
        host.plug()


def _off(host: Host) -> None:
    if host.power.poll() is None:
        host.power.kill()
        host.power.wait()
        host.power.stdout.close()


def wait_until(is_so, what: str, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(0.05)
