"""What becomes of a study's jobs, as a queue of Slurm's says it that the test plays; and what is
said where there is no Slurm.
"""

import json
import os
from pathlib import Path

import pytest
from heard import Heard
from runs_of_a_study import make, planned, seeds

from convatlas.errors import RunError, Stopped
from convatlas.study import jobs, plan, slurm


@pytest.fixture
def study(tmp_path):
    """Three runs of one network."""
    planned(tmp_path / "study", seeds(3))
    return tmp_path / "study"


class Played(slurm._Queue):
    """A queue whose jobs become what `acts` make of them, one act a look."""

    def __init__(self, study, acts, known=None):
        self.tell = Heard("seed")
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
    queue = slurm._Queue(study, plan.read(study), Heard(), 0)
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
        slurm.run(plan.read(study), study, Heard())


def test_a_slurm_that_does_not_answer_is_named(study, tmp_path, monkeypatch):
    for name in slurm.TOOLS:
        tool(tmp_path / "bin", name, "echo 'slurm_load_jobs error: Unable to contact' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr(slurm, "find_spec", lambda name: True)
    with pytest.raises(RunError, match=r"does not answer \(slurm_load_jobs error: Unable"):
        slurm.run(plan.read(study), study, Heard())


def test_without_submitit_it_says_what_to_type(study, tmp_path, monkeypatch):
    for name in slurm.TOOLS:
        tool(tmp_path / "bin", name, "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(slurm, "find_spec", lambda name: None)
    with pytest.raises(RunError, match=r"pip install 'convatlas\[slurm\]'"):
        slurm.run(plan.read(study), study, Heard())
