"""What a number depends on besides its recipe: versions, processor, threads, commit."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import torch

import convatlas


def provenance(device: torch.device) -> dict:
    return {
        "convatlas": convatlas.__version__,
        "commit": _commit(),
        "torch": torch.__version__,
        "torchvision": version("torchvision"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "device": _name_of(device),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
    }


def _name_of(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return _processor() if device.type == "cpu" else f"{device.type} of {_processor()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(
            line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
        )
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _commit() -> str:
    """The commit of the source tree that runs, with a + when it was changed; ""
    outside a checkout.
    """

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(Path(__file__).parent), *words],
            capture_output=True,
            encoding="utf-8",
            check=True,
            timeout=10,
        ).stdout.strip()

    try:
        git(
            "ls-files", "--error-unmatch", __file__
        )  # else the checkout around us is somebody else's
        return git("rev-parse", "--short=12", "HEAD") + (
            "+" if git("status", "--porcelain", "-uno") else ""
        )
    except (OSError, subprocess.SubprocessError):
        return ""
