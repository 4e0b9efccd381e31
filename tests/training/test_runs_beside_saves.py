"""A run goes on beside its saves: none of them holds up an epoch's end, and none takes up anything
of a later step.
"""

import signal
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from short_runs import SMALL, StopAt, same_bits
from slow_disk import Gate, slowed

from convatlas.data import Loader, readers
from convatlas.data.readers import forks
from convatlas.errors import Stopped
from convatlas.training import checkpoint as room
from convatlas.training import prepare, run, train
from convatlas.training.callbacks import Callback
from convatlas.training.checkpoint import load_newest, read_step, steps
from convatlas.training.saving import Saver
from convatlas.training.tensor_file import TensorFile


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """With every step saved, and none of them beside another."""
    folder, begin = tmp_path_factory.mktemp("runs") / "whole", Saver.begin
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "KEEP", 99)
        patch.setattr(run, "SAVING_SHARE", 0)
        patch.setattr(Saver, "begin", lambda self, each: (begin(self, each), self.finish()))
        train(SMALL, folder, callback=Callback())
    return folder


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_a_save_is_written_leaves_once_both_steps_are_whole(
    whole, tmp_path, monkeypatch, number
):
    slowed(monkeypatch, "flushed", 0.5)
    with pytest.raises(Stopped, match="at step 2, saved"):
        train(SMALL, tmp_path, callback=StopAt(2, number))
    assert not list(tmp_path.glob("checkpoints/.tmp*"))
    found = {step.name: read_step(step).step for step in steps(tmp_path / "checkpoints")}
    assert found == {"step-00000001": 1, "step-00000002": 2}
    monkeypatch.undo()
    train(SMALL, tmp_path, resume=True, callback=Callback())
    same_bits(tmp_path, whole)


@pytest.mark.parametrize(("part", "seconds"), [("write", 0.004), ("flushed", 0.05)])
def test_a_run_whose_saves_are_slower_than_its_steps_has_the_same_bits(
    whole, tmp_path, monkeypatch, part, seconds
):
    slowed(monkeypatch, part, seconds)
    monkeypatch.setattr(room, "KEEP", 99)
    monkeypatch.setattr(run, "SAVING_SHARE", 0)
    train(SMALL, tmp_path, callback=Callback())
    same_bits(tmp_path, whole)
    for step in steps(tmp_path / "checkpoints"):
        for name in ("model.safetensors", "train_state.safetensors"):
            alone = whole / "checkpoints" / step.name / name
            assert (step / name).read_bytes() == alone.read_bytes(), step / name


def test_an_epoch_that_ends_beside_a_save_changes_nothing_of_its_best_weights(
    tmp_path, monkeypatch
):
    """They are written last, here after the end of the epoch that finds better ones."""
    recipe, write = SMALL.change(lr=0.001), TensorFile.write

    def slow(self, place, piece):
        if "00000007" in str(self.path):
            time.sleep(0.03)
        write(self, place, piece)

    monkeypatch.setattr(room, "KEEP", 99)
    monkeypatch.setattr(run, "SAVING_SHARE", 0)
    found = []
    for name in ("undisturbed", "slow"):
        told = train(recipe, tmp_path / name, callback=Callback())
        step = tmp_path / name / "checkpoints" / "step-00000007"
        found.append((step / "train_state.safetensors").read_bytes())
        monkeypatch.setattr(TensorFile, "write", slow)
    assert told["validation"]["epoch"] == 2
    assert found[0] == found[1]


class Epochs(Callback):
    """Lets the save under way be flushed when the first epoch is over, and notes whether any was
    whole by then.
    """

    def __init__(self, flushed: Gate, checkpoints: Path):
        self.flushed, self.checkpoints, self.whole = flushed, checkpoints, []

    def epoch(self, record):
        self.whole.append(bool(steps(self.checkpoints)))
        self.flushed.open.set()


def test_the_end_of_an_epoch_waits_for_no_disk(tmp_path, monkeypatch):
    flushed = Gate(monkeypatch, "flushed")
    told = Epochs(flushed, tmp_path / "checkpoints")
    train(SMALL, tmp_path, callback=told)
    assert flushed.reached.is_set()
    assert told.whole[0] is False


def test_no_save_begins_with_the_last_step_of_an_epoch(tmp_path, monkeypatch):
    """Its end would wait for the best weights of that save, whose place it needs."""
    begun, begin = [], Saver.begin

    def noted(self, each):
        begun.append((each.state["progress"]["epoch"], each.state["progress"]["batch"]))
        begin(self, each)

    monkeypatch.setattr(Saver, "begin", noted)
    monkeypatch.setattr(Saver, "is_due", lambda *_: True)
    train(SMALL, tmp_path, callback=Callback())
    assert begun == [(0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2), (1, 3), (2, 0)]


@pytest.mark.skipif(not forks(), reason="no reader that begins as a copy")
def test_no_reader_begins_with_the_files_of_a_save_open(tmp_path, monkeypatch):
    monkeypatch.setattr(prepare, "Loader", partial(Loader, memory_limit=0))
    slowed(monkeypatch, "flushed", 0.3)
    saving_at_forks, begin = [], readers._start

    def start(*arguments):
        saving_at_forks.append(any(thread.name == "saving" for thread in threading.enumerate()))
        begin(*arguments)

    monkeypatch.setattr(readers, "_start", start)
    train(SMALL.change(workers=1, epochs=1), tmp_path, callback=Callback())
    assert len(saving_at_forks) >= 3  # to train, to validate, to test
    assert not any(saving_at_forks)


def test_a_run_that_fails_beside_a_save_leaves_it_whole(tmp_path, monkeypatch):
    slowed(monkeypatch, "flushed", 0.5)

    class Fail(Callback):
        def step(self, progress, loss, rate):
            if progress.step == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(SMALL, tmp_path, callback=Fail())
    assert load_newest(tmp_path / "checkpoints", pytest.fail).step == 1
    assert not list(tmp_path.glob("checkpoints/.tmp*"))
