"""What `convatlas study` reads from a study's folders."""

import fcntl
import os

import pytest
from runs_of_a_study import make, planned, seeds

from convatlas.study import jobs, plan
from convatlas.study.status import status

STATES = ("done", "trained", "stopped", "left", "failed", "running")


@pytest.fixture
def study(tmp_path):
    """Six runs, one in each state."""
    study = tmp_path / "study"
    done, trained, stopped, _, failed, running = planned(study, seeds(6))
    make(study, done, [0.1, 0.2, 0.3], done=True)
    make(study, trained, [0.1, 0.2, 0.3])
    make(study, stopped, [0.1])
    make(study, running, [0.1, 0.2])
    for _ in range(2):
        jobs.note_failure(study, failed, "the loss became nan at step 7")
    with (running.folder(study) / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (running.folder(study) / "run.pid").write_text(f"{os.getpid()}\n")
        yield study


def test_each_run_is_in_its_state(study):
    assert [run.state for run in status(study).runs] == list(STATES)
    assert status(study).counts == dict.fromkeys(STATES, 1)


def test_a_killed_run_leaves_its_number_and_is_not_running(study):
    line = plan.read(study)[2]
    (line.folder(study) / "run.pid").write_text("123\n")
    (line.folder(study) / "run.lock").touch()
    assert jobs.state(study, line) == "stopped"


def test_what_is_left_takes_as_long_as_what_was_done(study):
    """Two seconds an epoch; of the runs that go on 2, 3 and 1 are left, one run at a time."""
    assert status(study).seconds_left == pytest.approx(2.0 * (2 + 3 + 1))
    assert status(study).time_to_go == pytest.approx(12.0)


def test_nothing_is_told_of_the_time_before_the_first_epoch(study):
    for log in (study / "runs").glob("*/log.jsonl"):
        log.unlink()
    assert status(study).time_to_go is None


def test_the_failed_one_says_how(study):
    assert [run.failure for run in status(study).of("failed")] == ["the loss became nan at step 7"]


def test_a_study_is_over_when_only_failed_runs_are_not_done(study):
    assert not status(study).is_over
    for line in plan.read(study):
        if jobs.state(study, line) != "failed":
            line.folder(study).mkdir(exist_ok=True)
            (line.folder(study) / "recipe.toml").touch()
            (line.folder(study) / "metrics.json").write_text("{}")
    assert status(study).is_over


def test_a_log_of_a_stranger_is_read_as_far_as_it_is_one(study):
    line = plan.read(study)[2]
    (line.folder(study) / "log.jsonl").write_text(
        '{"epoch": 1, "val_accuracy": 0.5, "seconds": "long"}\n'
        '{"epoch": "2", "val_accuracy": 0.5}\n[1]\n{"epoch": 3, "val_accuracy": NaN}\nhalf a li'
    )
    found = status(study).runs[2]
    assert (found.epoch, found.score, found.seconds) == (1, 0.5, 0.0)


@pytest.mark.parametrize(
    "told",
    [
        f'{{"epoch": 1, "val_accuracy": 0.5, "seconds": {"9" * 400}}}',
        '{"epoch": 1, "val_accuracy": 0.5, "seconds": 1e999}',
        '{"epoch": 1, "val_accuracy": 0.5, "seconds": -3}',
        f'{{"epoch": {"9" * 400}, "val_accuracy": 0.5, "seconds": 3.0}}',
        '{"epoch": -1, "val_accuracy": 0.5, "seconds": 3.0}',
    ],
    ids=lambda told: told[:60],
)
def test_figures_of_the_log_that_cannot_be_are_not_believed(study, told):
    line = plan.read(study)[2]
    (line.folder(study) / "log.jsonl").write_text(told + "\n")
    found = status(study).runs[2]
    assert found.epoch in (0, 1) and found.seconds == 0.0


def test_the_same_failure_twice_is_the_end_and_another_is_not(study):
    line = plan.read(study)[3]
    assert not jobs.note_failure(study, line, "one")
    assert not jobs.note_failure(study, line, "other")
    assert jobs.note_failure(study, line, "other")
    assert jobs.state(study, line) == "failed"
    jobs.forget_failures(study, line)
    assert jobs.state(study, line) == "left"


def test_a_killed_run_is_given_up_only_after_five_kills_without_a_step(study):
    line = plan.read(study)[2]
    sentence = jobs.killed(study, line, jobs.signal_of(-9))
    given_up = [jobs.note_failure(study, line, sentence) for _ in range(5)]
    assert given_up == [False, False, False, False, True]
    assert jobs.failures(study, line)[-1] == (
        "killed by SIGKILL (is there memory enough?) after step-00000001"
    )
