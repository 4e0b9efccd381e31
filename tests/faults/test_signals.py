"""Rows 16 and 17: signals in a save, in evaluation, twice. In a step they are in
tests/training/test_run.py.

Thirty at random moments are counted by `benchmarks/kill_resume.py --signal TERM`.
"""

import multiprocessing
import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest
from ranks import SMALL, weights

from convatlas.data import Loader
from convatlas.errors import Stopped
from convatlas.training import prepare, saving, train
from convatlas.training import run as run_module
from convatlas.training.callbacks import Callback
from convatlas.training.checkpoint import load_newest
from convatlas.training.distributed import process_group
from convatlas.training.signals import StopRequest


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    train(SMALL, folder)
    return folder


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP])
@pytest.mark.parametrize("where", ["save_step", "evaluate"])
def test_a_signal_in_a_save_or_in_evaluation_stops_at_the_next_step_and_costs_no_bit(
    whole, tmp_path, monkeypatch, where, number
):
    room = {"save_step": saving, "evaluate": run_module}[where]
    real, calls = getattr(room, where), []

    def signalled(*arguments):
        calls.append(1)
        if len(calls) == 1:
            os.kill(os.getpid(), number)
        return real(*arguments)

    monkeypatch.setattr(room, where, signalled)
    at = {"save_step": "[23]", "evaluate": 5}[where]  # a save is beside the next step
    with pytest.raises(
        Stopped, match=f"stopped by {signal.Signals(number).name} at step {at}, saved"
    ):
        train(SMALL, tmp_path)
    monkeypatch.undo()
    train(SMALL, tmp_path, resume=True)
    assert weights(tmp_path) == weights(whole)


def stopped_twice_in_a_save(folder: Path) -> int:
    """The exit code of a run that gets a second signal while it saves for the first."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    class Twice(Callback):
        def step(self, progress, loss, rate):
            if progress.step == 3:
                saving.save_step = lambda *_: os.kill(os.getpid(), signal.SIGTERM)
                os.kill(os.getpid(), signal.SIGTERM)

    train(SMALL.change(save_every=0), folder, callback=Twice())
    os._exit(0)


def test_a_second_signal_stops_at_once_and_the_older_checkpoint_is_intact(
    whole, tmp_path, monkeypatch
):
    monkeypatch.setattr(run_module, "SAVING_SHARE", 0)
    assert stopped_twice_in_a_save(tmp_path) == 128 + signal.SIGTERM
    assert load_newest(tmp_path / "checkpoints", pytest.fail).step == 2
    train(SMALL, tmp_path, resume=True)
    assert weights(tmp_path) == weights(whole)


def test_in_a_job_of_slurm_a_signal_that_comes_again_is_the_same_request(monkeypatch):
    """Slurm signals all processes of a job, and srun passes its own on."""
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    with process_group(60.0, "cpu") as group, group.stop:
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGTERM)
        assert group.stop.name == "SIGTERM"
    monkeypatch.delenv("SLURM_JOB_ID")
    with process_group(60.0, "cpu") as group:
        assert group.stop.grace == 0


def stopped_with_all_its_processes(folder: Path) -> str:
    """What a run says that is waiting for its readers when all of it gets a signal, as from a job
    manager.
    """
    ours, theirs = os.pipe()
    child = os.fork()
    if child:
        os.close(theirs)
        os.waitpid(child, 0)
        with open(ours) as said:
            return said.read()

    class Stopping(Loader):
        def _training_batch(self, batches, epoch, step, reading):
            if (epoch, step) == (
                0,
                0,
            ) and multiprocessing.parent_process():  # not in the forecast's trial
                time.sleep(0.5)
                os.killpg(0, signal.SIGTERM)
            return super()._training_batch(batches, epoch, step, reading)

    os.setsid()
    prepare.Loader = partial(Stopping, memory_limit=0)
    try:
        train(SMALL.change(workers=2), folder)
    except Exception as fault:
        os.write(theirs, str(fault).encode())
    os._exit(0)


def test_a_signal_to_the_processes_that_read_too_costs_no_step(whole, tmp_path):
    assert (
        f"stopped by SIGTERM at step 1, saved; continue with convatlas train --resume {tmp_path}"
        == stopped_with_all_its_processes(tmp_path)
    )
    train(SMALL, tmp_path, resume=True)
    assert weights(tmp_path) == weights(whole)


def test_what_the_launcher_passes_on_is_no_second_signal():
    with StopRequest(grace=60) as stop:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), number)
        assert stop.name == "SIGTERM"


def test_once_all_is_saved_no_signal_changes_the_exit_code():
    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        stop.leave()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.name == "SIGTERM"
