"""How the tests themselves are shared between processes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

LINE = re.compile(r"\[(gw\d)\] .* PASSED tests/\w+\.py::\w+\[(\w+)\]")


@pytest.mark.full
def test_all_tests_of_a_network_run_in_one_process():
    """Where xdist does not, every process builds and measures every network again."""
    words = [sys.executable, "-m", "pytest", "-vv", "-m", "not full", "--durations=0"]
    files = ["tests/test_nets.py", "tests/test_golden.py", "tests/test_counts.py"]
    done = subprocess.run(
        [*words, *files, "-k", "resnet20_cifar or resnet32_cifar or lenet5"],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    processes = {}
    for process, network in LINE.findall(done.stdout):
        processes.setdefault(network, []).append(process)
    assert {"lenet5", "resnet20_cifar", "resnet32_cifar"} <= set(processes)
    assert min(len(each) for each in processes.values()) > 4
    assert {network: set(each) for network, each in processes.items() if len(set(each)) > 1} == {}
    assert len({each[0] for each in processes.values()}) == 2
