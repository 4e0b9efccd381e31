"""What this machine has for runs: cores and GPUs."""

import os
from contextlib import suppress
from pathlib import Path

import torch

LIMIT = Path("/sys/fs/cgroup/cpu.max")  # of a container: microseconds of cores, of so many


def cores() -> int:
    """Those that this process may use: what the system and the container allow."""
    whole = getattr(os, "sched_getaffinity", None)
    count = len(whole(0)) if whole else (os.cpu_count() or 1)
    with suppress(OSError, ValueError):
        quota, period = LIMIT.read_text(encoding="ascii").split()
        return max(1, min(count, int(quota) // int(period)))
    return count


def devices() -> list[str]:
    """The CUDA devices that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    named = [word for word in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if word]
    return named or [str(number) for number in range(torch.cuda.device_count())]
