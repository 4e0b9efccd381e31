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
RUN = ("train", "lenet1989", "--data", "digits", "--threads", "1", "--timeout", "20")
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


def wait_for_end(machine: SlurmOfTwo, job: str) -> None:
    wait_for(lambda: job not in machine.jobs("PENDING", "RUNNING", "COMPLETING"), "a job", 400)


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


def test_a_job_on_two_machines_comes_back_after_a_signal_and_has_the_bits_of_one(machine, tmp_path):
    """The signal is the one that Slurm sends before the job's time is over."""
    run = tmp_path / "run"
    job = submitted(machine, script(run, 2))
    wait_for((run / "checkpoints" / "LATEST").exists, "a checkpoint", 240)
    machine.ask("scancel", "--signal=USR1", job)
    said = run.with_suffix(".txt")
    wait_for(lambda: "resumed at step" in said.read_text(), "the job's return", 400)
    wait_for_end(machine, job)
    assert (run / "metrics.json").exists(), said.read_text()
    assert "stopped by" in said.read_text() and "on 2 processes" in said.read_text()
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--standalone")
    alone = (*torchrun, "--nproc-per-node", "2", "-m", "convatlas", *RUN, *SHORT)
    subprocess.run([*alone, "--output", str(tmp_path / "one")], check=True, capture_output=True)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("run", "one")]
    assert weights[0] == weights[1]
