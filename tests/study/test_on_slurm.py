"""Studies on a real Slurm, begun by the test, that wants its places back."""

import itertools
import json
import os
import random
import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from heard import Heard
from pretended_job import PretendedJob
from pretended_run import HELD, STEPS
from runs_of_a_study import planned, seeds
from shown_commands import commands, quick, with_program
from skips import needs
from slurm_machine import REASON, Slurm, is_installed, wait_for
from small_studies import GIVEN, NETWORKS, at_work, kill, require_same, undisturbed

from convatlas.errors import RunError
from convatlas.study import conducting, jobs, manifests, plan, slurm

DISTURBANCES = 10
real = pytest.mark.skipif(not is_installed(), reason=REASON)


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    with Slurm(tmp_path_factory.mktemp("slurm")).running() as found:
        before = {name: os.environ.get(name) for name in found.environment}
        os.environ.update(found.environment)
        yield found
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def urgent(machine: Slurm, study: Path, job: str) -> None:
    machine.preempt()


def time_is_over(machine: Slurm, study: Path, job: str) -> None:
    machine.ask("scancel", "--signal=USR2", job)


def requeued(machine: Slurm, study: Path, job: str) -> None:
    machine.ask("scontrol", "requeue", job)


def killed(machine: Slurm, study: Path, job: str) -> None:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"train" in words and (process / "cwd").resolve() == study:
                return kill(int(process.name))
        except OSError:
            continue


def disturb(machine: Slurm, study: Path, process, ways, count: int, busy: bool = False) -> int:
    """So often, as long as the study goes on; how often it was. `busy`: only where a run has begun
    its steps.
    """
    dice = random.Random(0)
    for done in range(count):
        while not (running := of_begun_runs(machine, study) if busy else machine.jobs("RUNNING")):
            if process.poll() is not None:
                return done
            time.sleep(0.05)
        time.sleep(dice.uniform(0, 0.3 if busy else 2))
        next(ways)(machine, study, dice.choice(running))
    return count


def of_begun_runs(machine: Slurm, study: Path) -> list[str]:
    """Jobs whose runs have begun their steps."""
    submitted = study / "slurm" / slurm.SUBMITTED
    rows = submitted.read_text().splitlines() if submitted.exists() else []
    of = {job: study / "runs" / run for run, _, job in map(json.loads, rows)}
    return [job for job in machine.jobs("RUNNING") if job in of and jobs.is_held(of[job])]


