"""Studies of runs of a few steps, and what they leave."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from convatlas.reporting import report

NETWORKS = ("lenet1989", "lenet_caffe")
GIVEN = {
    "epochs": 2,
    "batch_size": 256,
    "opt": "adamw",
    "warmup_epochs": 0.0,
    "sched": "constant",
    "save_every": 0.0,  # a checkpoint a step
}


def at_work(*words: object) -> subprocess.Popen:
    """The program in a session of its own, while it goes on."""
    command = [sys.executable, "-m", "convatlas", *map(str, words)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def descendants(pid: int) -> list[int]:
    """Every process below one, as the system has them now."""
    found = []
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    for child in map(int, children):
        found += [child, *descendants(child)]
    return found


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def weights(study: Path) -> dict[str, bytes]:
    """The trained network of every run that is done."""
    files = (study / "runs").glob("*/model.safetensors")
    return {file.parent.name: file.read_bytes() for file in files}


def results(study: Path) -> dict[str, dict]:
    """What every run's metrics.json says, but for times, dates and the name of the run itself."""
    return {
        file.parent.name: timeless(json.loads(file.read_text()))
        for file in (study / "runs").glob("*/metrics.json")
    }


def timeless(metrics: dict) -> dict:
    return {
        name: value
        for name, value in metrics.items()
        if name not in ("seconds", "date", "run", "sha256", "answers")
    }


def epochs(study: Path) -> dict[str, list[int]]:
    """The epochs that each run's log has, in its order."""
    return {
        file.parent.name: [json.loads(row)["epoch"] for row in file.read_text().splitlines()]
        for file in (study / "runs").glob("*/log.jsonl")
    }


def undisturbed(study: Path) -> None:
    """Carries a study out that is planned, on this machine."""
    process = at_work("compare", "--continue", study)
    heard, _ = process.communicate()
    assert process.returncode == 0, heard


def require_same(study: Path, whole: Path) -> None:
    """All that two studies of one plan and of one name leave, but for times, is the same: epochs,
    weights, results and the bytes of the report.
    """
    assert epochs(study) == epochs(whole)
    assert weights(study) == weights(whole)
    assert results(study) == results(whole)
    files = [report([folder], folder.parent, times=False) for folder in (whole, study)]
    for one, other in zip(*files, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def work(study: Path) -> int:
    """How much is done of a study: it grows with every step and every result."""
    newest: dict[str, int] = {}
    for step in study.glob("runs/*/checkpoints/step-*"):
        run = step.parent.parent.name
        newest[run] = max(newest.get(run, 0), int(step.name.removeprefix("step-")))
    return sum(newest.values()) + len(list(study.glob("runs/*/metrics.json")))


def wait_for_work(study: Path, pool: subprocess.Popen, amount: int = 1) -> bool:
    """Until so much more is done; False where the pool has ended before."""
    until, longest = work(study) + amount, time.monotonic() + 600
    while work(study) < until:
        if pool.poll() is not None:
            return False
        assert time.monotonic() < longest, "nothing went on for ten minutes"
        time.sleep(0.02)
    return True
