"""What a study costs beside its runs alone: CPU and wall seconds of `convatlas compare`, and of
`convatlas train` once for each line of the same plan, as many at a time.

python -m benchmarks.compare --seeds 3 --epochs 20 --rounds 2
"""

import argparse
import ctypes
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from convatlas.study import plan

NETWORKS = ("lenet5", "lenet_caffe")
SUBREAPER = 36  # of prctl: whoever loses its parent becomes our child, so that its time is counted


def cpu_seconds() -> float:
    """Of all processes that have ended below this one."""
    spent = os.times()
    return spent.children_user + spent.children_system


def spent(work) -> tuple[float, float]:
    """CPU seconds and wall seconds of work() and of every process that it leaves."""
    cpu, wall = cpu_seconds(), time.monotonic()
    work()
    elapsed = time.monotonic() - wall
    try:
        while True:
            os.wait()
    except ChildProcessError:
        return cpu_seconds() - cpu, elapsed


def convatlas(*words: object, cwd: Path) -> None:
    command = [sys.executable, "-m", "convatlas", *map(str, words)]
    subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL)


def one_round(folder: Path, options: argparse.Namespace) -> dict[str, tuple[float, float]]:
    flags = ("--data", "digits", "--seeds", options.seeds, "--epochs", options.epochs)
    asked = ("compare", *NETWORKS, *flags, "--jobs", options.jobs)

    def alone() -> None:
        lines = plan.read(folder / "alone")
        tasks = [("--recipe", f"recipes/{x.run}.toml", "--output", f"runs/{x.run}") for x in lines]
        with ThreadPoolExecutor(options.jobs) as threads:
            list(threads.map(lambda task: convatlas("train", *task, cwd=folder / "alone"), tasks))

    convatlas(*asked, "--output", "alone", "--print", "commands", cwd=folder)
    found = {"alone": spent(alone)}
    found["study"] = spent(lambda: convatlas(*asked, "--output", "study", cwd=folder))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(SUBREAPER, 1)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {NETWORKS}")
    ratios = []
    for number in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            found = one_round(Path(folder), options)
        (alone_cpu, alone_wall), (cpu, wall) = found["alone"], found["study"]
        ratios.append((cpu / alone_cpu, wall / alone_wall))
        print(
            f"round {number + 1}: alone {alone_cpu:.1f} s CPU, {alone_wall:.1f} s; study "
            f"{cpu:.1f} s CPU, {wall:.1f} s; ratios {ratios[-1][0]:.3f}, {ratios[-1][1]:.3f}",
            flush=True,
        )
    cpu, wall = (statistics.median(each) for each in zip(*ratios, strict=True))
    print(f"median ratio of the study to its runs alone: {cpu:.3f} CPU, {wall:.3f} wall")


if __name__ == "__main__":
    main()