@pytest.fixture
def pretending(tmp_path, monkeypatch):
    """A function that makes a study of so many runs, which pretend to train for two seconds."""
    pytest.importorskip("submitit", reason="submitit is not installed")
    here = str(Path(__file__).parent)
    monkeypatch.setenv("PYTHONPATH", f"{here}:{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setattr(slurm, "Job", PretendedJob)
    monkeypatch.setattr(slurm, "TICK", 0.5)

    def made(count: int) -> Path:
        planned(tmp_path / "a study", seeds(count))
        return tmp_path / "a study"

    return made


def carried_out(machine: Slurm, study: Path, ways, count: int) -> int:
    """On the cluster, disturbed so often; how often it was."""
    lines, told, times = plan.read(study), Heard("seed"), []
    held = study / HELD  # however slow the machine is, no run ends before it is disturbed
    held.touch()
    with ThreadPoolExecutor() as pool:
        going = pool.submit(slurm.run, lines, study, told)
        going.poll = lambda: True if going.done() else None
        times.append(disturb(machine, study, going, ways, count, busy=True))
        held.unlink()
        going.result(timeout=300)
    assert sorted(end[:2] for end in told.ends) == [(line.seed, "trained") for line in lines]
    return times[0]


def steps(study: Path) -> dict[int, list[int]]:
    return {
        line.seed: list(map(int, (line.folder(study) / "steps").read_text().split()))
        for line in plan.read(study)
    }


@real
def test_jobs_that_lose_their_places_go_on_where_they_were(machine, pretending):
    study = pretending(2)
    assert carried_out(machine, study, iter([urgent, time_is_over, requeued]), 3) == 3
    assert steps(study) == {seed: list(range(STEPS)) for seed in range(2)}
    assert not (study / "failed").exists()


@real
def test_a_job_of_the_printed_script_whose_time_is_over_queues_itself_again(
    machine, pretending, tmp_path
):
    study = pretending(2)
    script = manifests.sbatch(plan.read(study), study)
    program = Path(__file__).with_name("pretended_job.py")
    (tmp_path / "study.sh").write_text(script.replace("-m convatlas.study.carrying", str(program)))
    job = machine.ask("sbatch", "--parsable", tmp_path / "study.sh").strip()
    lines = plan.read(study)
    wait_for(lambda: jobs.is_held(lines[0].folder(study)), "the first run")
    machine.ask("scancel", "--signal=USR1", f"{job}_0")
    wait_for(lambda: all(jobs.state(study, line) == "trained" for line in lines), "both runs")
    assert steps(study) == {seed: list(range(STEPS)) for seed in range(2)}
    assert len((study / "words").read_text().splitlines()) == 3  # one was begun twice


@real
@pytest.mark.full
@pytest.mark.slow
def test_jobs_that_lose_their_places_often_lose_nothing_else(machine, pretending):
    study = pretending(8)
    ways = itertools.cycle([urgent, time_is_over, requeued])
    assert carried_out(machine, study, ways, 20) == 20
    assert steps(study) == {seed: list(range(STEPS)) for seed in range(8)}
    assert not (study / "failed").exists()


@real
@needs("submitit is not installed", "submitit")
@pytest.mark.full
@pytest.mark.slow
def test_a_study_whose_jobs_lose_their_places_ends_as_one_on_this_machine(machine, tmp_path):
    """Ten times, in four ways, and whoever waits for them is replaced in between."""
    whole, study = tmp_path / "whole" / "a study", tmp_path / "disturbed" / "a study"
    for folder in (whole, study):
        conducting.begin(NETWORKS, ["digits"], 2, given=GIVEN, output=folder)
    undisturbed(whole)
    ways = itertools.cycle([urgent, time_is_over, requeued, killed])
    process = at_work("compare", "--continue", study, "--on", "slurm")
    times = disturb(machine, study, process, ways, DISTURBANCES // 2)
    process.send_signal(signal.SIGTERM)
    heard, _ = process.communicate(timeout=600)
    assert process.returncode == 75, heard
    assert "the jobs stay in Slurm's queue" in heard
    process = at_work("compare", "--continue", study, "--on", "slurm")
    times += disturb(machine, study, process, ways, DISTURBANCES - times)
    heard, _ = process.communicate(timeout=1200)
    assert process.returncode == 0, heard
    assert times == DISTURBANCES
    assert "in Slurm's queue already" in heard
    require_same(study, whole)


@real
@needs("submitit is not installed", "submitit")
@pytest.mark.full
@pytest.mark.slow
def test_the_commands_of_the_page(machine, tmp_path):
    env = os.environ | {"PATH": f"{with_program(tmp_path / 'bin')}:{os.environ['PATH']}"}
    for command in commands("slurm.md"):
        if command.startswith("export "):
            env |= dict(word.split("=") for word in command.split()[1:])
            continue
        wait = re.sub("^sbatch ", "sbatch --wait ", command)
        found = subprocess.run(
            quick(wait), shell=True, env=env, cwd=tmp_path, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert found.returncode == 0, (command, found.stdout, found.stderr)
    studies = list((tmp_path / "studies").iterdir())
    assert sorted(each.name for each in studies) == ["byhand", "lenets", "short"]
    for study in studies:
        assert {jobs.state(study, line) for line in plan.read(study)} == {"done"}


@real
@needs("submitit is not installed", "submitit")
@pytest.mark.full
def test_what_slurm_refuses_is_said_in_a_sentence(machine, tmp_path, monkeypatch):
    monkeypatch.setenv("SBATCH_PARTITION", "nowhere")
    with pytest.raises(RunError, match="Slurm takes no job of this kind"):
        slurm.run(planned(tmp_path, seeds(1)), tmp_path, Heard())
