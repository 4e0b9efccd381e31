"""The end of a run and its saves: results before decoration, metrics.json last of what is needed,
what is tested is what is kept, and "saved" said only of what is.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from ranks import weights
from small_runs import SMALL, Note

from convatlas.errors import CheckpointError, RunError, Stopped
from convatlas.finished_run import evaluate
from convatlas.training import plain_files, plots, saving, train
from convatlas.training import run as run_module
from convatlas.training.checkpoint import Checkpoint, load_newest, read_step, save_step, steps
from convatlas.training.distributed import ProcessGroup
from convatlas.training.folder import RunFolder
from convatlas.training.prepare import prepare as prepared
from convatlas.training.trainer import Trainer


@pytest.fixture(scope="module")
def cut(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "cut"
    with pytest.raises(Stopped):
        train(SMALL, folder, callback=Note(7))
    return folder


# ---- what is on disk, and when


def before_each_file(monkeypatch, work: Callable[[str], None]) -> None:
    """Do the work, with the file's name, before a run writes one."""

    def working(real: Callable) -> Callable:
        def write(self, name, content):
            work(name)
            return real(self, name, content)

        return write

    for name in ("write", "write_tensors"):
        monkeypatch.setattr(RunFolder, name, working(getattr(RunFolder, name)))


def test_metrics_are_the_last_of_what_is_needed_and_plots_come_after(copy, monkeypatch):
    written = []
    before_each_file(monkeypatch, written.append)
    train(SMALL, copy, resume=True, callback=Note())
    needed = ["model.safetensors", "model.json", "answers.csv", "metrics.json"]
    assert written[-6:] == [*needed, "curves.png", "confusion.png"]


@pytest.mark.parametrize(
    "name",
    [
        *("model.safetensors", "model.json", "answers.csv", "metrics.json"),
        *("curves.png", "confusion.png"),
    ],
)
def test_a_kill_before_any_file_of_the_end_costs_no_result(copy, whole, monkeypatch, name):
    def dying(written):
        if written == name:
            raise KeyboardInterrupt

    before_each_file(monkeypatch, dying)
    with pytest.raises(KeyboardInterrupt):
        train(SMALL, copy, resume=True, callback=Note())
    monkeypatch.undo()
    assert (copy / "metrics.json").exists() == name.endswith(".png")
    found = train(SMALL, copy, resume=True, callback=Note())
    assert found["test"] == json.loads((whole / "metrics.json").read_text())["test"]
    assert weights(copy) == weights(whole)


@pytest.mark.parametrize("fault", [ValueError("bad\nglyph"), MemoryError()])
def test_a_figure_that_cannot_be_drawn_is_a_warning_and_the_other_is_drawn(
    copy, whole, monkeypatch, fault
):
    def broken(*_):
        raise fault

    monkeypatch.setattr(plots, "curves", broken)
    note = Note()
    train(SMALL, copy, resume=True, callback=note)
    (warning,) = note.warnings
    assert "curves.png could not be drawn (" in warning
    assert "\n" not in warning
    assert weights(copy) == weights(whole)
    assert (copy / "confusion.png").exists()
    assert train(SMALL, copy, resume=True, callback=Note())["steps"] == 8


def test_a_folder_in_the_place_of_a_figure_costs_no_result(copy):
    class Block(Note):
        def epoch(self, record):
            (copy / "curves.png").mkdir()

    note = Block()
    assert train(SMALL, copy, resume=True, callback=note)["steps"] == 8
    assert "curves.png could not be drawn" in note.warnings[0]


def test_a_class_that_reads_as_broken_mathematics_costs_no_result(tmp_path):
    for shade, label in enumerate((r"$\frac$", "b")):
        (tmp_path / "set" / label).mkdir(parents=True)
        for i in range(8):
            Image.new("L", (28, 28), 90 * shade + i).save(tmp_path / "set" / label / f"{i}.png")
    recipe = SMALL.change(data=str(tmp_path / "set"), batch_size=4, epochs=1)
    assert train(recipe, tmp_path / "run", callback=Note())["epochs"] == 1
    assert (tmp_path / "run" / "metrics.json").exists()


# ---- what is tested is what is kept


