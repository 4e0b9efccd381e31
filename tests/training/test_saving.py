"""A save is written beside the next steps: what it holds is of its own step, nobody leaves before
it is whole, and it takes no memory.
"""

import os
import resource
import sys
import threading
import weakref
from pathlib import Path

import pytest
import torch
from slow_disk import WITHIN, Gate, slowed

from convatlas.errors import CheckpointError, RunError
from convatlas.registry import create_model
from convatlas.training import Recipe, saving, tensor_file, unwritten
from convatlas.training.checkpoint import Checkpoint, read_step, save_step, steps
from convatlas.training.folder import RunFolder
from convatlas.training.saving import Saver
from convatlas.training.tensor_file import TensorFile
from convatlas.training.trainer import Trainer


@pytest.fixture
def saver(tmp_path):
    with Saver(RunFolder(tmp_path), pytest.fail) as saver:
        yield saver


def in_a_thread(work) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def checkpoint(step: int = 1) -> Checkpoint:
    return Checkpoint(step, {"w": torch.full((9,), float(step))}, {"best.w": torch.zeros(9)}, {})


def waits(work) -> threading.Thread:
    """A thread that does it, and is not done soon."""
    thread = in_a_thread(work)
    thread.join(0.3)
    assert thread.is_alive()
    return thread


def ended(thread: threading.Thread) -> None:
    thread.join(WITHIN)
    assert not thread.is_alive()


def saved(tmp_path: Path) -> Checkpoint:
    return read_step(*steps(tmp_path / "checkpoints"))


def test_a_save_begins_without_waiting_and_lets_go_once_the_tensors_are_written(
    saver, monkeypatch, tmp_path
):
    monkeypatch.setattr(unwritten, "HELD", 0)
    write, flushed = Gate(monkeypatch, "write"), Gate(monkeypatch, "flushed")
    one = checkpoint()
    saver.begin(one)
    assert write.reached.wait(WITHIN)
    best = waits(saver.let_best_go)
    write.open.set()
    ended(in_a_thread(saver.let_go))
    one.model["w"].fill_(7)
    ended(best)
    one.train_state["best.w"].fill_(7)
    assert flushed.reached.wait(WITHIN)
    assert not steps(tmp_path / "checkpoints")
    flushed.open.set()
    saver.finish()
    assert saved(tmp_path).model["w"].unique().tolist() == [1]
    assert saved(tmp_path).train_state["best.w"].unique().tolist() == [0]


class Disk:
    """One that stands still before each piece of a save until it may take so many more."""

    def __init__(self, monkeypatch):
        self.pieces, self.asked = threading.Semaphore(0), threading.Semaphore(0)
        real = TensorFile.write

        def write(file, *arguments):
            self.asked.release()
            assert self.pieces.acquire(timeout=WITHIN)
            real(file, *arguments)

        monkeypatch.setattr(TensorFile, "write", write)

    def take(self, pieces: int) -> None:
        """So many, and the next has been asked for."""
        self.pieces.release(pieces)
        for _ in range(pieces):
            assert self.asked.acquire(timeout=WITHIN)


def held(saver) -> int:
    """Bytes that the save under way has copied and not written."""
    return sum(piece.size for piece in saver._save.unwritten._pieces if piece.copy is not None)


def numbers(count: int) -> torch.Tensor:
    """1 KB for each, and a piece of its own."""
    return torch.arange(256.0 * count).view(count, 256)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_step_waits_for_no_disk_that_stands_still_over_the_last_bytes(
    saver, monkeypatch, tmp_path, layout
):
    monkeypatch.setattr(tensor_file, "PIECE", 1024)
    monkeypatch.setattr(unwritten, "HELD", 3 * 1024)
    disk = Disk(monkeypatch)
    weights = numbers(4).view(4, 4, 8, 8).to(memory_format=layout)
    momentum, best = numbers(2), numbers(4)
    before = [tensor.clone() for tensor in (weights, momentum, best)]
    state = {"optimiser.0.momentum": momentum, "best.w": best}
    saver.begin(Checkpoint(1, {"w": weights}, state, {}))
    assert disk.asked.acquire(timeout=WITHIN)  # a piece of six is under way, five are left
    step = waits(saver.let_go)
    disk.take(1)
    step.join(0.3)
    assert step.is_alive()
    assert held(saver) == 0
    disk.take(1)  # three are left
    ended(step)
    assert held(saver) == 3 * 1024
    weights.zero_(), momentum.zero_()
    saver.let_go()  # the next step does not wait either
    best_goes = waits(saver.let_best_go)
    disk.take(3)  # the last of what steps change is under way, four of the best are left
    assert held(saver) == 0
    assert best_goes.is_alive()
    disk.take(1)
    ended(best_goes)
    assert held(saver) == 3 * 1024
    best.zero_()
    disk.pieces.release(9)
    saver.finish()
    found = saved(tmp_path)
    found = [found.model["w"], *(found.train_state[name] for name in state)]
    assert all(torch.equal(*pair) for pair in zip(found, before, strict=True))


