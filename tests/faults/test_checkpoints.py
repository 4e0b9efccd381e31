"""Rows 1 to 9, 20 and 21 of the fault matrix, beyond what tests/training/test_checkpoint.py holds
(2, 4, 5, 7).

Kills of whole runs, on two file systems, are counted by benchmarks/kill_resume.py.
"""

import os
import random
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from ranks import SMALL

from convatlas.data import sources
from convatlas.errors import CheckpointError, RunError
from convatlas.registry import create_model
from convatlas.training import Recipe, train
from convatlas.training.callbacks import Callback
from convatlas.training.checkpoint import Checkpoint, load_newest, read_step, save_step, steps
from convatlas.training.trainer import Trainer


def stamped(step: int) -> Checkpoint:
    """A third of a megabyte in which every number is the step's."""
    return Checkpoint(
        step,
        {f"w{i}": torch.full((100, 100), float(step)) for i in range(4)},
        {f"optimiser.{i}.m": torch.full((100, 100), float(step)) for i in range(4)},
        {"step": step},
    )


def stamps(found: Checkpoint) -> set:
    tensors = (found.model | found.train_state).values()
    return {found.step, found.state["step"], *torch.stack(list(tensors)).unique().tolist()}


def saving_for_ever(folder: Path, first: int) -> int:
    child = os.fork()
    if not child:
        for step in range(first, first + 10**6):
            save_step(folder, stamped(step))
    return child


def wait_for_a_save(folder: Path, newest: int, within: float = 60) -> None:
    end = time.monotonic() + within
    while not any(int(step.name[5:]) > newest for step in steps(folder)):
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.mark.parametrize(
    ("place", "kills"),
    [
        ("tmp", 40),
        pytest.param("tmp", 200, marks=pytest.mark.full),
        pytest.param("/dev/shm", 200, marks=pytest.mark.full),
    ],
)
def test_a_kill_at_any_moment_of_saving_leaves_whole_steps_only(tmp_path, place, kills):
    """Rows 1 and 3. The step a process was killed in is there or not; what stands is of one step,
    and the newest good one is never older than the kill before.
    """
    folder = tmp_path / "checkpoints" if place == "tmp" else Path(place, f"kills-{os.getpid()}")
    draw, newest = random.Random(0), 0
    try:
        for number in range(kills):
            child = saving_for_ever(folder, newest + 1)
            if number % 2:
                wait_for_a_save(folder, newest)
            time.sleep(draw.uniform(0.005, 0.05))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            for step in steps(folder):
                assert stamps(read_step(step)) == {int(step.name[5:])}
            found = load_newest(folder, pytest.fail)
            assert (found.step if found else 0) >= newest
            newest = found.step if found else 0
        assert newest >= kills // 2  # half of them did not die in their first save
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    """A run that was stopped in its second epoch."""

    class Stop(Callback):
        def step(self, progress, loss, rate):
            if progress.step == 6:
                os.kill(os.getpid(), signal.SIGTERM)

    folder = tmp_path_factory.mktemp("runs") / "cut"
    with pytest.raises(Exception, match="stopped by SIGTERM at step 6"):
        train(SMALL.change(ema=0.9), folder, callback=Stop())
    return folder


def test_500_flipped_bits_are_refused_and_the_file_is_named(cut, tmp_path):
    """Row 6, on the checkpoint of a real run: in any of its four files, white space of JSON
    included.
    """
    step = shutil.copytree(steps(cut / "checkpoints")[0], tmp_path / "step-00000006")
    files = {path: path.read_bytes() for path in sorted(step.iterdir())}
    draw, refused = random.Random(6), 0
    for _ in range(500):
        path = draw.choice(list(files))
        flipped = bytearray(files[path])
        flipped[draw.randrange(len(flipped))] ^= 1 << draw.randrange(8)
        path.write_bytes(flipped)
        try:
            read_step(step)
        except CheckpointError as error:
            refused += 1
            assert path.name in str(error) or "was written by a newer convatlas" in str(error)
        path.write_bytes(files[path])
    assert refused == 500


def test_a_run_whose_folder_is_removed_says_so(tmp_path):
    """Row 8. At the end of its epoch, for the log cannot be continued."""

    class Remove(Callback):
        def step(self, progress, loss, rate):
            if progress.step == 2:
                shutil.rmtree(tmp_path / "run")

    with pytest.raises(
        RunError, match=r"cannot write .*log\.jsonl: No such file or directory; .* --resume"
    ):
        train(SMALL.change(save_every=60), tmp_path / "run", callback=Remove())


def test_a_checkpoint_of_format_1_is_continued(tmp_path, monkeypatch):
    """Row 20: written when the format was new, before checkpoints counted their tensors.

    The digits are enlarged by the processor's own rounding; their fingerprint is that of the one
    which wrote the checkpoint.
    """
    run = shutil.copytree(Path(__file__).with_name("format-1"), tmp_path / "run")
    about = read_step(steps(run / "checkpoints")[0]).state["about"]
    monkeypatch.setattr(sources, "fingerprint_of", lambda *arrays: about["data"])

    class Note(Callback):
        def begin(self, facts):
            self.facts = facts

        def warn(self, text):
            pytest.fail(text)

    callback = Note()
    assert (
        train(Recipe.read(run / "recipe.toml"), run, resume=True, callback=callback)["steps"] == 8
    )
    assert (callback.facts["step"], callback.facts["resumed"]) == (3, True)


@pytest.mark.parametrize(
    ("network", "classes", "channels", "change", "says"),
    [
        (
            "lenet1989",
            3,
            1,
            {},
            r"the checkpoint does not fit the network: .* is 10(x\d+)? float32, not 3",
        ),
        (
            "lenet1989",
            10,
            3,
            {},
            r"the checkpoint does not fit the network: .*x1x5x5 float32, not \d+x3x5x5",
        ),
        (
            "lenet5_tutorial",
            10,
            1,
            {},
            r"the checkpoint does not fit the network: .* absent.* and \d+ more",
        ),
        (
            "lenet1989",
            10,
            1,
            {"remove": "model"},
            r"does not fit the network: .* is absent, not .*; restore the file",
        ),
        (
            "lenet1989",
            10,
            1,
            {"add": "model"},
            r"does not fit the network: extra is 2 float32, not absent",
        ),
        ("lenet1989", 10, 1, {"double": "model"}, r"is .* float64, not .* float32"),
        (
            "lenet1989",
            10,
            1,
            {"remove": "train_state"},
            r"step 6 holds \d+ tensors .* instead of \d+",
        ),
        ("lenet1989", 10, 1, {"add": "train_state"}, r"step 6 holds \d+ tensors .* instead of \d+"),
    ],
)
def test_a_checkpoint_of_something_else_is_refused_with_names_and_shapes(
    cut, network, classes, channels, change, says
):
    """Row 21, and 13: there is no generator in a checkpoint that could be missing, but moments are
    counted.
    """
    checkpoint = read_step(steps(cut / "checkpoints")[0])
    for what, part in change.items():
        tensors = dict(getattr(checkpoint, part))
        first = next(iter(tensors))
        if what == "remove":
            del tensors[first]
        else:
            tensors |= (
                {"extra": torch.zeros(2)} if what == "add" else {first: tensors[first].double()}
            )
        checkpoint = replace(checkpoint, **{part: tensors})
    trainer = Trainer(
        SMALL.change(ema=0.9),
        create_model(network, num_classes=classes, in_channels=channels),
        4,
        torch.device("cpu"),
    )
    with pytest.raises(CheckpointError, match=says):
        trainer.restore(checkpoint)