def test_what_is_tested_are_the_kept_weights_of_the_best_epoch(tmp_path, monkeypatch):
    real = run_module._Run._evaluate

    def scripted(self, loader, *ways):
        found = real(self, loader, *ways)
        if loader.split is self.data.test:
            return found
        hits = 90 if not self.trainer.progress.scores else 20
        answers = [[0, 0, 1]] * hits + [[0, 1, 1]] * (126 - hits)
        return replace(found, answers=torch.tensor(answers))

    monkeypatch.setattr(run_module._Run, "_evaluate", scripted)
    metrics = train(SMALL, tmp_path, callback=Note())
    assert metrics["validation"]["epoch"] == 1
    found = evaluate(tmp_path)
    assert metrics["confusion"] == found.confusion.tolist()
    last = read_step(steps(tmp_path / "checkpoints")[0]).model
    trainer = Trainer(SMALL, prepared(SMALL, ProcessGroup()).net, 4, torch.device("cpu"))
    trainer.net.load_state_dict(last)
    monkeypatch.undo()
    test = prepared(SMALL, ProcessGroup()).test
    others = run_module.evaluate_together(ProcessGroup(), trainer.net, test, 10, trainer.loss)
    assert metrics["confusion"] != others.confusion.tolist()


def test_the_final_test_uses_the_recipe_s_crops_and_sizes(tmp_path):
    dice = torch.Generator().manual_seed(0)
    for label in "ab":
        (tmp_path / "set" / label).mkdir(parents=True)
        for i in range(8):
            pixels = torch.randint(0, 256, (40, 40), dtype=torch.uint8, generator=dice)
            Image.fromarray(pixels.numpy()).save(tmp_path / "set" / label / f"{i}.png")
    recipe = SMALL.change(data=str(tmp_path / "set"), epochs=1, batch_size=4)
    metrics = train(
        recipe.change(test_crops="10", test_sizes=(32,)), tmp_path / "run", callback=Note()
    )
    assert metrics["test"]["loss"] == evaluate(tmp_path / "run").loss
    assert metrics["test"]["loss"] != evaluate(tmp_path / "run", crops="center", sizes=(28,)).loss


