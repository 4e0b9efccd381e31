"""Studies on Slurm: a real one, begun by the test, that wants its places back; and what is said
where there is none.
"""

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
from pretended_job import PretendedJob
from pretended_run import HELD, STEPS
from runs_of_a_study import make
from shown_commands import commands, quick, with_program
from skips import needs
from slurm_machine import REASON, Slurm, is_installed, wait_for
from small_studies import GIVEN, NETWORKS, at_work, epochs, kill, results, weights

from convatlas.errors import RunError, Stopped
from convatlas.reporting import report
from convatlas.study import conducting, jobs, manifests, plan, slurm
from convatlas.study.plan import Asked, Images, line_of
from convatlas.study.watching import Observer
from convatlas.training.recipe import Recipe

DIGITS = Images("digits", "digits", "f" * 64)
DISTURBANCES = 10


class Note(Observer):
    def __init__(self):
        self.notes, self.ends, self.moves = [], [], []

    def moved(self, line, epoch, epochs, score):
        self.moves.append((line.seed, epoch, epochs, score))

    def ended(self, line, word, sentence=""):
        self.ends.append((line.seed, word, sentence))

    def note(self, text):
        self.notes.append(text)


# ---- what the queue says, without one


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Three runs, on a Slurm that this test plays: `queue` is what squeue says."""
    recipes = [Recipe(network="lenet5", seed=seed, epochs=3) for seed in range(3)]
    runs = [(line_of(recipe, DIGITS, {}), recipe) for recipe in recipes]
    plan.write(tmp_path / "study", Asked(("lenet5",), (DIGITS,), 3), runs)
    return tmp_path / "study"


class Played(slurm._Queue):
    """A queue whose jobs become what `acts` make of them, one act a look."""

    def __init__(self, study, acts, known=None):
        self.tell = Note()
        super().__init__(study, plan.read(study), self.tell, 0)
        self.acts, self.states, self.submitted = iter(acts), dict(known or {}), []

    def _submit_array(self, lines, cores, is_for_gpu):
        for line in lines:
            self.submitted.append(line.seed)
            self.job[line.run] = f"7_{len(self.submitted)}"
            self.states[self.job[line.run]] = "PENDING"

    def job_of(self, seed: int) -> str:
        return next(self.job[line.run] for line in self.lines if line.seed == seed)

    def _look(self):
        next(self.acts)(self)
        return super()._look()


@pytest.fixture
def play(study, monkeypatch):
    monkeypatch.setattr(slurm, "TICK", 0.0)

    def played(*acts, known=None) -> Played:
        queue = Played(study, acts, known)
        monkeypatch.setattr(slurm, "_states", lambda: queue.states)
        return queue

    return played


class Patient:
    name = None


def train(*seeds):
    def act(queue):
        for line in queue.lines:
            if line.seed in seeds:
                make(queue.study, line, [0.1, 0.2, 0.3])

    return act


def become(seed, state):
    return lambda queue: queue.states.update({queue.job_of(seed): state})


def nothing(queue):
    return


def test_it_waits_until_all_runs_are_over(play):
    queue = play(become(0, "RUNNING"), train(0), nothing, train(1, 2))
    queue.go(Patient)
    assert queue.submitted == [0, 1, 2]
    assert queue.tell.ends == [(seed, "trained", "") for seed in range(3)]


def test_it_says_how_far_the_runs_are(play):
    def one_epoch(queue):
        make(queue.study, queue.lines[1], [0.25])

    def done(queue):
        (queue.lines[1].folder(queue.study) / "metrics.json").write_text("{}")

    queue = play(become(1, "RUNNING"), one_epoch, nothing, done, train(0, 2))
    queue.go(Patient)
    assert queue.tell.moves == [(1, 1, 3, 0.25)]


def test_a_job_that_its_node_lost_is_submitted_again(play):
    queue = play(become(1, "NODE_FAIL"), nothing, nothing, train(0, 1, 2))
    queue.go(Patient)
    assert queue.submitted == [0, 1, 2, 1]
    assert queue.tell.ends[0][:2] == (1, "again") and "NODE_FAIL" in queue.tell.ends[0][2]


def test_a_job_that_is_lost_again_and_again_fails_and_the_others_go_on(play):
    lost = [become(1, "OUT_OF_MEMORY"), nothing, nothing]
    queue = play(*lost * jobs.KILLS, train(0, 2))
    queue.go(Patient)
    assert queue.submitted == [0, 1, 2] + [1] * (jobs.KILLS - 1)
    assert next(end for end in queue.tell.ends if end[1] == "failed")[0] == 1


def test_a_failed_run_is_over(play):
    def fail(queue):
        for _ in range(2):
            jobs.note_failure(queue.study, queue.lines[0], "no images")

    queue = play(fail, train(1, 2))
    queue.go(Patient)
    assert queue.tell.ends[0] == (0, "failed", "no images")


def test_what_its_node_wrote_may_arrive_after_the_job_has_gone(play):
    queue = play(become(0, "COMPLETED"), train(0), train(1, 2))
    queue.go(Patient)
    assert queue.submitted == [0, 1, 2]


def test_a_cancelled_job_is_not_submitted_again(play):
    queue = play(become(2, "CANCELLED"), nothing, nothing, train(0, 1))
    with pytest.raises(Stopped, match="1 of the jobs were cancelled"):
        queue.go(Patient)
    assert queue.submitted == [0, 1, 2]


def test_jobs_that_are_in_the_queue_already_are_waited_for(play, study):
    lines = plan.read(study)
    (study / "slurm").mkdir()
    rows = [[lines[0].run, False, "3_0"], [lines[1].run, False, "3_1"], [lines[2].run, True, "4_0"]]
    (study / "slurm" / slurm.SUBMITTED).write_text("".join(json.dumps(row) + "\n" for row in rows))
    queue = play(train(0, 1, 2), known={"3_0": "RUNNING", "3_1": "FAILED", "4_0": "RUNNING"})
    queue.go(Patient)
    assert queue.submitted == [1, 2]  # one has ended, one is of the test images


def test_a_silent_squeue_means_nothing(play, monkeypatch):
    queue = play(nothing, nothing, nothing, nothing, train(0, 1, 2))
    queue._find_submitted = lambda: None
    monkeypatch.setattr(slurm, "_states", lambda: None)
    queue.go(Patient)
    assert queue.submitted == [0, 1, 2]


@pytest.mark.parametrize("content", ["{", "[1]\n", '["a", 2]\n', '[[], 1, "7"]\n', "\x00"])
def test_a_damaged_list_of_jobs_is_named(play, study, content):
    (study / "slurm").mkdir()
    (study / "slurm" / slurm.SUBMITTED).write_text(content)
    with pytest.raises(RunError, match=r"submitted\.jsonl cannot be read; remove it"):
        play().go(Patient)


def test_a_link_where_jobs_are_kept_is_not_followed(study, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (study / "slurm").symlink_to(tmp_path / "elsewhere")
    queue = slurm._Queue(study, plan.read(study), Note(), 0)
    with pytest.raises(RunError, match="slurm is a link where a folder belongs"):
        queue._submit_array(plan.read(study), 1, False)
    assert not list((tmp_path / "elsewhere").iterdir())


def tool(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_where_there_is_no_slurm_it_says_so(study, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RunError, match=r"no Slurm here \(sbatch is not found\); go on where"):
        slurm.run(plan.read(study), study, Note())


def test_a_slurm_that_does_not_answer_is_named(study, tmp_path, monkeypatch):
    for name in slurm.TOOLS:
        tool(tmp_path / "bin", name, "echo 'slurm_load_jobs error: Unable to contact' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr(slurm, "find_spec", lambda name: True)
    with pytest.raises(RunError, match=r"does not answer \(slurm_load_jobs error: Unable"):
        slurm.run(plan.read(study), study, Note())


def test_without_submitit_it_says_what_to_type(study, tmp_path, monkeypatch):
    for name in slurm.TOOLS:
        tool(tmp_path / "bin", name, "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(slurm, "find_spec", lambda name: None)
    with pytest.raises(RunError, match=r"pip install 'convatlas\[slurm\]'"):
        slurm.run(plan.read(study), study, Note())


# ---- a real one


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
        recipes = [Recipe(network="lenet5", seed=seed, epochs=3) for seed in range(count)]
        runs = [(line_of(recipe, DIGITS, {}), recipe) for recipe in recipes]
        plan.write(tmp_path / "a study", Asked(("lenet5",), (DIGITS,), count), runs)
        return tmp_path / "a study"

    return made


def carried_out(machine: Slurm, study: Path, ways, count: int) -> int:
    """On the cluster, disturbed so often; how often it was."""
    lines, told, times = plan.read(study), Note(), []
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
    undisturbed = at_work("compare", "--continue", whole)
    heard, _ = undisturbed.communicate()
    assert undisturbed.returncode == 0, heard
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
    assert epochs(study) == epochs(whole)
    assert weights(study) == weights(whole)
    assert results(study) == results(whole)
    files = [report([folder], folder.parent, times=False) for folder in (whole, study)]
    for one, other in zip(*files, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


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
def test_what_slurm_refuses_is_said_in_a_sentence(machine, study, monkeypatch):
    monkeypatch.setenv("SBATCH_PARTITION", "nowhere")
    with pytest.raises(RunError, match="Slurm takes no job of this kind"):
        slurm.run(plan.read(study), study, Note())
