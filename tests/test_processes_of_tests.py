"""How the tests themselves are shared between processes, and when a skip is a failure."""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from skips import skipped_in_vain

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


@pytest.mark.parametrize(
    ("reason", "installed", "fails"),
    [
        ("the extra onnx is not installed", "openvino,onnx", True),
        ("the extras serve and onnx are not installed", "onnx", True),
        ("tritonclient is not installed", "tritonclient", True),
        ("Skipped: slurm is not installed: apt-get install slurmctld munge", "slurm", True),
        ("Skipped: slurm is not installed: apt-get install slurmctld munge", "munge", False),
        ("the extra onnx is not installed", "", False),
        ("the extra onnxruntime is not installed", "onnx", False),
        ("the extra executorch is not installed", "onnx,serve", False),
        ("onnx has no such operator", "onnx", False),
    ],
)
def test_a_skip_for_want_of_what_is_there_is_a_failure(reason, installed, fails):
    report = SimpleNamespace(nodeid="test_a.py::test_b", longrepr=("test_a.py", 7, reason))
    assert bool(skipped_in_vain([report], installed)) == fails


def test_no_two_modules_of_tests_have_one_name():
    """Their folders are no packages: the second of a name would be taken for the first."""
    loaded_apart = {"conftest.py", "sitecustomize.py"}
    names = [path.name for path in sorted(Path(__file__).parent.rglob("*.py"))]
    assert [name for name in names if names.count(name) > 1 and name not in loaded_apart] == []