def test_initial_weights_come_from_the_seed():
    first, again, other = (
        prepared(SMALL.change(seed=seed), ProcessGroup()).net.state_dict() for seed in (0, 0, 1)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_a_resumed_run_knows_what_it_started_from_and_how_long_it_took(whole, tmp_path):
    recipe = SMALL.change(weights=str(whole / "model.safetensors"), epochs=1)
    with pytest.raises(Stopped):
        train(recipe, tmp_path, callback=Note(2))
    newest = steps(tmp_path / "checkpoints")[0]
    found = read_step(newest)
    shutil.rmtree(newest)
    progress = found.state["progress"] | {"seconds": 1000.0}
    save_step(newest.parent, replace(found, state=found.state | {"progress": progress}))
    metrics = train(recipe, tmp_path, resume=True, callback=Note())
    assert 1000 < metrics["seconds"] < 2000
    origin = json.loads((tmp_path / "model.json").read_text())["provenance"]["started_from"]
    assert origin["weights"] == str(whole / "model.safetensors")


# ---- numbers that are not finite


def strict(text: str) -> object:
    return json.loads(text, parse_constant=lambda token: pytest.fail(f"{token} is not JSON"))


def not_finite(monkeypatch, epochs: tuple[int, ...]) -> None:
    """Outputs on the validation images are NaN after these epochs."""
    real = run_module._Run._evaluate

    def scripted(self, loader, *ways):
        found = real(self, loader, *ways)
        is_test = loader.split is self.data.test
        epoch = self.trainer.progress.best_epoch if is_test else self.trainer.progress.epoch
        return replace(found, lost=1) if epoch + 1 in epochs else found

    monkeypatch.setattr(run_module._Run, "_evaluate", scripted)


def test_an_accuracy_of_outputs_that_are_no_numbers_does_not_count(tmp_path, monkeypatch):
    not_finite(monkeypatch, (2,))
    note = Note()
    metrics = train(SMALL, tmp_path, callback=note)
    assert metrics["validation"]["epoch"] == 1
    lines = [strict(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines[0]["val_loss"] > 0
    assert (lines[1]["val_loss"], lines[1]["val_accuracy"]) == (None, 0)
    assert "epoch 2: outputs on the validation images are not finite" in note.warnings[0]
    strict((tmp_path / "metrics.json").read_text())
    strict((steps(tmp_path / "checkpoints")[0] / "state.json").read_text())
    assert (tmp_path / "curves.png").exists()


def test_a_result_of_outputs_that_are_no_numbers_is_none(tmp_path, monkeypatch):
    not_finite(monkeypatch, (1, 2))
    with pytest.raises(RunError, match=r"so there is no result; .* --lr 0\.0005"):
        train(SMALL, tmp_path, callback=Note())
    assert not (tmp_path / "metrics.json").exists()


# ---- saving


def test_a_signal_while_saving_fails_is_not_called_saved(tmp_path, monkeypatch):
    def full(*_):
        raise CheckpointError("cannot save: the disk is full")

    monkeypatch.setattr(saving, "save_step", full)
    with pytest.raises(RunError, match="the disk is full; free some space") as caught:
        train(SMALL.change(save_every=60), tmp_path, callback=Note(3))
    assert not isinstance(caught.value, Stopped)
    assert "saved" not in str(caught.value)
    assert caught.value.exit_code == 1


def test_failures_to_save_count_only_in_a_row(tmp_path, monkeypatch):
    calls = []

    def flaky(folder, checkpoint, unwritten):
        calls.append(checkpoint.step)
        if len(calls) % 3:
            raise CheckpointError("cannot save")
        return save_step(folder, checkpoint, unwritten)

    monkeypatch.setattr(saving, "save_step", flaky)
    monkeypatch.setattr(run_module, "SAVING_SHARE", 0)
    note = Note()
    assert train(SMALL, tmp_path, callback=note)["steps"] == 8
    assert len(note.warnings) == 6


def test_saves_take_their_share_of_the_time_and_no_more(tmp_path, monkeypatch):
    """By a clock of our own: a step takes a second, a save as long as five, and no step is taken
    meanwhile.
    """
    clock, saved, begin = [0.0], [], saving.Saver.begin

    class Clock:
        monotonic = staticmethod(lambda: clock[0])

    class Tick(Note):
        def step(self, progress, loss, rate):
            clock[0] += 1

    def slow(folder, checkpoint, unwritten):
        clock[0] += 5
        saved.append(checkpoint.step)

    def at_once(saver, checkpoint):
        begin(saver, checkpoint)
        saver.finish()

    monkeypatch.setattr(saving, "time", Clock)
    monkeypatch.setattr(saving, "save_step", slow)
    monkeypatch.setattr(saving.Saver, "begin", at_once)
    train(SMALL.change(epochs=4, batch_size=32), tmp_path, callback=Tick())
    assert saved == [1, 101, 140]


def test_what_a_killed_save_left_is_gone_after_a_resume(copy, tmp_path):
    (copy / "checkpoints" / ".tmp-00000003-12").mkdir()
    (copy / "checkpoints" / ".tmp-00000003-12" / "model.safetensors").write_bytes(b"half")
    for name in ("recipe.toml-0123456789abcdef", "log.jsonl-0123456789abcdef", "metrics.json"):
        (copy / f".tmp-{name}").write_bytes(b"half")
    (copy / ".tmp-of-somebody-else").write_bytes(b"theirs")
    train(SMALL, copy, resume=True, callback=Note())
    assert [path.name for path in copy.rglob(".tmp*")] == [".tmp-of-somebody-else"]


@pytest.mark.skipif(sys.platform != "linux", reason="names of open files are read in /proc")
def test_a_save_flushes_each_file_and_each_folder_in_the_order_that_survives_a_power_loss(
    tmp_path, monkeypatch
):
    """Files before the folder that names them, the folder before it is renamed, the names after."""
    calls, reals = [], {name: getattr(os, name) for name in ("fsync", "replace")}
    folder = tmp_path / "checkpoints"
    save_step(folder, Checkpoint(1, {"w": torch.ones(2)}, {}, {}))

    def fsync(number):
        calls.append(f"flush {Path(os.readlink(f'/proc/self/fd/{number}')).name}")
        reals["fsync"](number)

    def replaced(source, target):
        calls.append(f"rename to {Path(target).name}")
        reals["replace"](source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replaced)
    monkeypatch.setattr(plain_files, "token", lambda: "x")
    monkeypatch.setattr("convatlas.training.checkpoint.token", lambda: "x")
    save_step(folder, Checkpoint(2, {"w": torch.ones(2)}, {}, {}))
    assert calls == [
        "flush model.safetensors",
        "flush train_state.safetensors",
        "flush state.json",
        "flush MANIFEST.json",
        "flush .tmp-00000002-x",
        "rename to step-00000002",
        "flush checkpoints",
        "flush .tmp-LATEST-x",
        "rename to LATEST",
        "flush checkpoints",
    ]
    calls.clear()
    run = RunFolder(tmp_path)
    run.append_log({"epoch": 1})
    run.append_log({"epoch": 2})
    assert calls == ["flush log.jsonl", f"flush {tmp_path.name}", "flush log.jsonl"]


def test_the_first_save_flushes_the_name_of_the_checkpoints_folder(tmp_path, monkeypatch):
    flushed, real = [], os.fsync

    def fsync(number):
        flushed.append(os.fstat(number).st_ino)
        real(number)

    monkeypatch.setattr(os, "fsync", fsync)
    save_step(tmp_path / "checkpoints", Checkpoint(1, {"w": torch.ones(2)}, {}, {}))
    assert os.stat(tmp_path).st_ino in flushed
    assert load_newest(tmp_path / "checkpoints", pytest.fail).step == 1