def test_the_memory_of_what_was_copied_is_free_once_it_is_written(saver, monkeypatch):
    disk, flushed = Disk(monkeypatch), Gate(monkeypatch, "flushed")
    one = Checkpoint(1, {"w": numbers(1)}, {"best.v": numbers(1), "best.w": numbers(0)}, {})
    saver.begin(one)
    assert disk.asked.acquire(timeout=WITHIN)
    saver.let_best_go()
    copies = [weakref.ref(piece.copy.base) for piece in saver._save.unwritten._pieces]
    disk.take(2)
    assert [copy() is None for copy in copies] == [True, False]
    disk.pieces.release()
    assert flushed.reached.wait(WITHIN)
    assert [copy() is None for copy in copies] == [True, True]
    flushed.open.set()
    saver.finish()


def test_a_step_that_waits_goes_on_where_the_save_fails(monkeypatch, tmp_path):
    monkeypatch.setattr(unwritten, "HELD", 0)
    write = Gate(monkeypatch, "write")
    warnings = []
    with Saver(RunFolder(tmp_path), warnings.append) as saver:
        saver.begin(checkpoint())
        step = waits(saver.let_best_go)
        monkeypatch.setattr(tensor_file, "_write", full)
        write.open.set()
        ended(step)
        saver.finish()
    assert "No space left on device; training goes on" in warnings[0]


def full(*_):
    raise OSError(28, "No space left on device")


def test_the_next_save_waits_for_the_one_before_and_none_is_due_meanwhile(
    saver, monkeypatch, tmp_path
):
    flushed = Gate(monkeypatch, "flushed")
    saver.begin(checkpoint(1))
    assert flushed.reached.wait(WITHIN)
    assert not saver.is_due(0, 20)
    assert saver.is_due(0, 0)  # as a benchmark wants it: after every step
    other = in_a_thread(lambda: saver.begin(checkpoint(2)))
    other.join(0.3)
    assert other.is_alive()
    flushed.open.set()
    other.join(WITHIN)
    saver.finish()
    assert [step.name for step in steps(tmp_path / "checkpoints")] == [
        "step-00000002",
        "step-00000001",
    ]


def test_a_save_that_fails_lets_go_and_is_told_when_it_is_looked_at(monkeypatch, tmp_path):
    def full(*_):
        raise CheckpointError("cannot save: the disk is full")

    monkeypatch.setattr(saving, "save_step", full)
    warnings = []
    with Saver(RunFolder(tmp_path), warnings.append) as saver:
        for _ in range(saving.FAILED_SAVES - 1):
            saver.begin(checkpoint())
            saver.let_go()
            saver.finish()
        said = "cannot save: the disk is full; training goes on, the earlier checkpoints are intact"
        assert warnings == 2 * [said]
        saver.begin(checkpoint())
        with pytest.raises(RunError, match=r"disk is full; free some space .* --resume"):
            saver.finish()
        saver.look()


def test_whatever_else_goes_wrong_in_the_thread_is_the_run_s_error(saver, monkeypatch):
    def refused(*_):
        raise MemoryError("no more")

    monkeypatch.setattr(saving, "save_step", refused)
    saver.begin(checkpoint())
    with pytest.raises(MemoryError, match="no more"):
        saver.finish()


OUR_OWN = {"opt": "rmsprop-tf", "accumulate": 2, "clip_grad": 1.0, "channels_last": True}


@pytest.mark.parametrize("change", [{}, {"ema": 0.9}, OUR_OWN, {"freeze_bn": True}], ids=str)
def test_a_step_beside_a_save_changes_nothing_of_it(tmp_path, monkeypatch, change):
    """Weights, moments, averages, running statistics; tensor by tensor, each slower than a step."""
    monkeypatch.setattr(unwritten, "HELD", 500_000)  # of some MB
    slowed(monkeypatch, "write", 0.004)
    recipe = Recipe(network="resnet20_cifar", opt="adamw", lr=0.1).change(**change)
    net = create_model("resnet20_cifar", num_classes=3, in_channels=1)
    trainer = Trainer(recipe, net, 9, torch.device("cpu"))
    x, y = torch.randn(4, 1, 32, 32), torch.tensor([0, 1, 2, 0])
    with Saver(RunFolder(tmp_path), pytest.fail) as saver:
        trainer.optimiser.register_step_pre_hook(saver.let_go)
        trainer.step(x, y)
        trainer.end_epoch(0.5)
        save_step(tmp_path / "alone", trainer.snapshot({}))
        saver.begin(trainer.snapshot({}))
        trainer.step(x, y)
        saver.let_best_go()
        trainer.end_epoch(0.6)
        assert not steps(tmp_path / "checkpoints")  # it was beside
        saver.finish()
    name = "step-00000001"
    for part in ("model.safetensors", "train_state.safetensors"):
        alone = (tmp_path / "alone" / name / part).read_bytes()
        assert (tmp_path / "checkpoints" / name / part).read_bytes() == alone


@pytest.mark.skipif(sys.platform != "linux", reason="a forked child's peak is its own")
def test_a_save_takes_no_memory(tmp_path):
    """Of a network and its state of 120 MB, on their way into the files."""
    child = os.fork()
    if child:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        return
    code = 1
    try:
        parts = [{f"w{i}": torch.full((500, 1000), float(i)) for i in range(30)} for _ in range(2)]
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        save_step(tmp_path, Checkpoint(1, *parts, {}))
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        code = 0 if grown < 40_000 else 2
    finally:
        os._exit(code)
