"""One line of a plan, carried out wherever a scheduler puts it."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pretended_job
import pytest
from runs_of_a_study import make, planned, seeds

from convatlas.errors import RecipeError, RunError
from convatlas.study import carrying, jobs, plan


@pytest.fixture
def study(tmp_path, monkeypatch):
    """One of two runs, whose program does what the files in `orders` say."""
    planned(tmp_path / "study", seeds(2))
    monkeypatch.setattr(carrying, "PROGRAM", pretended_job.PROGRAM)
    return tmp_path / "study"


def order(study: Path, *orders: str, number: int = 0) -> plan.Line:
    line = plan.read(study)[number]
    (study / "orders").mkdir(exist_ok=True)
    (study / "orders" / line.run).write_text("".join(f"{each}\n" for each in orders))
    return line


def left(study: Path) -> int:
    """Orders of the first run."""
    orders = study / "orders" / plan.read(study)[0].run
    return len(orders.read_text().splitlines())


def test_a_line_is_carried_out_in_the_studys_folder_and_then_never_again(study):
    line = order(study, "train", "train")
    assert carrying.carry_out(study, line) == 0
    assert (study / "words").read_text() == " ".join(line.command) + "\n"
    assert carrying.carry_out(study, line) == 0
    assert left(study) == 1
    assert carrying.carry_out(study, line.testing()) == 0
    assert left(study) == 0 and jobs.state(study, line) == "done"


def test_a_failure_is_tried_again_and_given_up_when_it_is_the_same(study):
    line = order(study, "say no images", "say no images", "train")
    assert carrying.carry_out(study, line) == 1
    assert jobs.failures(study, line) == ["no images"] * 2
    assert left(study) == 1
    assert carrying.carry_out(study, line) == 1  # until somebody asks for it anew
    jobs.forget_failures(study, line)
    assert carrying.carry_out(study, line) == 0


def test_another_failure_is_not_the_same(study):
    line = order(study, "say the disk is full", "say the loss became nan", "train")
    assert carrying.carry_out(study, line) == 0


def test_a_killed_run_goes_on_five_times_from_one_place(study):
    line = order(study, *["signal SIGKILL"] * 4, "train")
    assert carrying.carry_out(study, line) == 0
    other = order(study, *["signal SIGKILL"] * 5, "train", number=1)
    assert carrying.carry_out(study, other) == 1
    assert (
        "SIGKILL (is there memory enough?) before its first checkpoint"
        in jobs.failures(study, other)[-1]
    )


def test_a_program_that_does_nothing_and_is_content_is_not_believed(study):
    line = order(study, "nothing", "nothing", "train")
    assert carrying.carry_out(study, line) == 1
    assert "its folder does not" in jobs.failures(study, line)[-1]


def test_a_run_that_somebody_else_has_is_waited_for(study):
    line = order(study, "train")
    folder = line.folder(study)
    folder.mkdir(parents=True)
    lock = (folder / "run.lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    (folder / "run.pid").write_text("1\n")
    waits = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            make(study, line, [0.1, 0.2, 0.3])
            lock.close()

    assert carrying.carry_out(study, line, wait) == 0
    assert len(waits) == 3 and left(study) == 1


@pytest.mark.parametrize("name", carrying.LEAVING)
def test_a_request_to_leave_reaches_the_run_once_and_is_no_failure(study, name):
    line = order(study, "work", "train")
    before = signal.getsignal(getattr(signal, name))

    def ask() -> None:
        until = time.monotonic() + 30
        while not jobs.is_held(line.folder(study)) and time.monotonic() < until:
            time.sleep(0.01)
        for _ in range(3):
            os.kill(os.getpid(), getattr(signal, name))
            time.sleep(0.05)

    asking = threading.Thread(target=ask)
    asking.start()
    assert carrying.carry_out(study, line) == 75
    asking.join()
    assert (study / "asked").read_text() == "1"
    assert jobs.failures(study, line) == []
    assert signal.getsignal(getattr(signal, name)) == before
    assert carrying.carry_out(study, line) == 0


def test_a_run_that_a_scheduler_kills_with_us_has_not_failed(study):
    """Some signal every process of a job, and one that had not begun knows no better than to go."""
    line = order(study, "signal SIGSTOP", "train")

    def ask() -> None:
        until = time.monotonic() + 30
        while left(study) > 1 and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGTERM)
        for child in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
            for pid in map(int, child.read_text().split()):
                os.kill(pid, signal.SIGCONT)

    asking = threading.Thread(target=ask)
    asking.start()
    assert carrying.carry_out(study, line) == 75
    asking.join()
    assert jobs.failures(study, line) == []


@pytest.mark.parametrize("name", carrying.NUMBERS)
def test_a_scheduler_says_which_line(study, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    assert carrying.line_of(study, None) == plan.read(study)[1]
    assert carrying.line_of(study, "0") == plan.read(study)[0]


@pytest.mark.parametrize("number", ["2", "-1", "x", "", "9" * 5000, "\N{ARABIC-INDIC DIGIT ONE}"])
def test_a_line_that_is_not_there_is_refused(study, number):
    with pytest.raises(RecipeError, match="they go from 0 to 1"):
        carrying.line_of(study, number)


def test_without_a_number_it_is_asked_for(study, tmp_path):
    with pytest.raises(RecipeError, match="which line"):
        carrying.line_of(study, None)
    with pytest.raises(RunError, match="holds no study"):
        carrying.line_of(tmp_path, "0")


def carry(*words: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "convatlas.study.carrying", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_program_says_what_is_wrong_in_a_sentence(study, tmp_path):
    for words, code, said in [
        ((), 2, "usage: python -m convatlas.study.carrying STUDY [NUMBER]"),
        ((study, 7), 2, "they go from 0 to 1"),
        ((tmp_path, 0), 1, "holds no study"),
        ((study / "plan.jsonl", 0), 1, "holds no study"),
    ]:
        found = carry(*words)
        assert found.returncode == code and said in found.stderr
        assert "Traceback" not in found.stderr and found.stdout == ""


def test_the_program_tells_how_the_run_stands(study):
    line = plan.read(study)[0]
    make(study, line, [0.1, 0.2, 0.3])
    found = carry(study, 0)
    assert (found.returncode, found.stdout, found.stderr) == (0, f"{line.run}: trained\n", "")
    other = plan.read(study)[1]
    for _ in range(2):
        jobs.note_failure(study, other, "the disk is full")
    found = carry(study, 1)
    assert found.returncode == 1
    assert found.stderr == f"convatlas: {other.run}: the disk is full\n"


def test_it_never_loads_torch(study):
    make(study, plan.read(study)[0], [0.1, 0.2, 0.3])
    words = ["-X", "importtime", "-m", "convatlas.study.carrying", str(study), "0"]
    found = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True)
    modules = {line.rpartition("|")[2].strip() for line in found.stderr.splitlines()}
    assert "convatlas.study.jobs" in modules and not modules & {"torch", "numpy"}
