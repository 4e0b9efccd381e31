"""One run on two hosts, as docs/distributed.md starts it: its bits, and what becomes of it when a
cable is pulled or a host loses its power.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from hosts import REASON, TwoHosts, can_be_made, two_hosts, wait_until
from ranks import weights

from convatlas import strict_json

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not can_be_made(), reason=REASON),
]
TORCHRUN = (sys.executable, "-m", "torch.distributed.run")
TRAIN = ("-m", "convatlas", "train", "lenet1989", "--data", "digits", "--epochs", "20")
FLAGS = ("--threads", "1", "--save-every", "0", "--resume", "auto")
TIMEOUT = 20  # seconds that a process waits for one that is lost
PATIENCE = 240  # seconds, of a machine that has much else to do
LEAVING = 60  # seconds after --timeout, likewise


def start(both: TwoHosts, folder: Path, *flags: str) -> dict[str, subprocess.Popen]:
    launched = {}
    for number, (name, host) in enumerate(both.hosts.items()):
        meeting = ("--node-rank", str(number), "--master-addr", "first", "--master-port", "29500")
        words = (
            *TORCHRUN,
            "--nnodes",
            "2",
            "--nproc-per-node",
            "1",
            *meeting,
            *TRAIN,
            *FLAGS,
            *flags,
        )
        said = folder.with_name(f"{folder.name}-{name}.txt")
        launched[name] = host.start(*words, "--output", str(folder), output=said)
    return launched


def said_on(name: str, folder: Path) -> str:
    return folder.with_name(f"{folder.name}-{name}.txt").read_text()


def train(both: TwoHosts, folder: Path) -> None:
    for name, process in start(both, folder).items():
        assert process.wait(PATIENCE) == 0, said_on(name, folder)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    with two_hosts(tmp_path_factory.mktemp("hosts")) as made:
        yield made


@pytest.fixture(scope="module")
def whole(both, tmp_path_factory) -> Path:
    """A run of one process on each of the hosts."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    train(both, folder)
    return folder


def epochs(folder: Path) -> list[dict]:
    lines = (folder / "log.jsonl").read_bytes().splitlines()
    return [{**strict_json.loads(line), "seconds": 0} for line in lines]


def test_two_hosts_of_one_process_make_the_bits_of_one_host_of_two(whole, tmp_path):
    words = (*TORCHRUN, "--standalone", "--nproc-per-node", "2", *TRAIN, *FLAGS)
    subprocess.run([*words, "--output", str(tmp_path)], check=True, capture_output=True)
    assert weights(tmp_path) == weights(whole)
    assert epochs(tmp_path) == epochs(whole)


@pytest.mark.parametrize("lost", ["first", "second"])
@pytest.mark.parametrize("fault", ["unplug", "power_off"])
def test_a_host_that_is_cut_off_ends_the_other_and_both_go_on_to_the_same_bits(
    both, whole, tmp_path, fault, lost
):
    """The first one holds the store in which the processes find out who is missing."""
    folder = tmp_path / "run"
    launched = start(both, folder, "--timeout", str(TIMEOUT))
    begun = folder / "checkpoints" / "LATEST"
    wait_until(begun.exists, "a checkpoint", PATIENCE)
    getattr(both.hosts[lost], fault)()
    living = [name for name in launched if fault == "unplug" or name != lost]
    for name in living:
        assert launched[name].wait(TIMEOUT + LEAVING) == 1  # torchrun's, whatever the process's own
        missing = 1 - list(launched).index(name)
        assert (
            f"process {missing} of 2 was lost, or did not answer within {TIMEOUT} s, at step"
            in (said_on(name, folder))
        )
        assert "exitcode  : 75" in said_on(name, folder)
    assert not (folder / "metrics.json").exists()
    both.restore(lost)
    train(both, folder)
    assert "resumed" in said_on("first", folder)
    assert weights(folder) == weights(whole)
    assert epochs(folder) == epochs(whole)
