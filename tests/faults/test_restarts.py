"""Several processes as a person starts them: by hand, and by torchrun. Row 18."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ranks import weights

from benchmarks import elastic


def by_hand(folder: Path, rank: int, port: int, epochs: int) -> subprocess.Popen:
    words = [
        "train",
        "lenet1989",
        "--data",
        "digits",
        "--epochs",
        str(epochs),
        "--threads",
        "1",
        "--resume",
        "auto",
    ]
    return subprocess.Popen(
        [sys.executable, "-m", "convatlas", *words, "--output", str(folder)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ
        | {
            "RANK": str(rank),
            "WORLD_SIZE": "2",
            "LOCAL_RANK": str(rank),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
        },
    )


@pytest.mark.full
def test_both_processes_leave_with_75_and_one_of_them_speaks(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    both = [by_hand(tmp_path, rank, port, 2000) for rank in (0, 1)]
    while "new run" not in (line := both[0].stdout.readline()):
        assert line
    time.sleep(2)
    both[1].send_signal(signal.SIGTERM)
    said = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [75, 75]
    assert said[1] == ("", "")
    assert "stopped by a signal to another process at step" in said[0][1]


def torchrun(folder: Path, *words: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "convatlas",
        "train",
        "lenet1989",
        "--data",
        "digits",
        "--threads",
        "1",
        "--output",
        str(folder),
        *words,
    ]


@pytest.mark.full
def test_torchrun_prints_once_and_a_signal_to_it_costs_no_bit(tmp_path):
    whole = subprocess.run(
        torchrun(tmp_path / "whole", "--epochs", "60"), capture_output=True, text=True, check=True
    )
    assert whole.stdout.count("test accuracy") == 1
    assert "steps on 2 processes, cpu; new run" in whole.stdout
    assert (
        len(re.findall(r"forecast: about [\d,]+ MB of memory in each process, ", whole.stdout)) == 1
    )
    launcher = subprocess.Popen(
        torchrun(tmp_path / "cut", "--epochs", "60", "--save-every", "0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while "epoch" not in (line := launcher.stdout.readline()) or "epochs of" in line:
        assert line
    launcher.terminate()
    _, errors = launcher.communicate(timeout=90)
    assert errors.count("stopped by SIGTERM at step") == 1
    assert not (tmp_path / "cut" / "metrics.json").exists()
    subprocess.run(
        torchrun(tmp_path / "cut", "--epochs", "60", "--resume", "auto"),
        capture_output=True,
        check=True,
    )
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")


@pytest.mark.full
@pytest.mark.parametrize("rank", [0, 1])
def test_torchrun_starts_them_again_when_one_is_killed_and_no_bit_is_lost(tmp_path, rank):
    """Row 18. Sixteen trials are counted by benchmarks/elastic.py."""
    subprocess.run(elastic.command(tmp_path / "alone", 2), capture_output=True, check=True)
    assert elastic.trial(tmp_path / "cut", 2, rank, 0.5) == "ended"
    assert weights(tmp_path / "cut") == weights(tmp_path / "alone")
