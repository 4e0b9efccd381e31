"""What this machine has for this process. Imports nothing of the house, and no torch."""

import os
import platform
import sys
from contextlib import suppress
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None

UNLIMITED = 2**60  # cgroup v1 writes no limit as a number near 2^63
LIMIT = Path("/sys/fs/cgroup/cpu.max")  # of a container: microseconds of cores, of so many


def cores() -> int:
    """Those that this process may use: what the system, a scheduler and the container allow."""
    whole = getattr(os, "sched_getaffinity", None)
    count = len(whole(0)) if whole else (os.cpu_count() or 1)
    with suppress(OSError, ValueError):
        quota, period = LIMIT.read_text(encoding="ascii").split()
        return max(1, min(count, int(quota) // int(period)))
    return count


def spare_cores(processes: int = 1, busy: int = 1) -> int:
    """Cores for the helpers of each of `processes` on this machine, which keeps `busy` of them at
    work: at least one, unless it has one or none to itself.
    """
    share = cores() // processes
    return max(1, share - busy) if share > 1 else 0


def resident(pid: int | None = None) -> int | None:
    """Bytes that a process holds now, this one if none is given; None where it is gone, or the
    system does not tell.
    """
    if pages := _pages("self" if pid is None else pid):
        return pages[1]
    return highest() if resource and pid is None else None


def highest() -> int:
    """Bytes that this process held at most until now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


def free_memory() -> int | None:
    """Bytes that this process may still take: the least that the system, the container and the
    shell (ulimit -v) leave; None where nobody tells.
    """
    left = [_left_by_system(), *_left_by_container(), _left_by_shell()]
    known = [each for each in left if each is not None]
    return max(0, min(known)) if known else None


def user_cache() -> Path | None:
    """The user's folder for what only saves time, which perhaps does not exist; None for a user
    without a home.
    """
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "convatlas"
    except RuntimeError:
        return None


def processor() -> str:
    """Its name and what it can do, in lines: kinds that differ in the latter share names."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    told = [line for line in lines if line.startswith(("model name", "flags", "Features", "CPU"))]
    return "\n".join(sorted({*told})) or f"{platform.machine()} {platform.processor()}".strip()


def _pages(process: int | str = "self") -> tuple[int, int] | None:
    """Bytes of a process's address space, and of those in memory."""
    with suppress(OSError, ValueError, IndexError):
        sizes = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()
        return int(sizes[0]) * resource.getpagesize(), int(sizes[1]) * resource.getpagesize()
    return None


def _left_by_system() -> int | None:
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        available = next(line for line in lines if line.startswith("MemAvailable"))
        return int(available.split()[1]) * 1024
    return None


def _left_by_container(root: Path = Path("/sys/fs/cgroup")) -> list[int]:
    """Of each group that this process is in and that has a limit; version 2, then version 1."""
    groups = []
    with suppress(OSError, ValueError):
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        groups = [line.split(":", 2)[1:] for line in lines]
    found = []
    for controllers, path in groups:
        if controllers == "":
            folders, names = _upwards(root, path), ("memory.max", "memory.current")
        elif "memory" in controllers.split(","):
            folders = _upwards(root / "memory", path)
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
        else:
            continue
        found += [left for folder in folders if (left := _left_in(folder, *names)) is not None]
    return found


def _upwards(root: Path, path: str) -> list[Path]:
    """The group and those that hold it; inside a container its own is the root."""
    own = root / path.lstrip("/")
    return [root, *(folder for folder in (own, *own.parents) if root in folder.parents)]


def _left_in(folder: Path, limit: str, usage: str) -> int | None:
    """What is not used of the limit; pages of files that can be dropped do not count as used."""
    with suppress(OSError, ValueError):
        allowed = int((folder / limit).read_text(encoding="ascii"))
        used = int((folder / usage).read_text(encoding="ascii"))
        lines = (folder / "memory.stat").read_text(encoding="ascii").splitlines()
        stat = dict(line.split() for line in lines)
        dropped = int(stat.get("total_inactive_file", stat.get("inactive_file", 0)))
        return allowed - used + dropped if allowed < UNLIMITED else None
    return None


def _left_by_shell() -> int | None:
    pages = _pages()
    if resource is None or pages is None:
        return None
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit - pages[0]
