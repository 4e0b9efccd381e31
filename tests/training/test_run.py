"""A run on real digits: the same bits after any stop, nothing lost by any fault, and a folder that
can be read.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from PIL import Image
from short_runs import SMALL, StopAt

from convatlas import machine
from convatlas.data import Loader
from convatlas.errors import (
    CheckpointError,
    ModelFileError,
    RunError,
    Stopped,
)
from convatlas.model_file import load_model
from convatlas.training import Recipe, prepare, saving, train
from convatlas.training import run as run_module
from convatlas.training.callbacks import Callback
from convatlas.training.checkpoint import steps


def weights(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    return folder, train(SMALL, folder)


def test_more_readers_than_cores_are_named_once_in_our_own_words(tmp_path, monkeypatch):
    monkeypatch.setattr(prepare, "Loader", partial(Loader, memory_limit=0))
    cores, callback = machine.cores(), StopAt(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(SMALL.change(epochs=1, workers=cores), tmp_path / "few", callback=callback)
        assert callback.warnings == []
        train(SMALL.change(epochs=1, workers=cores + 1), tmp_path / "many", callback=callback)
    assert callback.warnings == [
        f"{cores + 1} workers read images; more than this machine's cores, {cores}, gain nothing"
    ]


def without_seconds(folder: Path) -> list[dict]:
    return [
        {k: v for k, v in json.loads(line).items() if k != "seconds"}
        for line in (folder / "log.jsonl").read_text().splitlines()
    ]


@pytest.mark.parametrize("step", range(1, 9))
def test_stopped_at_any_step_and_resumed_ends_with_the_same_bits(uninterrupted, tmp_path, step):
    whole, _ = uninterrupted
    with pytest.raises(
        Stopped, match=rf"stopped by SIGTERM at step {step}, saved; continue with .*--resume"
    ):
        train(SMALL, tmp_path / "cut", callback=StopAt(step))
    assert not (tmp_path / "cut" / "model.safetensors").exists()
    metrics = train(SMALL, tmp_path / "cut", resume=True)
    assert metrics["steps"] == 8
    assert weights(tmp_path / "cut") == weights(whole)
    assert without_seconds(tmp_path / "cut") == without_seconds(whole)


@pytest.mark.parametrize(
    "change",
    [
        {"opt": "sgd", "lr": 0.01, "nesterov": True},
        {"opt": "adam"},
        {"amp": True},
        {"channels_last": True},
        {"network": "mobilenet_v2_x0_35", "size": 32, "epochs": 1, "pad": 2, "flip": True},
        {"sched": "plateau", "patience": 0, "epochs": 4},
        {"loss": "squared-error", "opt": "sgd", "lr": 1e-3},
    ],
    ids=lambda change: "-".join(map(str, change)),
)
def test_every_part_of_the_state_comes_back(tmp_path, change):
    """Momentum, moments, layout, dropout and batch norm (mobilenet_v2), the scores of a plateau
    schedule.
    """
    recipe = SMALL.change(**change)
    train(recipe, tmp_path / "whole")
    middle = sum(1 for _ in (tmp_path / "whole" / "log.jsonl").open())
    with pytest.raises(Stopped):
        train(recipe, tmp_path / "cut", callback=StopAt(2 * middle + 1))
    train(recipe, tmp_path / "cut", resume=True)
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")


def test_another_seed_is_another_run(uninterrupted, tmp_path):
    train(SMALL.change(seed=1), tmp_path)
    assert weights(tmp_path) != weights(uninterrupted[0])


def test_the_caller_s_random_state_cannot_change_a_run(uninterrupted, tmp_path):
    torch.manual_seed(12345)
    torch.rand(17)
    train(SMALL, tmp_path)
    assert weights(tmp_path) == weights(uninterrupted[0])


def test_the_folder_of_a_finished_run(uninterrupted):
    folder, metrics = uninterrupted
    assert Recipe.read(folder / "recipe.toml") == SMALL
    assert [line["epoch"] for line in without_seconds(folder)] == [1, 2]
    assert json.loads((folder / "metrics.json").read_text()) == metrics
    assert metrics["test"]["count"] == 540
    assert metrics["test"]["correct"] == sum(row[i] for i, row in enumerate(metrics["confusion"]))
    for name in ("curves.png", "confusion.png"):
        assert (folder / name).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    saved = load_model(folder)
    assert (saved.network, saved.classes) == ("lenet1989", tuple("0123456789"))
    assert not saved.net.training


def test_the_weights_are_those_of_the_best_validation_epoch_and_test_is_used_once(
    tmp_path, monkeypatch
):
    """Validation is scripted to 10, 90, 90, 50 of 126 right: the later of the two best epochs is
    the third.
    """
    right, asked, seen, real = [10, 90, 90, 50], [], [], run_module._Run._evaluate

    def scripted(self, loader, *views):
        found = real(self, loader, *views)
        asked.append("test" if loader.split is self.data.test else "val")
        if asked[-1] == "test":
            return found
        seen.append(
            {name: tensor.clone() for name, tensor in self.trainer.net.state_dict().items()}
        )
        hits = right[len(seen) - 1]
        answers = [[0, 0, 1]] * hits + [[0, 1, 1]] * (126 - hits)
        return replace(found, answers=torch.tensor(answers))

    monkeypatch.setattr(run_module._Run, "_evaluate", scripted)
    metrics = train(SMALL.change(epochs=4), tmp_path)
    assert asked == ["val"] * 4 + ["test"]
    assert (metrics["validation"]["epoch"], metrics["validation"]["accuracy"]) == (3, 90 / 126)
    saved = load_model(tmp_path).net.state_dict()
    assert all(torch.equal(saved[name], tensor) for name, tensor in seen[2].items())
    assert not all(torch.equal(saved[name], tensor) for name, tensor in seen[3].items())


def test_resuming_a_finished_run_answers_at_once(uninterrupted):
    folder, metrics = uninterrupted
    assert train(SMALL, folder, resume=True) == metrics


def test_a_folder_that_holds_a_run_is_not_overwritten(uninterrupted):
    with pytest.raises(RunError, match="already holds a run; continue it with --resume"):
        train(SMALL, uninterrupted[0])


def test_another_recipe_cannot_continue_a_run(tmp_path):
    with pytest.raises(Stopped):
        train(SMALL, tmp_path, callback=StopAt(1))
    with pytest.raises(RunError, match=r"another recipe \(lr: 0.005, now 0.1\)"):
        train(SMALL.change(lr=0.1), tmp_path, resume=True)


def test_a_second_process_is_refused_by_pid(tmp_path):
    class Second(Callback):
        def begin(self, facts):
            script = (
                "from convatlas.training import Recipe, train\n"
                f"train(Recipe.read({str(tmp_path / 'recipe.toml')!r}), {str(tmp_path)!r}, "
                "resume=True)"
            )
            self.found = subprocess.run(
                [sys.executable, "-c", script], capture_output=True, text=True, check=False
            )

    callback = Second()
    train(SMALL.change(epochs=1), tmp_path, callback=callback)
    assert callback.found.returncode == 1
    assert f"RunError: another process (pid {os.getpid()}) is training in" in callback.found.stderr


def test_before_the_first_checkpoint_a_resume_says_that_it_begins_anew(uninterrupted, tmp_path):
    class Die(Callback):
        def begin(self, facts):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(SMALL, tmp_path, callback=Die())
    callback = StopAt(99)
    train(SMALL, tmp_path, resume=True, callback=callback)
    assert "begins at step 0" in callback.warnings[0]
    assert weights(tmp_path) == weights(uninterrupted[0])


def test_a_damaged_newest_checkpoint_costs_only_the_steps_since_the_older(uninterrupted, tmp_path):
    with pytest.raises(Stopped):
        train(SMALL, tmp_path, callback=StopAt(6))
    newest = steps(tmp_path / "checkpoints")[0] / "train_state.safetensors"
    newest.write_bytes(newest.read_bytes()[:-1])
    callback = StopAt(99)
    train(SMALL, tmp_path, resume=True, callback=callback)
    assert "train_state.safetensors has" in callback.warnings[0]
    assert weights(tmp_path) == weights(uninterrupted[0])


def test_with_every_checkpoint_damaged_it_stops(tmp_path):
    with pytest.raises(Stopped):
        train(SMALL, tmp_path, callback=StopAt(6))
    for step in steps(tmp_path / "checkpoints"):
        (step / "state.json").unlink()
    with pytest.raises(CheckpointError, match="cannot be continued"):
        train(SMALL, tmp_path, resume=True)


def test_a_loss_that_is_not_finite_stops_the_run_and_saves_nothing_of_it(tmp_path):
    with pytest.raises(RunError, match=r"the loss became (nan|inf) at step \d+ .*lower --lr"):
        train(
            SMALL.change(network="lenet5_tutorial", opt="sgd", lr=1e30, sched="constant"), tmp_path
        )
    assert not (tmp_path / "model.safetensors").exists()


def test_saving_that_fails_warns_twice_and_then_stops(tmp_path, monkeypatch):
    def full(*_):
        raise CheckpointError("cannot save: the disk is full")

    monkeypatch.setattr(saving, "save_step", full)
    callback = StopAt(99)
    with pytest.raises(RunError, match="the disk is full; free some space"):
        train(SMALL, tmp_path, callback=callback)
    assert len(callback.warnings) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2])
def test_each_signal_is_named(tmp_path, number):
    with pytest.raises(Stopped, match=signal.Signals(number).name):
        train(SMALL, tmp_path, callback=StopAt(1, number))


def test_an_altered_model_file_is_refused(uninterrupted, tmp_path):
    for name in ("model.safetensors", "model.json"):
        (tmp_path / name).write_bytes((uninterrupted[0] / name).read_bytes())
    load_model(tmp_path)
    content = bytearray((tmp_path / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(
        ModelFileError, match=r"model\.safetensors is not the file that model\.json describes"
    ):
        load_model(tmp_path)


def test_weights_of_another_network_are_refused(uninterrupted, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(
        (uninterrupted[0] / "model.safetensors").read_bytes()
    )
    about = json.loads((uninterrupted[0] / "model.json").read_text()) | {"network": "lenet5"}
    (tmp_path / "model.json").write_text(json.dumps(about))
    with pytest.raises(ModelFileError, match=r"model\.json is damaged: .*its checksum differs"):
        load_model(tmp_path)
    del about["checksum"]  # as earlier versions wrote it
    about["preprocess"] |= {"side": 32, "content": 32}
    (tmp_path / "model.json").write_text(json.dumps(about))
    with pytest.raises(ModelFileError, match=r"model\.safetensors does not fit lenet5"):
        load_model(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1, "classes": []}', "\x00"])
def test_a_damaged_description_is_refused(tmp_path, text):
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(ModelFileError, match=r"model\.json is damaged"):
        load_model(tmp_path)


EVERYTHING = {
    "crop": "random-resized",
    "pad": 2,
    "flip": True,
    "shift": 1,
    "rotate": 10,
    "scale": 0.1,
    "squeeze": 0.1,
    "shear": 0.1,
    "color_jitter": 0.4,
    "lighting": 0.1,
    "auto_augment": "randaugment",
    "random_erasing": 0.5,
    "mixup": 0.2,
    "cutmix": 1.0,
    "sizes": (32, 40),
}


def test_with_all_augmentations_a_resumed_run_has_the_same_bits_and_evaluation_its_preprocessing(
    tmp_path,
):
    """Soft labels, drawn sizes, every distortion; stopped in the middle of the second epoch."""
    for part, each in (("train", 6), ("val", 2), ("test", 2)):
        for c, name in enumerate("ab"):
            (tmp_path / "set" / part / name).mkdir(parents=True)
            for i in range(each):
                image = Image.new("RGB", (60, 50), (40 * c, 9 * i, 200 - 70 * c))
                image.save(tmp_path / "set" / part / name / f"{i}.jpg")
    recipe = Recipe(
        network="squeezenet1_0",
        data=str(tmp_path / "set"),
        size=36,
        epochs=2,
        batch_size=4,
        lr=1e-3,
        warmup_epochs=0,
        save_every=0,
        **EVERYTHING,
    )
    train(recipe, tmp_path / "whole")
    with pytest.raises(Stopped):
        train(recipe, tmp_path / "stopped", callback=StopAt(4))
    train(recipe, tmp_path / "stopped", resume=True)
    assert weights(tmp_path / "stopped") == weights(tmp_path / "whole")
    assert without_seconds(tmp_path / "stopped") == without_seconds(tmp_path / "whole")
    prep = load_model(tmp_path / "whole").preprocess
    assert (prep.fit, prep.side, prep.content) == ("resize", 36, 41)
