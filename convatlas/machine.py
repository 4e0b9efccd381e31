"""What this machine has for this process. Imports nothing of the house, and no torch."""

import os
from contextlib import suppress
from pathlib import Path

LIMIT = Path("/sys/fs/cgroup/cpu.max")  # of a container: microseconds of cores, of so many


def cores() -> int:
    """Those that this process may use: what the system, a scheduler and the container allow."""
    whole = getattr(os, "sched_getaffinity", None)
    count = len(whole(0)) if whole else (os.cpu_count() or 1)
    with suppress(OSError, ValueError):
        quota, period = LIMIT.read_text(encoding="ascii").split()
        return max(1, min(count, int(quota) // int(period)))
    return count
