"""The script that `convatlas train --print sbatch` writes, on a Slurm of two hosts."""

import subprocess
import sys
from pathlib import Path

import pytest
from hosts import REASON, can_be_made, two_hosts
from program import convatlas
from slurm_machine import REASON as NO_SLURM
from slurm_machine import is_installed, wait_for
from slurm_of_two_hosts import SlurmOfTwo

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not can_be_made(), reason=REASON),
    pytest.mark.skipif(not is_installed(), reason=NO_SLURM),
]
RUN = ("train", "lenet1989", "--data", "digits", "--threads", "1", "--timeout", "120")
SHORT = ("--epochs", "20", "--save-every", "0")


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slurm")
    with two_hosts(folder) as both, SlurmOfTwo(folder, both).running() as found:
        yield found


def script(folder: Path, machines: int) -> Path:
    words = (*RUN, *SHORT, "--output", folder, "--print", "sbatch", "--machines", machines)
    written = convatlas(*words)
    assert written.returncode == 0, written.stderr
    file = folder.with_suffix(".sh")
    file.write_text(written.stdout)
    return file


def submitted(machine: SlurmOfTwo, file: Path) -> str:
    said = file.with_suffix(".txt")
    job = machine.ask("sbatch", "--parsable", f"--output={said}", file).strip()
    assert job.isdecimal()
    return job


def begun(folder: Path) -> None:
    wait_for((folder / "checkpoints" / "LATEST").exists, "a checkpoint", 240)


def returned(machine: SlurmOfTwo, job: str, folder: Path) -> str:
    """What the job has said, once it has come back and its run is over."""
    said = folder.with_suffix(".txt")
    wait_for(lambda: "resumed at step" in said.read_text(), "the job's return", 400)
    wait_for(lambda: job not in machine.jobs("PENDING", "RUNNING", "COMPLETING"), "its end", 400)
    assert (folder / "metrics.json").exists(), said.read_text()
    return said.read_text()


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Path:
    """A run of two processes on one host."""
    folder = tmp_path_factory.mktemp("alone") / "run"
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--standalone")
    words = (*torchrun, "--nproc-per-node", "2", "-m", "convatlas", *RUN, *SHORT)
    subprocess.run([*words, "--output", str(folder)], check=True, capture_output=True)
    return folder


def test_slurm_takes_the_script_where_there_are_so_many_machines(machine, tmp_path):
    for machines, taken in ((2, True), (3, False)):
        file = script(tmp_path / f"of{machines}", machines)
        words = machine.both.hosts["first"].command("sbatch", "--test-only", str(file))
        done = subprocess.run(
            ["env", *(f"{k}={v}" for k, v in machine.environment.items()), *words],
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert (done.returncode == 0) is taken, done.stderr
        assert ("to start at" in done.stderr) is taken


def test_a_job_comes_back_after_a_signal_and_has_the_bits_of_one_machine(machine, alone, tmp_path):
    """The signal is the one that Slurm sends before the job's time is over."""
    run = tmp_path / "run"
    job = submitted(machine, script(run, 2))
    begun(run)
    machine.ask("scancel", "--signal=USR1", job)
    said = returned(machine, job, run)
    assert "stopped by" in said and "on 2 processes" in said
    assert weights(run) == weights(alone)


def test_a_job_whose_node_loses_its_power_comes_back_with_the_node(machine, alone, tmp_path):
    run = tmp_path / "run"
    job = submitted(machine, script(run, 2))
    begun(run)
    machine.both.hosts["second"].power_off()
    wait_for(lambda: any("down" in state for state in machine.states()), "a node that is down", 120)
    assert not (run / "metrics.json").exists()
    machine.both.restore("second")
    machine.serve(machine.both.hosts["second"], "slurmd")
    returned(machine, job, run)
    assert weights(run) == weights(alone)
